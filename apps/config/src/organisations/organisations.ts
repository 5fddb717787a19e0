import {
  configV1,
  fieldMaskFromMessage,
  organisationToMessage,
  usageLimitsFromMessage,
} from '@posthorn/contracts';
import {
  checkOrganisation,
  defaultRetention,
  newId,
  type Organisation,
  type OrganisationSettings,
  type Principal,
} from '@posthorn/models';
import { defineService, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { noSuchOrganisation, requireOperator } from '../authority.ts';
import { findRicloudEndpoint, type NamedEndpoint } from '../endpoints/named-endpoint.ts';
import { idCursor, readPage } from '../page.ts';
import type { ConfigStores } from '../stores/stores.ts';
import { refuseIfAny } from '../violations.ts';

/** OrganisationService. Operators and our own services only: for anyone else, every id answers `permission_denied`. */
export interface OrganisationsDependencies {
  readonly stores: ConfigStores;
  readonly clock: Clock;
  readonly random: Random;
}

const editable = [
  'slug',
  'name',
  'accountUrl',
  'timeZone',
  'branding',
  'requireKnownTypes',
  'retention',
  'limits',
  'defaultRicloudEndpoint',
] as const satisfies readonly (keyof OrganisationSettings)[];

/** How many rows one step of a deletion takes away. */
const deletionStep = 256;

export function createOrganisationService({
  stores,
  clock,
  random,
}: OrganisationsDependencies): ServiceRegistration<typeof configV1.OrganisationServiceService> {
  const { organisations, keys, eventTypes, endpoints, policies, idempotency } = stores;

  async function find(principal: Principal, idOrSlug: string): Promise<Organisation> {
    requireOperator(principal);
    const organisation = await organisations.find(idOrSlug);
    if (organisation === null) throw noSuchOrganisation();
    return organisation;
  }

  const findDefault = (organisationId: string | null, idOrUid: string | null): Promise<NamedEndpoint> =>
    findRicloudEndpoint(endpoints, { organisationId, idOrUid, field: '/defaultRicloudEndpoint' });

  async function deleteContents(id: string): Promise<void> {
    for (const store of [keys, endpoints, policies, eventTypes, idempotency]) {
      while ((await store.deleteSome(id, deletionStep)) === deletionStep);
    }
  }

  return defineService(configV1.OrganisationServiceService, {
    async createOrganisation({ organisation: message }, { principal }) {
      requireOperator(principal);
      const settings = settingsOf(message);
      // A new organisation has no endpoint that could be named.
      const route = await findDefault(null, settings.defaultRicloudEndpoint);
      refuseIfAny([...checkOrganisation(settings), ...route.violations]);
      const nowMs = clock.now();
      const now = new Date(nowMs);
      const id = newId(nowMs, (count) => random.bytes(count));
      const organisation: Organisation = { ...settings, id, createdAt: now, updatedAt: now };
      await organisations.insert(organisation);
      return { organisation: organisationToMessage(organisation) };
    },

    async getOrganisation({ idOrSlug }, { principal }) {
      return { organisation: organisationToMessage(await find(principal, idOrSlug)) };
    },

    async listOrganisations(request, { principal }) {
      requireOperator(principal);
      const { items, nextCursor } = await readPage(request, idCursor, {
        load: (limit, beforeId) => organisations.list({ limit, beforeId }),
        positionOf: ({ id }) => id,
      });
      return { organisations: items.map(organisationToMessage), nextCursor };
    },

    async updateOrganisation({ idOrSlug, organisation: message, updateMask }, { principal }) {
      const present = await find(principal, idOrSlug);
      const fields = fieldMaskFromMessage(updateMask, editable);
      const said = settingsOf(message);
      const route = fields.includes('defaultRicloudEndpoint')
        ? await findDefault(present.id, said.defaultRicloudEndpoint)
        : { id: null, violations: [] };
      const given = { ...said, defaultRicloudEndpoint: route.id };
      const changes = Object.fromEntries(
        fields.map((field) => [field, given[field]]),
      ) as Partial<OrganisationSettings>;
      refuseIfAny([...checkOrganisation(changes), ...route.violations]);
      const updated = await organisations.update(present.id, {
        ...changes,
        updatedAt: new Date(clock.now()),
      });
      if (updated === null) throw noSuchOrganisation();
      return { organisation: organisationToMessage(updated) };
    },

    async deleteOrganisation({ idOrSlug }, { principal }) {
      const { id } = await find(principal, idOrSlug);
      // The organisation goes last, so that a deletion that broke off can be asked for again; then once more what
      // was made in the meantime by someone who still saw it.
      await deleteContents(id);
      await organisations.delete(id);
      await deleteContents(id);
      return {};
    },
  });
}

/** What a message says, with defaults where it says nothing. */
function settingsOf(message: configV1.Organisation | undefined): OrganisationSettings {
  const { slug = '', name = '', branding, retention } = message ?? {};
  return {
    slug,
    name: name === '' ? slug : name,
    accountUrl: message?.accountUrl ?? null,
    timeZone: message?.timeZone || 'UTC',
    branding: {
      name: branding?.name ?? null,
      iconUrl: branding?.iconUrl ?? null,
      thumbnailUrl: branding?.thumbnailUrl ?? null,
    },
    requireKnownTypes: message?.requireKnownTypes ?? false,
    defaultRicloudEndpoint: message?.defaultRicloudEndpoint ?? null,
    retention: {
      payloadDays: retention?.payloadDays || defaultRetention.payloadDays,
      metadataDays: retention?.metadataDays || defaultRetention.metadataDays,
    },
    limits: usageLimitsFromMessage(message?.limits),
  };
}

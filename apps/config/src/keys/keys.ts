import {
  apiKeyToMessage,
  configV1,
  fieldMaskFromMessage,
  publishLimitsFromMessage,
  scopesFromMessage,
} from '@posthorn/contracts';
import {
  apiTokenBytes,
  checkApiKey,
  checkFeedKey,
  DomainError,
  limitsPublishing,
  newApiToken,
  newId,
  tokenPrefix,
  type ApiKey,
  type ApiKeySettings,
  type Principal,
} from '@posthorn/models';
import { defineService, requireOrganisation, type ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Random } from '@posthorn/runtime';
import { requireGrantable, requireKnownOrganisation, requireOperator, requireService } from '../authority.ts';
import { hashToken } from './hash-token.ts';
import type { KeyUsage } from './key-usage.ts';
import type { KeyPage } from './key-store.ts';
import { findFeedEndpoint, findRicloudEndpoint, type NamedEndpoint } from '../endpoints/named-endpoint.ts';
import { idCursor, readPage } from '../page.ts';
import type { ConfigStores } from '../stores/stores.ts';
import { refuseIfAny } from '../violations.ts';

/**
 * KeyService. A key of an organisation sees and makes keys of its own organisation only, and nobody gives away scopes that
 * they don't hold. Limits are for operators to set. Tokens are shown once and kept as their hash.
 */
export interface KeysDependencies {
  readonly stores: ConfigStores;
  readonly clock: Clock;
  readonly random: Random;
  readonly usage: KeyUsage;
  readonly maxPerOrganisation: number;
}

const editable = ['name', 'scopes', 'expiresAt', 'routesTo', 'limits'] as const;
const digestBytes = 32;

export function createKeyService({
  stores: { organisations, keys, endpoints },
  clock,
  random,
  usage,
  maxPerOrganisation,
}: KeysDependencies): ServiceRegistration<typeof configV1.KeyServiceService> {
  /** Operators may leave the organisation out; it isn't looked up, because a key that is found has one. */
  function requireScope(principal: Principal, organisationId: string | undefined): void {
    if (organisationId === undefined) requireOperator(principal);
    else requireOrganisation(principal, organisationId);
  }

  async function find(principal: Principal, organisationId: string | undefined, id: string): Promise<ApiKey> {
    requireScope(principal, organisationId);
    const key = await keys.find(id);
    if (key === null || (organisationId !== undefined && key.organisationId !== organisationId))
      throw noSuchKey();
    return key;
  }

  /** A key that ends gives nothing that lasts longer, itself included. A token does: its issuer renews it, and may stop doing so. */
  async function requireLifetime(principal: Principal, expiresAt: Date | null): Promise<void> {
    const own = principal.kind === 'key' ? await keys.find(principal.id) : null;
    if (own === null || own.expiresAt === null || (expiresAt !== null && expiresAt <= own.expiresAt)) return;
    throw new DomainError(
      'permission_denied',
      `A key can't outlast the one that it is given by: until ${own.expiresAt.toISOString()} at most.`,
    );
  }

  const findRoute = (organisationId: string | null, idOrUid: string | null): Promise<NamedEndpoint> =>
    findRicloudEndpoint(endpoints, { organisationId, idOrUid, field: '/routesTo' });

  return defineService(configV1.KeyServiceService, {
    async createKey({ key: message, token: given }, { principal }) {
      const organisationId = message?.organisationId;
      if (organisationId === undefined) requireOperator(principal);
      else await requireKnownOrganisation(organisations, principal, organisationId);
      const limits = publishLimitsFromMessage(message?.limits);
      if (given !== undefined || limitsPublishing(limits)) requireOperator(principal);

      const nowMs = clock.now();
      const now = new Date(nowMs);
      const { name = '', scopes: names = [], expiresAt = null } = message ?? {};
      const route = await findRoute(organisationId ?? null, message?.routesTo ?? null);
      const feed = await findFeedEndpoint(endpoints, organisationId ?? null, message?.endpointId ?? null);
      refuseIfAny([
        ...checkApiKey({ name, scopes: names, expiresAt, token: given ?? null, limits }, now),
        ...checkFeedKey(names, message?.endpointId),
        ...route.violations,
        ...feed.violations,
      ]);
      const scopes = scopesFromMessage(names);
      requireGrantable(principal, scopes);
      await requireLifetime(principal, expiresAt);

      const token = given ?? newApiToken(random.bytes(apiTokenBytes));
      const key: ApiKey = {
        id: newId(nowMs, (count) => random.bytes(count)),
        name,
        prefix: tokenPrefix(token),
        scopes,
        organisationId: organisationId ?? null,
        routesTo: route.id,
        endpointId: feed.id,
        limits,
        expiresAt,
        lastUsedAt: null,
        createdAt: now,
      };
      await keys.insert({ key, tokenSha256: hashToken(token) }, maxPerOrganisation);
      return { key: apiKeyToMessage(key), token };
    },

    async getKey({ organisationId, id }, { principal }) {
      return { key: apiKeyToMessage(await find(principal, organisationId, id)) };
    },

    async listKeys(request, { principal }) {
      const { organisationId } = request;
      if (organisationId === undefined) requireOperator(principal);
      else await requireKnownOrganisation(organisations, principal, organisationId);
      const owner: KeyPage['owner'] = organisationId === undefined ? 'any' : { organisationId };
      const { items, nextCursor } = await readPage(request, idCursor, {
        load: (limit, beforeId) => keys.list({ owner, limit, beforeId }),
        positionOf: ({ id }) => id,
      });
      return { keys: items.map(apiKeyToMessage), nextCursor };
    },

    async updateKey({ organisationId, id, key: message, updateMask }, { principal }) {
      const present = await find(principal, organisationId, id);
      const fields = fieldMaskFromMessage(updateMask, editable);
      if (fields.includes('limits')) requireOperator(principal);
      const route = fields.includes('routesTo')
        ? await findRoute(present.organisationId, message?.routesTo ?? null)
        : { id: present.routesTo, violations: [] };
      const given: Omit<ApiKeySettings, 'token'> & Pick<ApiKey, 'routesTo'> = {
        name: message?.name ?? '',
        scopes: message?.scopes ?? [],
        expiresAt: message?.expiresAt ?? null,
        routesTo: route.id,
        limits: publishLimitsFromMessage(message?.limits),
      };
      const changes = Object.fromEntries(fields.map((field) => [field, given[field]]));
      const ofFeed = fields.includes('scopes') ? checkFeedKey(given.scopes, present.endpointId) : [];
      refuseIfAny([...checkApiKey(changes, new Date(clock.now())), ...ofFeed, ...route.violations]);
      const scopes = fields.includes('scopes') ? scopesFromMessage(given.scopes) : present.scopes;
      // A longer life is given away as much as a scope is.
      if (fields.some((field) => field !== 'name')) {
        requireGrantable(principal, scopes);
        await requireLifetime(principal, fields.includes('expiresAt') ? given.expiresAt : present.expiresAt);
      }
      const updated = await keys.update(id, changes);
      if (updated === null) throw noSuchKey();
      return { key: apiKeyToMessage(updated) };
    },

    async deleteKey({ organisationId, id }, { principal }) {
      await find(principal, organisationId, id);
      if (!(await keys.delete(id))) throw noSuchKey();
      return {};
    },

    async authenticate({ tokenSha256 }, { principal }) {
      requireService(principal);
      const key = tokenSha256.length === digestBytes ? await keys.findByToken(tokenSha256) : null;
      if (key === null || (key.expiresAt !== null && key.expiresAt.getTime() <= clock.now())) {
        throw new DomainError('unauthenticated', 'The API key is unknown or has expired.');
      }
      usage.seen(key);
      return { key: apiKeyToMessage(key) };
    },
  });
}

function noSuchKey(): DomainError {
  return new DomainError('not_found', 'There is no such key.');
}

import { fieldMaskToMessage, usageLimitsToMessage, type configV1 } from '@posthorn/contracts';
import {
  checkOrganisation,
  defaultRetention,
  noUsageLimits,
  type Branding,
  type Retention,
  type Violation,
} from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { defineRoute, type Route } from './routing/route.ts';
import {
  newOrganisationSchema,
  organisationChangesSchema,
  organisationPageSchema,
  organisationSchema,
  organisationView,
  type OrganisationInput,
} from './schemas/organisation.ts';

const params = { idOrSlug: { description: 'The id or the slug of the organisation.', example: 'acme' } };

/** Organisations: the operators' side of tenancy. */
export function organisationRoutes(
  { organisations, erasures }: Pick<GatewayClients, 'organisations' | 'erasures'>,
  onChanged: () => void,
): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/organisations',
      operationId: 'listOrganisations',
      summary: 'List organisations',
      tag: 'Organisations',
      scope: 'organisations:read',
      operatorsOnly: true,
      organisation: 'none',
      query: pageParameters,
      answers: { 200: { description: 'The organisations, newest first.', schema: organisationPageSchema } },
      async handle({ query, rpc }) {
        const list = await organisations.listOrganisations(pageRequest(query), rpc);
        return { status: 200, body: page(list.organisations, list.nextCursor, organisationView) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/organisations',
      operationId: 'createOrganisation',
      summary: 'Create an organisation',
      tag: 'Organisations',
      scope: 'organisations:write',
      operatorsOnly: true,
      organisation: 'none',
      body: {
        schema: newOrganisationSchema,
        check,
        examples: {
          small: { summary: 'Everything else by default', value: { slug: 'acme', name: 'Acme Ltd' } },
        },
      },
      answers: { 201: { description: 'It is created.', schema: organisationSchema } },
      errors: ['already_exists'],
      async handle({ body, rpc }) {
        const created = await organisations.createOrganisation({ organisation: toMessage(body) }, rpc);
        onChanged();
        return { status: 201, body: organisationView(found(created.organisation)) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/organisations/{idOrSlug}',
      operationId: 'getOrganisation',
      summary: 'Read an organisation',
      tag: 'Organisations',
      scope: 'organisations:read',
      operatorsOnly: true,
      organisation: 'none',
      params,
      answers: { 200: { description: 'The organisation.', schema: organisationSchema } },
      async handle({ params: { idOrSlug }, rpc }) {
        const { organisation } = await organisations.getOrganisation({ idOrSlug }, rpc);
        return { status: 200, body: organisationView(found(organisation)) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/organisations/{idOrSlug}',
      operationId: 'updateOrganisation',
      summary: 'Change an organisation',
      tag: 'Organisations',
      scope: 'organisations:write',
      operatorsOnly: true,
      organisation: 'none',
      params,
      body: {
        schema: organisationChangesSchema,
        check,
        examples: {
          retention: { summary: 'Keep payloads for a week', value: { retention: { payloadDays: 7 } } },
          limits: {
            summary: 'At most 100 events a second and 20 endpoints',
            value: { limits: { publishesPerSecond: 100, endpoints: 20 } },
          },
        },
      },
      answers: { 200: { description: 'It is changed.', schema: organisationSchema } },
      errors: ['already_exists'],
      async handle({ params: { idOrSlug }, body, rpc }) {
        const { organisation } = await organisations.updateOrganisation(
          { idOrSlug, organisation: toMessage(body), updateMask: fieldMaskToMessage(Object.keys(body)) },
          rpc,
        );
        onChanged();
        return { status: 200, body: organisationView(found(organisation)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/organisations/{idOrSlug}',
      operationId: 'deleteOrganisation',
      summary: 'Delete an organisation',
      description:
        'With its keys, event types and endpoints. Its keys stop working within 5 seconds. Its events, deliveries and attempts are erased by a job, which is among its erasures.',
      tag: 'Organisations',
      scope: 'organisations:write',
      operatorsOnly: true,
      organisation: 'none',
      params,
      answers: { 204: { description: 'It is gone.' } },
      async handle({ params: { idOrSlug }, rpc }) {
        const { id } = found((await organisations.getOrganisation({ idOrSlug }, rpc)).organisation);
        await organisations.deleteOrganisation({ idOrSlug: id }, rpc);
        onChanged();
        // If this is never reached, the dispatchers find within minutes what an organisation that is no more has left, and erase it.
        await erasures.createErasure({ organisationId: id, wholeOrganisation: true }, rpc);
        return { status: 204 };
      },
    }),
  ];
}

function check({ branding, retention, limits, ...rest }: Partial<OrganisationInput>): readonly Violation[] {
  return checkOrganisation({
    ...rest,
    ...(branding !== undefined && { branding: wholeBranding(branding) }),
    ...(retention !== undefined && { retention: { ...defaultRetention, ...retention } }),
    ...(limits !== undefined && { limits: { ...noUsageLimits, ...limits } }),
  });
}

function wholeBranding({ name = null, iconUrl = null, thumbnailUrl = null }: Partial<Branding>): Branding {
  return { name, iconUrl, thumbnailUrl };
}

/** A message of what was given; over RPC, what is unset gets its default. */
function toMessage(input: OrganisationInput): configV1.Organisation {
  const { branding, retention, limits } = input;
  return {
    id: '',
    slug: input.slug ?? '',
    name: input.name ?? '',
    accountUrl: input.accountUrl ?? undefined,
    timeZone: input.timeZone ?? '',
    branding: branding && {
      name: branding.name ?? undefined,
      iconUrl: branding.iconUrl ?? undefined,
      thumbnailUrl: branding.thumbnailUrl ?? undefined,
    },
    requireKnownTypes: input.requireKnownTypes ?? false,
    retention: retention && retentionMessage(retention),
    limits: limits && usageLimitsToMessage({ ...noUsageLimits, ...limits }),
    defaultRicloudEndpoint: input.defaultRicloudEndpoint ?? undefined,
    createdAt: undefined,
    updatedAt: undefined,
  };
}

function retentionMessage({ payloadDays = 0, metadataDays = 0 }: Partial<Retention>): configV1.Retention {
  return { payloadDays, metadataDays };
}

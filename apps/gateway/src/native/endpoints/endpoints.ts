import { dialectTable, endpointStateTable, verificationTable, type configV1 } from '@posthorn/contracts';
import { dialects, endpointStates, type Dialect, type Violation } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import { checkSecret } from '@posthorn/signing';
import type { GatewayClients } from '../../clients.ts';
import type { GatewayConfig } from '../../config.ts';
import type { EndpointHealthLookup } from './endpoint-health.ts';
import { checkEndpointChanges, endpointChangesToMessage, endpointMask } from './endpoint-message.ts';
import { etagOf } from '../routing/etag.ts';
import { found } from '../found.ts';
import { page, pageParameters, pageRequest } from '../routing/paging.ts';
import { choiceParameter } from '../routing/query.ts';
import { defineRoute, type Answer, type AnswerDescription, type Route } from '../routing/route.ts';
import {
  createdEndpointSchema,
  endpointPageSchema,
  endpointSchema,
  endpointView,
  newHealth,
  type EndpointView,
} from '../schemas/endpoint.ts';
import {
  endpointChangesSchema,
  newEndpointSchema,
  type EndpointChanges,
  type NewEndpoint,
} from '../schemas/endpoint-settings.ts';

export interface EndpointRouteDeps {
  readonly clients: Pick<GatewayClients, 'endpoints'>;
  readonly config: Pick<GatewayConfig, 'urlPolicy'>;
  readonly health: EndpointHealthLookup;
}

/** The parameter of every route below an endpoint. */
export const endpointParams = { id: { description: 'The id or the uid of the endpoint.' } };

export const etagHeader: NonNullable<AnswerDescription<unknown>['headers']> = {
  ETag: { description: 'The version, for `If-Match` and `If-None-Match`.', schema: { type: 'string' } },
};

/** Endpoints: creating, reading, changing and deleting them. */
export function endpointRoutes({
  clients: { endpoints },
  config,
  health,
}: EndpointRouteDeps): readonly Route[] {
  const check = (body: EndpointChanges, dialect?: Dialect): readonly Violation[] =>
    checkEndpointChanges(body, config.urlPolicy, dialect);
  const answerWith = createEndpointAnswer(health);

  return [
    defineRoute({
      method: 'get',
      path: '/v1/endpoints',
      operationId: 'listEndpoints',
      summary: 'List endpoints',
      tag: 'Endpoints',
      scope: 'endpoints:read',
      organisation: 'required',
      query: {
        ...pageParameters,
        state: choiceParameter('Only those in this state.', endpointStates),
        dialect: choiceParameter('Only those of this dialect.', dialects),
      },
      answers: { 200: { description: 'The endpoints, newest first.', schema: endpointPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const state = query.state === undefined ? 0 : endpointStateTable.toMessage(query.state);
        const dialect = query.dialect === undefined ? undefined : dialectTable.toMessage(query.dialect);
        const list = await endpoints.listEndpoints(
          { organisationId, ...pageRequest(query), state, dialect },
          rpc,
        );
        const ids = list.endpoints.map(({ id }) => id);
        const known = await health(organisationId, ids, rpc);
        const view = (endpoint: configV1.Endpoint): EndpointView =>
          endpointView(endpoint, known.get(endpoint.id) ?? null);
        return { status: 200, body: page(list.endpoints, list.nextCursor, view) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/endpoints',
      operationId: 'createEndpoint',
      summary: 'Create an endpoint',
      description:
        'The answer shows the signing secret. Events that are published from now on are delivered to it.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      body: {
        schema: newEndpointSchema,
        check: (body) => {
          const { dialect = 'standard' } = body;
          return [...check(settingsOf(body), dialect), ...checkGivenSecret(body.secret, dialect)];
        },
        examples: {
          all: { summary: 'Everything, to one URL', value: { url: 'https://example.com/hooks' } },
          xurrent: {
            summary: 'For a receiver of another product: signed by a policy',
            value: { url: 'https://example.com/hooks', dialect: 'xurrent', policy: '7' },
          },
          selected: {
            summary: 'Large orders of the EU',
            value: {
              url: 'https://example.com/hooks',
              uid: 'billing',
              eventTypes: ['order.*'],
              labels: { region: ['eu'] },
              filter: { 'order.total': { $gte: 100 } },
            },
          },
        },
      },
      idempotency: { redact: withoutSecret },
      answers: {
        201: {
          description: 'It is created, with its secret.',
          schema: createdEndpointSchema,
          headers: etagHeader,
        },
      },
      errors: ['already_exists', 'failed_precondition'],
      async handle({ body, organisationId, rpc }) {
        const settings = settingsOf(body);
        const created = await endpoints.createEndpoint(
          {
            endpoint: {
              ...endpointChangesToMessage(settings, organisationId, body.dialect),
              verification:
                body.verification === undefined ? 0 : verificationTable.toMessage(body.verification),
            },
            secret: body.secret,
            given: endpointMask(settings),
          },
          rpc,
        );
        const endpoint = endpointView(found(created.endpoint), newHealth);
        // A policy signs for an endpoint of xurrent, which has no secret.
        const secret = created.secrets[0]?.secret;
        const shown = { ...endpoint, ...(secret !== undefined && { secret }) };
        return { status: 201, body: shown, headers: { ETag: etagOf(endpoint.version) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/endpoints/{id}',
      operationId: 'getEndpoint',
      summary: 'Read an endpoint',
      tag: 'Endpoints',
      scope: 'endpoints:read',
      organisation: 'required',
      params: endpointParams,
      ifNoneMatch: true,
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema, headers: etagHeader } },
      async handle({ params: { id: idOrUid }, organisationId, rpc }) {
        const { endpoint } = await endpoints.getEndpoint({ organisationId, idOrUid }, rpc);
        return answerWith(found(endpoint), rpc);
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/endpoints/{id}',
      operationId: 'updateEndpoint',
      summary: 'Change an endpoint',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      ifMatch: true,
      body: {
        schema: endpointChangesSchema,
        check: (body) => check(body),
        examples: { types: { summary: 'Other event types', value: { eventTypes: ['invoice.*'] } } },
      },
      answers: { 200: { description: 'It is changed.', schema: endpointSchema, headers: etagHeader } },
      errors: ['already_exists'],
      async handle({ params: { id: idOrUid }, body, organisationId, expectedVersion, rpc }) {
        const { endpoint } = await endpoints.updateEndpoint(
          {
            organisationId,
            idOrUid,
            endpoint: endpointChangesToMessage(body, organisationId),
            updateMask: endpointMask(body),
            expectedVersion,
          },
          rpc,
        );
        return answerWith(found(endpoint), rpc);
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/endpoints/{id}',
      operationId: 'deleteEndpoint',
      summary: 'Delete an endpoint',
      description: 'What waits for it is cancelled.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      ifMatch: true,
      answers: { 204: { description: 'It is gone.' } },
      async handle({ params: { id: idOrUid }, organisationId, expectedVersion, rpc }) {
        await endpoints.deleteEndpoint({ organisationId, idOrUid, expectedVersion }, rpc);
        return { status: 204 };
      },
    }),
  ];
}

/** Answers with one endpoint, its health and its ETag. */
export function createEndpointAnswer(
  health: EndpointHealthLookup,
): (endpoint: configV1.Endpoint, rpc: CallOptions) => Promise<Answer<EndpointView>> {
  return async (endpoint, rpc) => {
    const known = await health(endpoint.organisationId, [endpoint.id], rpc);
    return {
      status: 200,
      body: endpointView(endpoint, known.get(endpoint.id) ?? null),
      headers: { ETag: etagOf(endpoint.version) },
    };
  };
}

/** Whether the endpoint signs with the secret's scheme at all, and secrets of other forms, are for config to judge. */
function checkGivenSecret(secret: string | undefined, dialect: Dialect): readonly Violation[] {
  if (secret === undefined || dialect !== 'standard') return [];
  return checkSecret(secret, secret.startsWith('whsk_') ? 'v1a' : 'v1');
}

function settingsOf({
  organisation: _,
  dialect: __,
  secret: ___,
  verification: ____,
  ...settings
}: Partial<NewEndpoint>): EndpointChanges {
  return settings;
}

function withoutSecret(body: unknown): unknown {
  const { secret: _, ...rest } = body as { readonly secret?: string };
  return rest;
}

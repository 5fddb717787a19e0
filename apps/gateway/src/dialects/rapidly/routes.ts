/** What rapidly serves: endpoints, all attempts to deliver to them, and sending an event once more. */
import { configV1, dispatchV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import type { GatewayClients } from '../../clients.ts';
import { found } from '../../native/found.ts';
import { defineDialectRoute, type DialectCall, type DialectRoute } from '../dialect.ts';
import { findEndpointMessage, organisationIdsOf } from '../find-endpoint.ts';
import { withPayloads } from '../with-payloads.ts';
import { problemsOf, refusal } from './errors.ts';
import {
  deliveryListSchema,
  deliveryParameters,
  emptySchema,
  endpointChangesSchema,
  endpointListSchema,
  endpointParameters,
  endpointSchema,
  eventIdParameter,
  idParameter,
  newEndpointSchema,
} from './openapi.ts';
import { readPage, renderPage } from './paging.ts';
import {
  readDeliveryFilters,
  readEndpointChanges,
  readNewEndpoint,
  readPathId,
  readWorkspaceIds,
  unknownWorkspace,
  type EndpointChanges,
  type NewEndpoint,
} from './parse.ts';
import { formatMessage, renderDelivery, renderEndpoint, type RapidlyEndpoint } from './render.ts';

type Clients = Pick<GatewayClients, 'endpoints' | 'deliveries'>;

const { Dialect, EndpointState } = configV1;

/** The scopes `webhooks:read` and `webhooks:write`. */
const read = ['endpoints:read', 'deliveries:read'] as const;
const write = ['endpoints:write', 'deliveries:write'] as const;
/** How many endpoints are asked for at once where all of them are needed. */
const searchStep = 1000;

export function createRapidlyRoutes({ endpoints, deliveries }: Clients): readonly DialectRoute[] {
  function search(
    { rpc }: DialectCall,
    wanted: Partial<configV1.SearchEndpointsRequest>,
  ): Promise<configV1.SearchEndpointsResponse> {
    const request = { dialect: Dialect.DIALECT_RAPIDLY, descending: true, includeSecrets: true, ...wanted };
    return endpoints.searchEndpoints(configV1.SearchEndpointsRequest.fromPartial(request), rpc);
  }

  const readEndpoint = (call: DialectCall, id: string): Promise<configV1.FoundEndpoint> =>
    findEndpointMessage({ endpoints }, 'rapidly', id, call);

  /** Those of the endpoints that are this dialect's; all of them when none is named. */
  async function idsOfEndpoints(call: DialectCall, named: readonly string[]): Promise<readonly string[]> {
    const organisationIds = organisationIdsOf(call);
    const ids: string[] = [];
    for (let offset = 0; ; offset += searchStep) {
      const page = await search(call, {
        organisationIds,
        ids: [...named],
        limit: searchStep,
        offset,
        includeSecrets: false,
      });
      ids.push(...page.endpoints.map(({ endpoint }) => found(endpoint).id));
      if (!page.hasMore) return ids;
    }
  }

  return [
    defineDialectRoute({
      method: 'get',
      path: '/endpoints',
      operationId: 'rapidlyListEndpoints',
      summary: 'List webhook endpoints',
      scopes: read,
      query: endpointParameters,
      answers: { 200: { description: 'A page of the endpoints, newest first.', schema: endpointListSchema } },
      async handle(call) {
        const { workspaceIds, page } = readWorkspaceIds(call.query, (take) => ({
          page: readPage(call.query, take),
        }));
        const visible = visibleWorkspaces(call, workspaceIds);
        if (visible === null) return { status: 200, body: renderPage(page, 0, []) };
        const { endpoints: items, total } = await search(call, {
          organisationIds: [...visible],
          offset: page.offset,
          limit: page.limit,
        });
        return { status: 200, body: renderPage(page, Number(total), items.map(renderFound)) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/endpoints',
      operationId: 'rapidlyCreateEndpoint',
      summary: 'Create a webhook endpoint',
      scopes: write,
      body: { schema: newEndpointSchema, required: true },
      answers: { 201: { description: 'It is created.', schema: endpointSchema } },
      async handle(call) {
        const isWorkspaceToken = call.principal.organisationId !== null;
        const created = readNewEndpoint(call.body, isWorkspaceToken ? 'workspace' : 'user');
        const organisationId = await workspaceOf(call, created);
        const { endpoint, secrets } = await refusing(call.body, () =>
          endpoints.createEndpoint(
            {
              endpoint: { ...messageOf(created), organisationId, dialect: Dialect.DIALECT_RAPIDLY },
              secret: created.secret,
              given: undefined,
            },
            call.rpc,
          ),
        );
        return { status: 201, body: renderEndpoint(found(endpoint), secrets) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/endpoints/{id}',
      operationId: 'rapidlyGetEndpoint',
      summary: 'Get a webhook endpoint by ID',
      scopes: read,
      params: { id: idParameter },
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      async handle(call) {
        return { status: 200, body: renderFound(await readEndpoint(call, readPathId(call.params.id))) };
      },
    }),
    defineDialectRoute({
      method: 'patch',
      path: '/endpoints/{id}',
      operationId: 'rapidlyUpdateEndpoint',
      summary: 'Update a webhook endpoint',
      scopes: write,
      params: { id: idParameter },
      body: { schema: endpointChangesSchema, required: true },
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      async handle(call) {
        const id = readPathId(call.params.id);
        const changes = readEndpointChanges(call.body);
        const item = await readEndpoint(call, id);
        const updateMask = maskOf(changes);
        if (updateMask.length === 0 && changes.secret === undefined)
          return { status: 200, body: renderFound(item) };
        const { organisationId } = found(item.endpoint);
        const updated = await refusing(call.body, () =>
          endpoints.updateEndpoint(
            {
              organisationId,
              idOrUid: id,
              endpoint: { ...messageOf(changes), organisationId },
              updateMask,
              expectedVersion: undefined,
              secret: changes.secret,
              startVerification: undefined,
            },
            call.rpc,
          ),
        );
        return { status: 200, body: renderEndpoint(found(updated.endpoint), updated.secrets) };
      },
    }),
    defineDialectRoute({
      method: 'delete',
      path: '/endpoints/{id}',
      operationId: 'rapidlyDeleteEndpoint',
      summary: 'Delete a webhook endpoint',
      scopes: write,
      params: { id: idParameter },
      answers: { 204: { description: 'It is gone.' } },
      async handle(call) {
        const { organisationId, id } = found((await readEndpoint(call, readPathId(call.params.id))).endpoint);
        await endpoints.deleteEndpoint({ organisationId, idOrUid: id, expectedVersion: undefined }, call.rpc);
        return { status: 204 };
      },
    }),
    defineDialectRoute({
      method: 'patch',
      path: '/endpoints/{id}/secret',
      operationId: 'rapidlyResetSecret',
      summary: 'Regenerate a webhook endpoint secret',
      description: 'The new secret signs from now on, the old one no longer.',
      scopes: write,
      params: { id: idParameter },
      answers: { 200: { description: 'The endpoint with its new secret.', schema: endpointSchema } },
      async handle(call) {
        const { organisationId, id } = found((await readEndpoint(call, readPathId(call.params.id))).endpoint);
        await endpoints.rotateSecret(
          { organisationId, idOrUid: id, overlapMs: 0n, secret: undefined },
          call.rpc,
        );
        return { status: 200, body: renderFound(await readEndpoint(call, id)) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/deliveries',
      operationId: 'rapidlyListDeliveries',
      summary: 'List webhook deliveries',
      description: 'All attempts to deliver an event to an endpoint.',
      scopes: read,
      query: deliveryParameters,
      answers: { 200: { description: 'A page of the attempts, newest first.', schema: deliveryListSchema } },
      async handle(call) {
        const { page, ...filters } = readDeliveryFilters(call.query, (take) => ({
          page: readPage(call.query, take),
        }));
        const endpointIds = await idsOfEndpoints(call, filters.endpointIds);
        if (endpointIds.length === 0) return { status: 200, body: renderPage(page, 0, []) };
        const { items, total } = await deliveries.searchAttempts(
          dispatchV1.SearchAttemptsRequest.fromPartial({
            organisationIds: organisationIdsOf(call),
            endpointIds: [...endpointIds],
            ...(filters.startedAfter !== undefined && { startedAfter: filters.startedAfter }),
            ...(filters.startedBefore !== undefined && { startedBefore: filters.startedBefore }),
            ...(filters.succeeded !== undefined && { succeeded: filters.succeeded }),
            ...(filters.httpCodeClass !== undefined && { statusClass: Number(filters.httpCodeClass[0]) }),
            eventTypes: [...filters.eventTypes],
            query: filters.query,
            offset: page.offset,
            limit: page.limit,
          }),
          call.rpc,
        );
        const found = await withPayloads(
          deliveries,
          items.map(({ delivery }) => delivery),
          call.rpc,
        );
        const attempts = items.map((item, index) => ({ ...item, delivery: found[index] ?? item.delivery }));
        return { status: 200, body: renderPage(page, Number(total), attempts.map(renderDelivery)) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/events/{id}/redeliver',
      operationId: 'rapidlyRedeliverEvent',
      summary: 'Schedule the re-delivery of a webhook event',
      description:
        'Also of one that had succeeded. Of an archived one nothing is sent, and none to a disabled endpoint.',
      scopes: write,
      params: { id: eventIdParameter },
      answers: { 202: { description: 'It will be sent, if it can be.', schema: emptySchema } },
      async handle(call) {
        const id = readPathId(call.params.id);
        const { items } = await deliveries.searchDeliveries(
          dispatchV1.SearchDeliveriesRequest.fromPartial({
            organisationIds: organisationIdsOf(call),
            ids: [id],
            limit: 1,
            includeEvent: true,
          }),
          call.rpc,
        );
        const [item] = items;
        if (item === undefined) throw new DomainError('not_found', 'There is no such event.');
        const { organisationId, endpointId } = found(item.delivery);
        await readEndpoint(call, endpointId);
        if (item.event !== undefined) {
          await deliveries.retryDelivery({ organisationId, id, skipWhenDisabled: true }, call.rpc);
        }
        return { status: 202, body: {} };
      },
    }),
  ];
}

function renderFound({ endpoint, secrets }: configV1.FoundEndpoint): RapidlyEndpoint {
  return renderEndpoint(found(endpoint), secrets);
}

/** The workspaces that a list is of: empty for all; null where the token may see none of those that were asked for. */
function visibleWorkspaces(
  { organisationId }: DialectCall,
  wanted: readonly string[],
): readonly string[] | null {
  if (organisationId === null) return wanted;
  return wanted.length > 0 && !wanted.includes(organisationId) ? null : [organisationId];
}

async function workspaceOf(call: DialectCall, { workspaceId }: NewEndpoint): Promise<string> {
  if (workspaceId === undefined) return call.organisationId ?? '';
  try {
    return await call.organisationOf(workspaceId);
  } catch (error) {
    const failure = DomainError.from(error);
    throw failure.code === 'not_found' ? unknownWorkspace(workspaceId) : failure;
  }
}

/** What config refuses of a body is told with what was sent. */
async function refusing<T>(body: unknown, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = DomainError.from(error);
    throw failure.code === 'invalid_argument' ? refusal(problemsOf(failure, body)) : failure;
  }
}

function messageOf({ url, format, events, enabled }: EndpointChanges): configV1.Endpoint {
  return configV1.Endpoint.fromPartial({
    ...(url !== undefined && { url }),
    ...(format !== undefined && { format: formatMessage(format) }),
    ...(events !== undefined && { eventTypes: { values: [...events] } }),
    ...(enabled !== undefined && {
      state: enabled ? EndpointState.ENDPOINT_STATE_ENABLED : EndpointState.ENDPOINT_STATE_DISABLED,
    }),
  });
}

function maskOf({ url, format, events, enabled }: EndpointChanges): string[] {
  return [
    ...(url === undefined ? [] : ['url']),
    ...(format === undefined ? [] : ['format']),
    ...(events === undefined ? [] : ['event_types']),
    ...(enabled === undefined ? [] : ['state']),
  ];
}

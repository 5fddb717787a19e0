/** What preo serves: endpoints, their deliveries, a retry by hand, a new secret. Nothing is deleted: `is_active: false` retires an endpoint. */
import { configV1, dispatchV1 } from '@posthorn/contracts';
import { DomainError, isId } from '@posthorn/models';
import type { GatewayClients } from '../../clients.ts';
import { found } from '../../native/found.ts';
import { defineDialectRoute, Refusal, type DialectCall, type DialectRoute } from '../dialect.ts';
import { findEndpointMessage } from '../find-endpoint.ts';
import { withPayloads } from '../with-payloads.ts';
import {
  deliveryIdParameter,
  deliveryPageSchema,
  deliveryParameters,
  deliverySchema,
  endpointChangesSchema,
  endpointPageSchema,
  endpointParameters,
  endpointReplacementSchema,
  endpointSchema,
  idParameter,
  newEndpointSchema,
} from './openapi.ts';
import { readPage, renderPage } from './paging.ts';
import {
  readEndpointFields,
  readListConditions,
  requiredAtCreate,
  requiredAtReplace,
  unknownOrganisation,
  type EndpointConditions,
  type EndpointFields,
  type ListConditions,
} from './parse.ts';
import { renderDelivery, renderEndpoint, statesOf } from './render.ts';

type Clients = Pick<GatewayClients, 'endpoints' | 'deliveries'>;

const { EndpointState, EndpointOrder, Dialect } = configV1;
const { DeliveryOrder } = dispatchV1;

export function createPreoRoutes({ endpoints, deliveries }: Clients): readonly DialectRoute[] {
  /** Throws `not_found` for an id that isn't one of this dialect's that the key may see. */
  async function readEndpoint(call: DialectCall, id: string): Promise<configV1.Endpoint> {
    return found((await findEndpointMessage({ endpoints }, 'preo', id, call)).endpoint);
  }

  async function readDelivery(
    call: DialectCall,
    endpointId: string,
    id: string,
  ): Promise<dispatchV1.FoundDelivery> {
    const endpoint = await readEndpoint(call, endpointId);
    if (!isId(id)) throw unknownId();
    const { items } = await deliveries.searchDeliveries(
      dispatchV1.SearchDeliveriesRequest.fromPartial({
        organisationIds: [endpoint.organisationId],
        endpointIds: [endpoint.id],
        ids: [id],
        limit: 1,
        includeBody: true,
      }),
      call.rpc,
    );
    const [item] = items;
    if (item === undefined) throw unknownId();
    return item;
  }

  async function update(
    call: DialectCall<{ readonly id: string }>,
    fields: EndpointFields,
  ): Promise<configV1.Endpoint> {
    const endpoint = await readEndpoint(call, call.params.id);
    const mask = maskOf(fields);
    if (mask.length === 0) return endpoint;
    const answer = await endpoints.updateEndpoint(
      {
        organisationId: endpoint.organisationId,
        idOrUid: endpoint.id,
        endpoint: messageOf(fields, endpoint.organisationId),
        updateMask: mask,
        expectedVersion: undefined,
        secret: undefined,
        startVerification: undefined,
      },
      call.rpc,
    );
    return found(answer.endpoint);
  }

  return [
    defineDialectRoute({
      method: 'get',
      path: '/webhook-endpoints',
      operationId: 'preoListEndpoints',
      summary: 'List webhook endpoints',
      scopes: ['endpoints:read'],
      query: endpointParameters,
      answers: { 200: { description: 'A page of the endpoints.', schema: endpointPageSchema } },
      async handle(call) {
        const conditions = readListConditions(call.query);
        const page = readPage(call.query);
        const { organisationIds, isEmpty } = organisationsOf(call, conditions);
        if (isEmpty) return { status: 200, body: renderPage(call, page, 0, []) };
        const { endpoints: items, total } = await endpoints.searchEndpoints(
          configV1.SearchEndpointsRequest.fromPartial({
            organisationIds: [...organisationIds],
            dialect: Dialect.DIALECT_PREO,
            states: conditions.isActive === undefined ? [] : statesOfActivity(conditions.isActive),
            ...(conditions.editionId !== undefined && { editionId: conditions.editionId }),
            orderBy: endpointOrders[conditions.ordering?.by ?? 'created'],
            descending: conditions.ordering?.descending ?? true,
            offset: page.offset,
            limit: page.size,
          }),
          call.rpc,
        );
        const results = items.map(({ endpoint }) => renderEndpoint(found(endpoint)));
        return { status: 200, body: renderPage(call, page, Number(total), results) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/webhook-endpoints',
      operationId: 'preoCreateEndpoint',
      summary: 'Create a webhook endpoint',
      description: 'The answer shows its secret.',
      scopes: ['endpoints:write'],
      body: { schema: newEndpointSchema },
      answers: { 201: { description: 'It is created.', schema: endpointSchema } },
      async handle(call) {
        const fields = readEndpointFields(call.body, { required: requiredAtCreate });
        const organisationId = await ownedOrganisation(call, fields.organizationId ?? '');
        const { endpoint, secrets } = await endpoints.createEndpoint(
          {
            endpoint: { ...messageOf(fields, organisationId), dialect: Dialect.DIALECT_PREO },
            secret: undefined,
            given: undefined,
          },
          call.rpc,
        );
        return { status: 201, body: renderEndpoint(found(endpoint), secrets[0]?.secret ?? null) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/webhook-endpoints/{id}',
      operationId: 'preoGetEndpoint',
      summary: 'Retrieve a webhook endpoint',
      scopes: ['endpoints:read'],
      params: { id: idParameter },
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      handle: async (call) => ({
        status: 200,
        body: renderEndpoint(await readEndpoint(call, call.params.id)),
      }),
    }),
    defineDialectRoute({
      method: 'put',
      path: '/webhook-endpoints/{id}',
      operationId: 'preoReplaceEndpoint',
      summary: 'Update a webhook endpoint',
      description: 'What is not given stays as it is, but for what is required.',
      scopes: ['endpoints:write'],
      params: { id: idParameter },
      body: { schema: endpointReplacementSchema },
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      async handle(call) {
        await readEndpoint(call, call.params.id);
        const fields = readEndpointFields(call.body, {
          required: requiredAtReplace,
          readOnly: ['organization_id'],
        });
        return { status: 200, body: renderEndpoint(await update(call, fields)) };
      },
    }),
    defineDialectRoute({
      method: 'patch',
      path: '/webhook-endpoints/{id}',
      operationId: 'preoUpdateEndpoint',
      summary: 'Update some of a webhook endpoint',
      scopes: ['endpoints:write'],
      params: { id: idParameter },
      body: { schema: endpointChangesSchema },
      answers: { 200: { description: 'The endpoint.', schema: endpointSchema } },
      async handle(call) {
        await readEndpoint(call, call.params.id);
        const fields = readEndpointFields(call.body, { required: [], readOnly: ['organization_id'] });
        return { status: 200, body: renderEndpoint(await update(call, fields)) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/webhook-endpoints/{id}/rotate-secret',
      operationId: 'preoRotateSecret',
      summary: 'Make a new secret',
      description: 'The new secret signs from now on, the old one no longer.',
      scopes: ['endpoints:write'],
      params: { id: idParameter },
      answers: { 200: { description: 'The endpoint with its new secret.', schema: endpointSchema } },
      async handle(call) {
        const { organisationId, id } = await readEndpoint(call, call.params.id);
        const { secrets } = await endpoints.rotateSecret(
          { organisationId, idOrUid: id, overlapMs: 0n, secret: undefined },
          call.rpc,
        );
        const endpoint = await readEndpoint(call, id);
        return { status: 200, body: renderEndpoint(endpoint, secrets[0]?.secret ?? null) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/webhook-endpoints/{id}/deliveries',
      operationId: 'preoListDeliveries',
      summary: 'List deliveries for a webhook endpoint',
      scopes: ['endpoints:read', 'deliveries:read'],
      params: { id: idParameter },
      query: deliveryParameters,
      answers: { 200: { description: 'A page of its deliveries.', schema: deliveryPageSchema } },
      async handle(call) {
        const conditions = readListConditions(call.query);
        const page = readPage(call.query);
        const endpoint = await readEndpoint(call, call.params.id);
        if (!fits(endpoint, conditions)) return { status: 200, body: renderPage(call, page, 0, []) };
        const { items, total } = await deliveries.searchDeliveries(
          dispatchV1.SearchDeliveriesRequest.fromPartial({
            organisationIds: [endpoint.organisationId],
            endpointIds: [endpoint.id],
            states: conditions.status === null ? [] : statesOf(conditions.status),
            orderBy: deliveryOrders[conditions.ordering?.by ?? 'created'],
            descending: conditions.ordering?.descending ?? true,
            offset: page.offset,
            limit: page.size,
          }),
          call.rpc,
        );
        const found = await withPayloads(deliveries, items, call.rpc);
        return { status: 200, body: renderPage(call, page, Number(total), found.map(renderDelivery)) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/webhook-endpoints/{id}/deliveries/{delivery_id}',
      operationId: 'preoGetDelivery',
      summary: 'Retrieve a delivery',
      scopes: ['endpoints:read', 'deliveries:read'],
      params: { id: idParameter, delivery_id: deliveryIdParameter },
      answers: { 200: { description: 'The delivery.', schema: deliverySchema } },
      async handle(call) {
        const { id, delivery_id: deliveryId } = call.params;
        return { status: 200, body: renderDelivery(await readDelivery(call, id, deliveryId)) };
      },
    }),
    defineDialectRoute({
      method: 'post',
      path: '/webhook-endpoints/{id}/deliveries/{delivery_id}/retry',
      operationId: 'preoRetryDelivery',
      summary: 'Retry a delivery',
      description: 'Only one that failed or is exhausted; also while the endpoint is not active.',
      scopes: ['endpoints:read', 'deliveries:write'],
      params: { id: idParameter, delivery_id: deliveryIdParameter },
      answers: { 200: { description: 'The delivery, which is attempted now.', schema: deliverySchema } },
      async handle(call) {
        const { id, delivery_id: deliveryId } = call.params;
        const item = await readDelivery(call, id, deliveryId);
        const { status } = renderDelivery(item);
        if (status !== 'failed' && status !== 'exhausted') {
          throw new Refusal({ status: 400, body: { detail: 'Only failed deliveries can be retried.' } });
        }
        const { organisationId } = found(item.delivery);
        const { delivery } = await deliveries.retryDelivery({ organisationId, id: deliveryId }, call.rpc);
        return { status: 200, body: renderDelivery({ ...item, delivery: found(delivery) }) };
      },
    }),
  ];
}

const endpointOrders = {
  created: EndpointOrder.ENDPOINT_ORDER_CREATED,
  modified: EndpointOrder.ENDPOINT_ORDER_MODIFIED,
  name: EndpointOrder.ENDPOINT_ORDER_NAME,
} as const satisfies Record<NonNullable<ListConditions['ordering']>['by'], configV1.EndpointOrder>;

/** A delivery's name is its event. */
const deliveryOrders = {
  created: DeliveryOrder.DELIVERY_ORDER_CREATED,
  modified: DeliveryOrder.DELIVERY_ORDER_MODIFIED,
  name: DeliveryOrder.DELIVERY_ORDER_EVENT_TYPE,
} as const satisfies Record<NonNullable<ListConditions['ordering']>['by'], dispatchV1.DeliveryOrder>;

function unknownId(): DomainError {
  return new DomainError('not_found', 'There is no such thing.');
}

/** The organisation of a new endpoint. One that the key doesn't own is refused as one that isn't there. */
async function ownedOrganisation({ organisationOf }: DialectCall, id: string): Promise<string> {
  try {
    return await organisationOf(id);
  } catch (error) {
    const failure = DomainError.from(error);
    throw failure.code === 'not_found' ? unknownOrganisation(id) : failure;
  }
}

/** Whose endpoints a list is of: the key's own, or all of them for operators, or the one that was asked for. */
function organisationsOf(
  { organisationId }: DialectCall,
  { organizationId: wanted }: EndpointConditions,
): { readonly organisationIds: readonly string[]; readonly isEmpty: boolean } {
  if (organisationId === null)
    return { organisationIds: wanted === undefined ? [] : [wanted], isEmpty: false };
  return { organisationIds: [organisationId], isEmpty: wanted !== undefined && wanted !== organisationId };
}

function statesOfActivity(isActive: boolean): configV1.EndpointState[] {
  return isActive
    ? [EndpointState.ENDPOINT_STATE_ENABLED]
    : [EndpointState.ENDPOINT_STATE_PAUSED, EndpointState.ENDPOINT_STATE_DISABLED];
}

function fits(
  endpoint: configV1.Endpoint,
  { editionId, isActive, organizationId }: EndpointConditions,
): boolean {
  return (
    (editionId === undefined || endpoint.editionId === editionId) &&
    (isActive === undefined || statesOfActivity(isActive).includes(endpoint.state)) &&
    (organizationId === undefined || endpoint.organisationId === organizationId)
  );
}

function messageOf(fields: EndpointFields, organisationId: string): configV1.Endpoint {
  const { name, url, events, editionId, isActive, timeoutSeconds } = fields;
  return configV1.Endpoint.fromPartial({
    organisationId,
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url }),
    ...(events !== undefined && { eventTypes: { values: [...events] } }),
    ...(typeof editionId === 'string' && { editionId }),
    ...(isActive !== undefined && {
      state: isActive ? EndpointState.ENDPOINT_STATE_ENABLED : EndpointState.ENDPOINT_STATE_DISABLED,
    }),
    ...(timeoutSeconds !== undefined && { timeoutMs: timeoutSeconds * 1000 }),
  });
}

function maskOf({ name, url, events, editionId, isActive, timeoutSeconds }: EndpointFields): string[] {
  return [
    ...(name === undefined ? [] : ['name']),
    ...(url === undefined ? [] : ['url']),
    ...(events === undefined ? [] : ['event_types']),
    ...(editionId === undefined ? [] : ['edition_id']),
    ...(isActive === undefined ? [] : ['state']),
    ...(timeoutSeconds === undefined ? [] : ['timeout_ms']),
  ];
}

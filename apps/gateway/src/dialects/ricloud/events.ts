/** What went to webhook configs: deliveries to endpoints of the dialect ricloud, each shown as its event. */
import {
  configV1,
  deliveryFromMessage,
  dialectTable,
  dispatchV1,
  eventFromMessage,
} from '@posthorn/contracts';
import { DomainError, isId } from '@posthorn/models';
import type { GatewayClients } from '../../clients.ts';
import type { DialectCall } from '../dialect.ts';
import { organisationIdsOf } from '../find-endpoint.ts';
import { withPayloads } from '../with-payloads.ts';
import { parsePage } from './paging.ts';
import { eventText, listText } from './render.ts';

export interface EventDeps {
  readonly clients: Pick<GatewayClients, 'endpoints' | 'deliveries'>;
}

/** As many as one search answers with: an organisation has a few configs, of which one gets each event. */
const maxConfigs = 1_000;

/** The list as JSON text, newest first; `after_id` and `before_id` are ids of events. */
export async function listEvents(deps: EventDeps, call: DialectCall): Promise<string> {
  const { limit, afterId, beforeId } = parsePage(call.query);
  const endpointIds = await configIdsOf(deps, call);
  const url = call.path;
  // No configs, no events; a search without them would be one for all deliveries.
  if (endpointIds.length === 0) return listText([], { hasMore: false, total: 0n, url });

  const cursor = afterId ?? beforeId;
  const delivery = cursor === undefined ? undefined : await deliveryOf(deps, cursor, endpointIds, call);
  // An event that isn't in the list has nothing behind it or in front of it, as an unknown delivery hasn't.
  const cursorId = delivery?.delivery?.id ?? cursor ?? '';
  const found = await deps.clients.deliveries.searchDeliveries(
    dispatchV1.SearchDeliveriesRequest.fromPartial({
      organisationIds: organisationIdsOf(call),
      endpointIds,
      descending: true,
      limit,
      ...(afterId !== undefined && { afterId: cursorId }),
      ...(beforeId !== undefined && { beforeId: cursorId }),
    }),
    call.rpc,
  );
  const items = await withPayloads(deps.clients.deliveries, found.items, call.rpc);
  return listText(items.map(textOf), { hasMore: found.hasMore, total: found.total, url });
}

/** One event as JSON text; `not_found` for anything that no config got. */
export async function readEvent(deps: EventDeps, id: string, call: DialectCall): Promise<string> {
  const endpointIds = isId(id) ? await configIdsOf(deps, call) : [];
  const found = endpointIds.length === 0 ? undefined : await deliveryOf(deps, id, endpointIds, call);
  if (found === undefined) throw new DomainError('not_found', 'There is no such event.');
  return textOf(found);
}

async function configIdsOf({ clients }: EventDeps, call: DialectCall): Promise<string[]> {
  const { endpoints } = await clients.endpoints.searchEndpoints(
    configV1.SearchEndpointsRequest.fromPartial({
      organisationIds: organisationIdsOf(call),
      dialect: dialectTable.toMessage('ricloud'),
      descending: true,
      limit: maxConfigs,
    }),
    call.rpc,
  );
  return endpoints.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [endpoint.id]));
}

/** The delivery of an event to the config that gets it. */
async function deliveryOf(
  { clients }: EventDeps,
  eventId: string,
  endpointIds: string[],
  call: DialectCall,
): Promise<dispatchV1.FoundDelivery | undefined> {
  const { items } = await clients.deliveries.searchDeliveries(
    dispatchV1.SearchDeliveriesRequest.fromPartial({
      organisationIds: organisationIdsOf(call),
      endpointIds,
      eventId,
      limit: 1,
      includeEvent: true,
    }),
    call.rpc,
  );
  return items[0];
}

function textOf({ delivery, event }: dispatchV1.FoundDelivery): string {
  if (delivery === undefined) throw new DomainError('internal', 'A delivery is missing in an answer.');
  return eventText(deliveryFromMessage(delivery), event === undefined ? null : eventFromMessage(event));
}

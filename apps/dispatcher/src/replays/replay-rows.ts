/**
 * What a replay walks over, cut into pages. Ids tell the order of events from one millisecond to the next, not within one; so to an
 * endpoint that wants order no page ends within a millisecond: what it makes due stands in its keys' order whichever comes first.
 */
import { idCeiling, idTimeMs, type Endpoint } from '@posthorn/models';
import { wantsOrder } from '../lanes/endpoint-order.ts';
import type { DeliveryWalk, EventSlice, EventWalk, ReplayableDelivery, ReplayStore } from './replay-store.ts';

/** The next rows of an endpoint, as many as the limit and what belongs to the last one's page; fewer than the limit at the end. */
export async function readRows(
  replays: Pick<ReplayStore, 'walkDeliveries'>,
  endpoint: Endpoint,
  walk: Omit<DeliveryWalk, 'endpointId'>,
): Promise<readonly ReplayableDelivery[]> {
  const endpointId = endpoint.id;
  const rows = [...(await replays.walkDeliveries({ ...walk, endpointId }))];
  if (!wantsOrder(endpoint)) return rows;
  for (let read = rows.length; read === walk.limit;) {
    const after = rows.at(-1)?.delivery.id ?? walk.after;
    const to = idCeiling(idTimeMs(after));
    const rest = await replays.walkDeliveries({ ...walk, endpointId, after, to });
    rows.push(...rest);
    read = rest.length;
  }
  return rows;
}

/** The next events, as many as the limit; to an endpoint that wants order, in that, and with what belongs to the last one's page. */
export async function readEvents(
  replays: Pick<ReplayStore, 'walkEvents'>,
  endpoint: Endpoint,
  walk: EventWalk,
): Promise<EventSlice> {
  const slice = await replays.walkEvents(walk);
  if (!wantsOrder(endpoint)) return slice;
  const events = [...slice.events];
  let { next } = slice;
  while (next !== null) {
    const more = await replays.walkEvents({ ...walk, after: next });
    const [last, first] = [events.at(-1), more.events[0]];
    if (last?.event.acceptedAt.getTime() !== first?.event.acceptedAt.getTime()) break;
    events.push(...more.events);
    next = more.next;
  }
  return { events: events.sort((a, b) => a.position - b.position), next };
}

/** Whether a page may end between these two deliveries to the endpoint. */
export function mayEndBetween(endpoint: Endpoint, id: string, next: string): boolean {
  return !wantsOrder(endpoint) || idTimeMs(id) !== idTimeMs(next);
}

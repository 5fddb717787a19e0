import { createDeliveryIds, type Delivery, type Event, type SigningEndpoint } from '@posthorn/models';
import type { DeliveryOrder } from './deliveries/delivery-store.ts';
import type { OrganisationView } from './directory.ts';
import { wantsOrder } from './lanes/endpoint-order.ts';

/**
 * Step 3: it is planned. Pure: an event and the organisation's endpoints in, one delivery for each endpoint that wants it
 * out. The ids are deterministic, so planning an event again makes the same deliveries and creates nothing new.
 */
export function planDeliveries(event: Event, view: OrganisationView, now: Date): readonly Delivery[] {
  const matched = view.matcher.match(event, () => JSON.parse(decoder.decode(event.payload)) as unknown);
  if (matched.length === 0) return [];
  const idFor = createDeliveryIds({
    acceptedAt: event.acceptedAt,
    organisationId: event.organisationId,
    eventId: event.id,
  });
  return matched.map(({ endpoint }) => newDelivery(event, endpoint.id, idFor(endpoint.id), now));
}

/** What its delivery to an endpoint waits under; null when it waits for nobody. */
export function orderOf(
  { orderingKey }: Pick<Event, 'orderingKey'>,
  position: number,
  signing: SigningEndpoint | undefined,
): DeliveryOrder | null {
  return orderingKey !== null && wantsOrder(signing?.endpoint) ? { key: orderingKey, position } : null;
}

const decoder = new TextDecoder();

export function newDelivery(event: Event, endpointId: string, id: string, now: Date): Delivery {
  return {
    id,
    organisationId: event.organisationId,
    eventId: event.id,
    eventType: event.type,
    endpointId,
    state: 'pending',
    reason: null,
    attempts: 0,
    nextAttemptAt: null,
    trigger: 'schedule',
    createdAt: now,
    finishedAt: null,
  };
}

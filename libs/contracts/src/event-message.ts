import type { Event } from '@posthorn/models';
import type * as dispatchV1 from './gen/posthorn/dispatch/v1/dispatch.ts';
import type * as ingestV1 from './gen/posthorn/ingest/v1/ingest.ts';
import { required } from './required.ts';

/** The event as a message; the payload's bytes are shared, not copied. */
export function eventToMessage(event: Event): dispatchV1.Event {
  return {
    id: event.id,
    organisationId: event.organisationId,
    type: event.type,
    data: event.payload,
    labels: { ...event.labels },
    subject: event.subject ?? undefined,
    idempotencyKey: event.idempotencyKey ?? undefined,
    orderingKey: event.orderingKey ?? undefined,
    routesTo: event.routesTo ?? undefined,
    traceparent: event.traceparent ?? undefined,
    deliverAt: event.deliverAt ?? undefined,
    occurredAt: event.occurredAt,
    acceptedAt: event.acceptedAt,
  };
}

/** The event of a message that shows a stored one. Throws `invalid_argument` when a time is missing. */
export function eventFromMessage(message: dispatchV1.Event): Event {
  return {
    id: message.id,
    organisationId: message.organisationId,
    type: message.type,
    payload: message.data,
    labels: { ...message.labels },
    subject: message.subject ?? null,
    idempotencyKey: message.idempotencyKey ?? null,
    orderingKey: message.orderingKey ?? null,
    routesTo: message.routesTo ?? null,
    traceparent: message.traceparent ?? null,
    deliverAt: message.deliverAt ?? null,
    occurredAt: required(message.occurredAt, '/occurredAt'),
    acceptedAt: required(message.acceptedAt, '/acceptedAt'),
  };
}

/** What the accept path decides of an event. */
export type Acceptance = Pick<Event, 'id' | 'organisationId' | 'acceptedAt'>;

/** The event that a publish becomes once it is accepted. */
export function eventFromNewEvent(message: ingestV1.NewEvent, acceptance: Acceptance): Event {
  return {
    id: acceptance.id,
    organisationId: acceptance.organisationId,
    type: message.type,
    payload: message.data,
    labels: message.labels,
    subject: message.subject ?? null,
    idempotencyKey: message.idempotencyKey ?? null,
    orderingKey: message.orderingKey ?? null,
    routesTo: message.routesTo ?? null,
    traceparent: message.traceparent ?? null,
    deliverAt: message.deliverAt ?? null,
    occurredAt: message.occurredAt ?? acceptance.acceptedAt,
    acceptedAt: acceptance.acceptedAt,
  };
}

/** An event as a publish under its own id, for example by a service that publishes an operational event. */
export function eventToNewEvent(event: Omit<Event, 'acceptedAt'>): ingestV1.NewEvent {
  return {
    id: event.id,
    organisationId: event.organisationId,
    type: event.type,
    data: event.payload,
    labels: { ...event.labels },
    subject: event.subject ?? undefined,
    idempotencyKey: event.idempotencyKey ?? undefined,
    orderingKey: event.orderingKey ?? undefined,
    routesTo: event.routesTo ?? undefined,
    traceparent: event.traceparent ?? undefined,
    deliverAt: event.deliverAt ?? undefined,
    occurredAt: event.occurredAt,
    idFromProducer: false,
  };
}

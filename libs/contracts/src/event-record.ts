import type { Event } from '@posthorn/models';
import * as logV1 from './gen/posthorn/log/v1/record.ts';

/** The event as bytes for a log that keeps it. */
export function eventToRecord(event: Event): Uint8Array {
  return logV1.EventRecord.encode({
    id: event.id,
    organisationId: event.organisationId,
    type: event.type,
    data: event.payload,
    labels: event.labels,
    subject: event.subject ?? undefined,
    idempotencyKey: event.idempotencyKey ?? undefined,
    occurredAt: event.occurredAt,
    acceptedAt: event.acceptedAt,
    orderingKey: event.orderingKey ?? undefined,
    routesTo: event.routesTo ?? undefined,
    traceparent: event.traceparent ?? undefined,
    deliverAt: event.deliverAt ?? undefined,
  }).finish();
}

/**
 * The event of such bytes; its payload is a copy, so that it doesn't keep alive what the bytes are a part of.
 * Throws when they hold no event of ours.
 */
export function eventFromRecord(bytes: Uint8Array): Event {
  const record = logV1.EventRecord.decode(bytes);
  const { id, organisationId, type, occurredAt, acceptedAt } = record;
  if (id === '' || organisationId === '' || type === '')
    throw new Error('id, organisation or type is missing');
  return {
    id,
    organisationId,
    type,
    payload: new Uint8Array(record.data),
    labels: record.labels,
    subject: record.subject ?? null,
    idempotencyKey: record.idempotencyKey ?? null,
    orderingKey: record.orderingKey ?? null,
    routesTo: record.routesTo ?? null,
    traceparent: record.traceparent ?? null,
    deliverAt: record.deliverAt ?? null,
    occurredAt: time(occurredAt, 'occurred_at'),
    acceptedAt: time(acceptedAt, 'accepted_at'),
  };
}

function time(value: Date | undefined, field: string): Date {
  if (value === undefined || Number.isNaN(value.getTime())) throw new Error(`${field} is missing or no time`);
  return value;
}

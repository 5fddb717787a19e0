import {
  attemptIdOf,
  deliveryIdOf,
  plainEvent,
  type Attempt,
  type AttemptOutcome,
  type Delivery,
  type Event,
} from '@posthorn/models';
import type { DeliveryRecord } from './delivery-store.ts';

/** Resources for tests: valid, told apart by a number; what a test is about it says itself. */

const start = Date.UTC(2026, 0, 1);
const sampleId = (number: number): string => `01900000-0000-4000-8000-${String(number).padStart(12, '0')}`;
export const sampleTime = (number: number): Date => new Date(start + number * 1000);

export function sampleEvent(number: number, over: Partial<Event> = {}): Event {
  return plainEvent({
    id: sampleId(number),
    organisationId: 'org',
    type: 'order.paid',
    payload: Buffer.from(`{"n":${number}}`),
    acceptedAt: sampleTime(number),
    ...over,
  });
}

export function sampleDelivery(
  event: Event,
  endpointId = 'endpoint',
  over: Partial<Delivery> = {},
): Delivery {
  const { organisationId, acceptedAt } = event;
  return {
    id: deliveryIdOf({ acceptedAt, organisationId, eventId: event.id, endpointId }),
    organisationId,
    eventId: event.id,
    eventType: event.type,
    endpointId,
    state: 'pending',
    reason: null,
    attempts: 0,
    nextAttemptAt: null,
    trigger: 'schedule',
    createdAt: acceptedAt,
    finishedAt: null,
    ...over,
  };
}

export function succeeded(delivery: Delivery): Delivery {
  return { ...delivery, state: 'succeeded', attempts: delivery.attempts + 1, finishedAt: delivery.createdAt };
}

export function sampleAttempt(delivery: Delivery, number = 1, over: Partial<Attempt> = {}): Attempt {
  const outcome: AttemptOutcome = 'success';
  return {
    id: attemptIdOf(delivery.id, number),
    organisationId: delivery.organisationId,
    deliveryId: delivery.id,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    endpointId: delivery.endpointId,
    number,
    trigger: 'schedule',
    startedAt: delivery.createdAt,
    durationMs: 12,
    outcome,
    status: 200,
    error: null,
    response: { headers: { 'content-type': 'text/plain' }, body: 'thanks', truncated: false },
    address: '192.0.2.1',
    signature: 'v1,c2lnbmF0dXJl',
    ...over,
  };
}

export type Insert = Extract<DeliveryRecord, { kind: 'insert' }>;
type Update = Extract<DeliveryRecord, { kind: 'update' }>;

/** A delivery that goes on record for the first time. */
export function sampleInsert(over: Pick<Insert, 'delivery'> & Partial<Insert>): Insert {
  return { kind: 'insert', partition: 0, epoch: 1, order: null, claim: null, attempt: null, ...over };
}

/** What became of a delivery that was claimed. */
export function sampleUpdate(over: Pick<Update, 'delivery' | 'expectedClaim'> & Partial<Update>): Update {
  return { kind: 'update', order: null, claim: null, attempt: null, ...over };
}

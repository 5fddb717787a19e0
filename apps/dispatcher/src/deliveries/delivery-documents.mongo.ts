import { attemptIdOf, type Attempt, type Delivery } from '@posthorn/models';
import type { IndexDefinition, MongoCollection, MongoDocument } from '@posthorn/mongo';
import type { DeliveryOrder, DeliveryRecord } from './delivery-store.ts';
import { expiring, expiryIndex, type Expiring, type Expiry } from '../retention/expiry.ts';
import { verifyEventType } from '../envelope/xurrent.ts';
import type { EventDocument } from '../events/event-store.mongo.ts';
import type { LeaseDocument } from '../ownership/lease-store.mongo.ts';
import { nameOf } from '../mongo-names.ts';

/**
 * A delivery as it lies in MongoDB. What only those have that wait is absent from the others, because that is what the
 * partial indexes go by: a delivery that ends at once is in the index of names and in the one of its endpoint, no other.
 */
export interface DeliveryDocument extends MongoDocument, Expiring, Omit<Delivery, 'nextAttemptAt'> {
  readonly partition: number;
  readonly epoch: number;
  readonly nextAttemptAt?: Date;
  readonly claim?: string;
  readonly orderKey?: string;
  readonly position?: number;
  /** Put here by another than the partition's owner, who hasn't been told of it. */
  readonly arrived?: true;
  /** HTTP status of the last attempt, and when it ended. */
  readonly lastStatus?: number | null;
  readonly attemptEndedAt?: Date;
}

const isThere = { $exists: true } as const;

/** For finding what waits and what is claimed; the names are used as hints. */
export const deliveryIndexes: readonly IndexDefinition[] = [
  { name: 'by_endpoint', key: { endpointId: 1, _id: 1 } },
  {
    name: 'waiting',
    key: { partition: 1, endpointId: 1, nextAttemptAt: 1 },
    partialFilterExpression: { nextAttemptAt: isThere },
  },
  {
    name: 'verifying',
    key: { eventType: 1, partition: 1, endpointId: 1, nextAttemptAt: 1 },
    partialFilterExpression: { eventType: verifyEventType },
  },
  { name: 'arrived', key: { partition: 1 }, partialFilterExpression: { arrived: true } },
  { name: 'claimed', key: { partition: 1, claim: 1 }, partialFilterExpression: { claim: isThere } },
  {
    name: 'held',
    key: { organisationId: 1, _id: 1 },
    partialFilterExpression: { state: 'held' },
  },
  {
    name: 'in_order',
    key: { partition: 1, endpointId: 1, orderKey: 1, position: 1 },
    partialFilterExpression: { orderKey: isThere },
  },
  expiryIndex,
];

export interface AttemptDocument extends MongoDocument, Expiring, Omit<Attempt, 'id' | 'response'> {
  /** Headers as JSON text: what receivers call them are no names of fields. */
  readonly response: { readonly headers: string; readonly body: string; readonly truncated: boolean } | null;
}

export const attemptIndexes: readonly IndexDefinition[] = [
  { name: 'by_endpoint', key: { organisationId: 1, endpointId: 1, startedAt: -1, _id: -1 } },
  { name: 'by_time', key: { organisationId: 1, startedAt: -1, _id: -1 } },
  expiryIndex,
];

/** What the dispatcher's stores share. */
export interface DeliveryCollections {
  readonly deliveries: MongoCollection<DeliveryDocument>;
  readonly attempts: MongoCollection<AttemptDocument>;
  readonly events: MongoCollection<EventDocument>;
  readonly leases: MongoCollection<LeaseDocument>;
  readonly expiry: Expiry;
}

export type Inserted = Pick<
  Extract<DeliveryRecord, { kind: 'insert' }>,
  'delivery' | 'partition' | 'epoch' | 'order' | 'claim' | 'attempt'
>;

export function deliveryName({ organisationId, id }: Pick<Delivery, 'organisationId' | 'id'>): string {
  return nameOf(organisationId, id);
}

export function toDeliveryDocument(
  { delivery, partition, epoch, order, claim, attempt }: Inserted,
  expiry: Expiry,
): DeliveryDocument {
  const { nextAttemptAt, ...fields } = delivery;
  return {
    _id: deliveryName(delivery),
    ...fields,
    partition,
    epoch,
    ...(nextAttemptAt !== null && { nextAttemptAt }),
    ...(claim !== null && { claim }),
    ...(order !== null && { orderKey: order.key, position: order.position }),
    ...(epoch === 0 && claim === null && { arrived: true }),
    ...attemptMarks(attempt),
    ...expiring(expiry.deliveryUntil(delivery.organisationId, delivery.id)),
  };
}

/** What a delivery keeps of its last attempt. */
export function attemptMarks(
  attempt: Attempt | null,
): Pick<DeliveryDocument, 'lastStatus' | 'attemptEndedAt'> {
  if (attempt === null) return {};
  const { status, startedAt, durationMs } = attempt;
  return { lastStatus: status, attemptEndedAt: new Date(startedAt.getTime() + durationMs) };
}

export function toDelivery(found: DeliveryDocument): Delivery {
  return {
    id: found.id,
    organisationId: found.organisationId,
    eventId: found.eventId,
    eventType: found.eventType,
    endpointId: found.endpointId,
    state: found.state,
    reason: found.reason,
    attempts: found.attempts,
    nextAttemptAt: found.nextAttemptAt ?? null,
    trigger: found.trigger,
    createdAt: found.createdAt,
    finishedAt: found.finishedAt,
  };
}

export function orderOf({ orderKey, position = 0 }: DeliveryDocument): DeliveryOrder | null {
  return orderKey === undefined ? null : { key: orderKey, position };
}

/** Attempts are named after their delivery, in the order of their numbers. */
export function attemptName(deliveryName: string, number: number): string {
  return `${deliveryName}/${String(number).padStart(6, '0')}`;
}

export function toAttemptDocument({ id: _, response, ...attempt }: Attempt, expiry: Expiry): AttemptDocument {
  return {
    _id: attemptName(nameOf(attempt.organisationId, attempt.deliveryId), attempt.number),
    ...attempt,
    response: response && { ...response, headers: JSON.stringify(response.headers) },
    ...expiring(expiry.deliveryUntil(attempt.organisationId, attempt.deliveryId)),
  };
}

export function toAttempt({ _id, expiresAt: _expiresAt, response, ...attempt }: AttemptDocument): Attempt {
  return {
    ...attempt,
    id: attemptIdOf(attempt.deliveryId, attempt.number),
    response: response && {
      ...response,
      headers: JSON.parse(response.headers) as Readonly<Record<string, string>>,
    },
  };
}

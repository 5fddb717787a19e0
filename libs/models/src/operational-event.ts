import type { Attempt } from './deliveries/attempt.ts';
import type { Delivery } from './deliveries/delivery.ts';
import type { Endpoint } from './endpoints/endpoint.ts';
import { derivedId } from './ids.ts';

/**
 * Operational events: what Posthorn tells an organisation of its own endpoints and deliveries, through the same pipeline as everything
 * else, to the endpoints that name these types. Their ids are a hash of what happened, so that whoever tells of it again, after a crash
 * or from another process, tells the same event. There is no URL and no header in them: owners put secrets there, and the receiver may
 * be somebody else's.
 */
export interface OperationalEvent {
  readonly id: string;
  readonly organisationId: string;
  readonly type: OperationalEventType;
  /** The payload, to be written as JSON. */
  readonly data: object;
  readonly occurredAt: Date;
}

export const operationalEventTypes = [
  'posthorn.endpoint.created',
  'posthorn.endpoint.updated',
  'posthorn.endpoint.deleted',
  'posthorn.endpoint.disabled',
  'posthorn.endpoint.failing',
  'posthorn.endpoint.recovered',
  'posthorn.delivery.exhausted',
] as const;
export type OperationalEventType = (typeof operationalEventTypes)[number];

/** Who did it: somebody with a key, or one of our services by its rules. */
export type OperationalActor = 'owner' | 'posthorn';

/** Something was done to an endpoint. `writes` counts every write of it, so that no two things that were done have the same. */
export function endpointEvent(happened: {
  readonly type: Extract<
    OperationalEventType,
    `posthorn.endpoint.${'created' | 'updated' | 'deleted' | 'disabled'}`
  >;
  /** As it is afterwards, or was before it was deleted. */
  readonly endpoint: Endpoint;
  readonly writes: number;
  readonly by: OperationalActor;
  readonly at: Date;
}): OperationalEvent {
  const { type, endpoint, writes, by, at } = happened;
  return {
    id: derivedId(at, [type, endpoint.id, String(writes)]),
    organisationId: endpoint.organisationId,
    type,
    data: { endpoint: describe(endpoint), by },
    occurredAt: at,
  };
}

/**
 * An endpoint fails, as its last five attempts show. That happens once between two successes: the id is that of the trouble, which has
 * begun with the first of these attempts.
 */
export function failingEvent(happened: {
  readonly endpoint: Endpoint;
  readonly failingSince: Date;
  readonly lastAttempt: Attempt;
}): OperationalEvent {
  const { endpoint, failingSince, lastAttempt } = happened;
  const type = 'posthorn.endpoint.failing';
  const { outcome, status, startedAt } = lastAttempt;
  return {
    id: derivedId(failingSince, [type, endpoint.id]),
    organisationId: endpoint.organisationId,
    type,
    data: { endpoint: describe(endpoint), failingSince, lastAttempt: { outcome, status, startedAt } },
    occurredAt: startedAt,
  };
}

/** An endpoint that was told of as failing has answered with success. */
export function recoveredEvent(happened: {
  readonly endpoint: Endpoint;
  readonly failingSince: Date;
  readonly at: Date;
}): OperationalEvent {
  const { endpoint, failingSince, at } = happened;
  const type = 'posthorn.endpoint.recovered';
  return {
    id: derivedId(at, [type, endpoint.id, String(failingSince.getTime())]),
    organisationId: endpoint.organisationId,
    type,
    data: { endpoint: describe(endpoint), failingSince, recoveredAt: at },
    occurredAt: at,
  };
}

/** A delivery has ended without success, and no attempt is ahead of it. That happens to a delivery once. */
export function exhaustedEvent(happened: {
  readonly delivery: Delivery;
  readonly attempt: Attempt;
  readonly endpoint: Endpoint;
}): OperationalEvent {
  const { delivery, attempt, endpoint } = happened;
  const type = 'posthorn.delivery.exhausted';
  const at = delivery.finishedAt ?? attempt.startedAt;
  const { id, eventId, eventType, attempts, reason, createdAt, finishedAt } = delivery;
  const { outcome, status, startedAt } = attempt;
  return {
    id: derivedId(at, [type, id]),
    organisationId: delivery.organisationId,
    type,
    data: {
      delivery: { id, eventId, eventType, attempts, reason, createdAt, finishedAt },
      lastAttempt: { outcome, status, startedAt },
      endpoint: describe(endpoint),
    },
    occurredAt: at,
  };
}

function describe(endpoint: Endpoint): object {
  const { id, uid, name, dialect, state, stateReason, version } = endpoint;
  return { id, uid, name, dialect, state, stateReason, version };
}

import type { Attempt } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
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
  'posthorn.delivery.exhausted',
] as const;
export type OperationalEventType = (typeof operationalEventTypes)[number];

/** Who did it: somebody with a key, or one of our services by its rules. */
export type OperationalActor = 'owner' | 'posthorn';

/** Something was done to an endpoint. `writes` counts every write of it, so that no two things that were done have the same. */
export function endpointEvent(happened: {
  readonly type: Exclude<OperationalEventType, 'posthorn.delivery.exhausted'>;
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

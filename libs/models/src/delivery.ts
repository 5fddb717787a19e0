import type { AttemptOutcome, AttemptTrigger } from './attempt.ts';

/**
 * One event for one endpoint. `pending` until the first attempt has ended, `retrying` between failures, then one of the
 * final states; `held` waits for its endpoint and can be retried or replayed. `nextState` is the only way from one to another.
 */
export interface Delivery {
  /** Deterministic for (event, endpoint); begins with the event's time. */
  readonly id: string;
  readonly organisationId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  readonly state: DeliveryState;
  /** Why it is in this state, where that isn't obvious. */
  readonly reason: string | null;
  /** How many attempts have ended. */
  readonly attempts: number;
  /** When the next attempt is due; null when none is. */
  readonly nextAttemptAt: Date | null;
  /** What the next attempt is for. */
  readonly trigger: AttemptTrigger;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export const deliveryStates = [
  'pending',
  'retrying',
  'succeeded',
  'exhausted',
  'failed',
  'held',
  'cancelled',
] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** What an attempt came to, as far as the delivery's fate depends on it. */
export interface Outcome {
  readonly kind: AttemptOutcome;
  readonly status: number | null;
  /** The receiver's Retry-After, already bounded; null when absent. */
  readonly retryAfterMs: number | null;
}

import type { AttemptOutcome, AttemptTrigger } from './attempt.ts';
import { dialectRules, type DialectRules } from '../dialect.ts';
import { maxRetryAfterMs } from './retry-after.ts';
import { jitteredDelayMs } from './retry-schedule.ts';

/**
 * One event for one endpoint. `pending` until the first attempt has ended, `retrying` between failures, then one of the final states;
 * `held` waits for its endpoint and can be retried or replayed. After an attempt, `nextState` is the only way from one to another.
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

/** A delivery in this state has ended: only an attempt that someone asked for (a retry, a replay) can still change it, to `succeeded`. */
export function isFinal(state: DeliveryState): boolean {
  return state === 'succeeded' || state === 'exhausted' || state === 'failed' || state === 'cancelled';
}

/** A delivery in this state has an attempt ahead of it by its schedule. `held` is neither waiting nor final. */
export function isWaiting(state: DeliveryState): boolean {
  return state === 'pending' || state === 'retrying';
}

/** Why `nextState` left a delivery in the state that it gave it. */
export const deliveryReasons = {
  /** `exhausted`: the schedule has no further attempt. */
  attemptsExhausted: 'attempts_exhausted',
  /** `failed`: the receiver answered 410. */
  gone: 'gone',
  /** `failed`: the address isn't one that deliveries may reach. */
  addressBlocked: 'address_blocked',
  /** `failed`: the name doesn't resolve, where the dialect doesn't wait for it to. */
  nameUnresolved: 'name_unresolved',
  /** `failed`: a test is attempted once. */
  testFailed: 'test_failed',
  /** `cancelled`: it waited, or was held, for longer than payloads are kept. */
  payloadExpired: 'payload_expired',
  /** `cancelled`: its event was erased. */
  erased: 'erased',
  /** `failed`: it had been exhausted, and a retry by hand failed too, where the dialect tells these apart. */
  retryFailed: 'retry_failed',
  /** `held`, or ended: nothing was sent, because the endpoint was disabled. The next attempt takes the reason away. */
  endpointDisabled: 'endpoint_disabled',
} as const;

/** What is known when an attempt has ended. */
export interface Circumstances {
  readonly now: Date;
  /** A random number from 0 up to 1. */
  readonly jitter: number;
  /** The endpoint's schedule: the wait after the first, second, … failed attempt. */
  readonly retryDelaysMs: readonly number[];
  /** What the endpoint's dialect has of its own; the native rules when absent. */
  readonly rules?: Pick<DialectRules, 'jitter' | 'isDnsFailureFinal' | 'isGoneFinal' | 'isFailedRetryFinal'>;
}

/** What an attempt makes of its delivery. */
export interface DeliveryChange extends Pick<
  Delivery,
  'state' | 'reason' | 'attempts' | 'nextAttemptAt' | 'finishedAt' | 'trigger'
> {
  /** Why the endpoint is to be disabled at once; null: it isn't. */
  readonly disableEndpoint: string | null;
}

/**
 * A delivery's fate after an attempt has ended, whatever it was for (`delivery.trigger`). Every attempt counts, and the next one is for
 * the schedule again.
 *
 * Not ended yet (`pending`, `retrying`, `held`): success → `succeeded`; 410 → `failed` and the endpoint is disabled; a blocked address
 * → `failed`; any other failure → `retrying` after the schedule's delay, or `exhausted` when the schedule has ended. Attempts that
 * someone asked for count like any other. With Retry-After on a 429 or 503 the wait is at least that long, a day at most. A `held` one
 * goes on like the others: whether its endpoint takes it now is asked when it is due. A test is attempted once. In some dialects a 410
 * is a failure like any other, and a name that doesn't resolve ends the delivery.
 *
 * Ended (`succeeded`, `exhausted`, `failed`, `cancelled`): an attempt that someone asked for turns it to `succeeded` when it succeeds.
 * Otherwise it stays as it is: a success is never turned back, a retry that fails leaves `failed` failed and `exhausted` exhausted
 * (or makes it `failed`, in a dialect that tells these apart), and what was still under way when the delivery ended (a cancel, another process) doesn't bring it back.
 */
export function nextState(
  delivery: Pick<Delivery, 'state' | 'reason' | 'attempts' | 'finishedAt' | 'trigger'>,
  outcome: Outcome,
  { now, jitter, retryDelaysMs, rules = dialectRules.standard }: Circumstances,
): DeliveryChange {
  const verdict = judge(outcome, rules);
  const attempts = delivery.attempts + 1;
  const disableEndpoint = verdict === 'gone' ? deliveryReasons.gone : null;
  const ended = (state: DeliveryState, reason: string | null, finishedAt = now): DeliveryChange => ({
    state,
    reason,
    attempts,
    nextAttemptAt: null,
    finishedAt,
    trigger: 'schedule',
    disableEndpoint,
  });

  if (isFinal(delivery.state)) {
    const improves =
      verdict === 'success' && delivery.trigger !== 'schedule' && delivery.state !== 'succeeded';
    if (improves) return ended('succeeded', null);
    const finishedAt = delivery.finishedAt ?? now;
    if (rules.isFailedRetryFinal && delivery.state === 'exhausted' && delivery.trigger === 'manual') {
      return ended('failed', deliveryReasons.retryFailed, finishedAt);
    }
    return ended(delivery.state, reasonAfterAttempt(delivery), finishedAt);
  }
  switch (verdict) {
    case 'success':
      return ended('succeeded', null);
    case 'gone':
      return ended('failed', deliveryReasons.gone);
    case 'blocked':
      return ended('failed', deliveryReasons.addressBlocked);
    case 'unresolved':
      return ended('failed', deliveryReasons.nameUnresolved);
    case 'failure': {
      if (delivery.trigger === 'test') return ended('failed', deliveryReasons.testFailed);
      const delayMs = retryDelaysMs[attempts - 1];
      if (delayMs === undefined) return ended('exhausted', deliveryReasons.attemptsExhausted);
      const waitMs = Math.max(jitteredDelayMs(delayMs, jitter, rules.jitter), askedWaitMs(outcome));
      return {
        state: 'retrying',
        reason: null,
        attempts,
        nextAttemptAt: new Date(now.getTime() + waitMs),
        finishedAt: null,
        trigger: 'schedule',
        disableEndpoint,
      };
    }
  }
}

/** Whether the receiver, or what stands before it, shows that it has too much to do, so that its lane should send less at once. */
export function slowsDown(outcome: Outcome): boolean {
  return (
    outcome.kind === 'http_error' &&
    (outcome.status === 429 || outcome.status === 502 || outcome.status === 503 || outcome.status === 504)
  );
}

/** That nothing was sent is no reason any more once something was. */
function reasonAfterAttempt({ state, reason }: Pick<Delivery, 'state' | 'reason'>): string | null {
  if (reason !== deliveryReasons.endpointDisabled) return reason;
  return state === 'exhausted' ? deliveryReasons.attemptsExhausted : null;
}

type Verdict = 'success' | 'gone' | 'blocked' | 'unresolved' | 'failure';

/** Exhaustive by type: a new kind of outcome doesn't compile until its verdict is given here. */
const verdicts = {
  success: 'success',
  http_error: 'failure',
  timeout: 'failure',
  refused: 'failure',
  reset: 'failure',
  dns: 'failure',
  tls: 'failure',
  blocked: 'blocked',
  too_large: 'failure',
  protocol: 'failure',
  internal: 'failure',
} as const satisfies Record<AttemptOutcome, Verdict>;

function judge(
  { kind, status }: Outcome,
  { isGoneFinal, isDnsFailureFinal }: Pick<DialectRules, 'isGoneFinal' | 'isDnsFailureFinal'>,
): Verdict {
  if (isGoneFinal && kind === 'http_error' && status === 410) return 'gone';
  if (isDnsFailureFinal && kind === 'dns') return 'unresolved';
  return verdicts[kind];
}

/** The wait that the receiver asked for, where asking is heeded. */
function askedWaitMs({ kind, status, retryAfterMs }: Outcome): number {
  if (kind !== 'http_error' || (status !== 429 && status !== 503) || retryAfterMs === null) return 0;
  return Math.min(retryAfterMs, maxRetryAfterMs);
}

import type { AttemptOutcome, Outcome } from '@posthorn/models';

/**
 * The breaker of one endpoint, by what this dispatcher has seen of it. Pure: each function answers the breaker as it is afterwards.
 *
 * `closed`: deliveries go out. Five failures in a row open it. `open`: nothing goes out until `probeAt`, and no attempt is spent; what
 * was asked for by hand goes all the same. Then one delivery goes out, and it is `probing`: a failure opens it again, for twice as long;
 * an answer makes it `ramping`, in which the lane's window opens from 1 with every answer. Two failures in a row open it again, for as
 * long as before; after fifteen answers (1, 2, 4 and 8 under way) it is closed. An answer is an answer whenever it comes: one
 * to what was asked for by hand, or was under way already, ends the wait too.
 *
 * Nothing of it is kept: a restart, or another owner of the partition, begins closed, and has its own evidence five attempts later.
 */
export type Breaker =
  | { readonly state: 'closed'; readonly failures: number }
  | {
      readonly state: 'open';
      readonly waitMs: number;
      /** Monotonic milliseconds. */
      readonly probeAt: number;
    }
  | { readonly state: 'probing'; readonly waitMs: number }
  | {
      readonly state: 'ramping';
      readonly waitMs: number;
      readonly failures: number;
      readonly answersLeft: number;
    };

export type BreakerState = Breaker['state'];

/** What an attempt says about its receiver: `nothing` when it isn't the receiver that failed. */
export type Evidence = 'answered' | 'failed' | 'nothing';

export const closedBreaker: Breaker = { state: 'closed', failures: 0 };

const failuresToOpen = 5;
const failuresToOpenAgain = 2;
const answersToClose = 15;
export const firstWaitMs = 5_000;
export const longestWaitMs = 5 * 60_000;
/** Waits are spread over ±20 %, so that endpoints of one receiver aren't probed together. */
const spread = 0.4;

/**
 * Exhaustive by type. Whatever isn't an HTTP answer that we can read has failed: timeouts and refusals, names that don't resolve, TLS
 * that can't be set up. An answer below 500 shows that somebody is there, whatever it says.
 */
const evidence = {
  success: 'answered',
  http_error: 'answered',
  timeout: 'failed',
  refused: 'failed',
  reset: 'failed',
  dns: 'failed',
  tls: 'failed',
  too_large: 'failed',
  protocol: 'failed',
  // Nothing was sent.
  blocked: 'nothing',
  internal: 'nothing',
} as const satisfies Record<AttemptOutcome, Evidence>;

export function evidenceOf({ kind, status }: Pick<Outcome, 'kind' | 'status'>): Evidence {
  return kind === 'http_error' && status !== null && status >= 500 ? 'failed' : evidence[kind];
}

/** Whether a delivery may go out by its schedule. */
export function admits(breaker: Breaker, monotonicNow: number): boolean {
  if (breaker.state === 'open') return monotonicNow >= breaker.probeAt;
  return breaker.state !== 'probing';
}

/** A delivery goes out by its schedule: the probe of an open breaker. */
export function begun(breaker: Breaker): Breaker {
  return breaker.state === 'open' ? { state: 'probing', waitMs: breaker.waitMs } : breaker;
}

/** What is known of an attempt that has ended, and of the moment. */
export interface Conclusion {
  readonly evidence: Evidence;
  readonly isProbe: boolean;
  readonly monotonicNow: number;
  /** A random number from 0 up to 1; asked for only when it is needed. */
  readonly jitter: () => number;
}

/** An attempt has ended. */
export function concluded(breaker: Breaker, conclusion: Conclusion): Breaker {
  switch (conclusion.evidence) {
    case 'answered':
      return answered(breaker);
    case 'failed':
      return failed(breaker, conclusion);
    case 'nothing':
      return breaker.state === 'probing' && conclusion.isProbe ? opened(breaker.waitMs, conclusion) : breaker;
  }
}

function answered(breaker: Breaker): Breaker {
  switch (breaker.state) {
    case 'closed':
      return breaker.failures === 0 ? breaker : closedBreaker;
    case 'open':
    case 'probing':
      return { state: 'ramping', waitMs: breaker.waitMs, failures: 0, answersLeft: answersToClose };
    case 'ramping': {
      const answersLeft = breaker.answersLeft - 1;
      return answersLeft === 0 ? closedBreaker : { ...breaker, failures: 0, answersLeft };
    }
  }
}

function failed(breaker: Breaker, conclusion: Conclusion): Breaker {
  switch (breaker.state) {
    case 'closed': {
      const failures = breaker.failures + 1;
      return failures < failuresToOpen ? { state: 'closed', failures } : opened(firstWaitMs, conclusion);
    }
    case 'open':
      // It was under way already, or asked for by hand.
      return breaker;
    case 'probing':
      return conclusion.isProbe ? opened(Math.min(breaker.waitMs * 2, longestWaitMs), conclusion) : breaker;
    case 'ramping': {
      const failures = breaker.failures + 1;
      return failures < failuresToOpenAgain ? { ...breaker, failures } : opened(breaker.waitMs, conclusion);
    }
  }
}

function opened(waitMs: number, { monotonicNow, jitter }: Conclusion): Breaker {
  const spreadMs = waitMs * (1 - spread / 2 + spread * jitter());
  return { state: 'open', waitMs, probeAt: monotonicNow + spreadMs };
}

/**
 * What leases of partitions and of jobs have in common: how long they last, when another may take one, and how they are kept.
 * Nobody's wall clock counts: each watches by its own monotonic one (ownership.ts says what that guarantees).
 */
import type { Clock } from '@posthorn/runtime';

/** How long a lease lasts that isn't renewed; the same for all dispatchers. */
export const standardTermMs = 10_000;
/** Beyond the term, for clocks that run at different rates. */
const marginShare = 0.1;
const renewalsPerTerm = 5;

/** A lease as it was seen in storage: a change of its owner counts the epoch up, a sign of life the beat. */
export interface SeenLease {
  /** Null: it was given back, or never taken. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

/** Whether someone took, renewed or gave back the lease between two looks at it. */
export function hasMoved(seen: SeenLease, now: SeenLease): boolean {
  return seen.epoch !== now.epoch || seen.beat !== now.beat || seen.owner !== now.owner;
}

/** Whether a candidate may take a lease that it has seen unchanged for so long. */
export function isFree(
  seen: SeenLease,
  { candidate, unchangedMs, termMs }: Readonly<{ candidate: string; unchangedMs: number; termMs: number }>,
): boolean {
  // One of the candidate's own that isn't held: it was taken, and the answer never came.
  return seen.owner === null || seen.owner === candidate || unchangedMs >= termMs * (1 + marginShare);
}

export interface RenewalOptions {
  /** Whether there is something to renew; once there is nothing, the next call of what `createRenewals` answered begins again. */
  readonly isNeeded: () => boolean;
  /** Never rejects. */
  readonly renew: () => Promise<void>;
  readonly clock: Clock;
  readonly termMs: number;
}

/** Renews several times a term, one renewal after the other. To be called whenever a lease was taken; harmless at any other time. */
export function createRenewals({ isNeeded, renew, clock, termMs }: RenewalOptions): () => void {
  let isPlanned = false;

  function renewLater(): void {
    if (isPlanned || !isNeeded()) return;
    isPlanned = true;
    clock
      .setTimeout(() => {
        void renew().finally(() => {
          isPlanned = false;
          renewLater();
        });
      }, termMs / renewalsPerTerm)
      .unref();
  }

  return renewLater;
}

import type { Clock } from '@posthorn/runtime';

/**
 * One limit over everything that an attempt does, in whichever phase it is. The phase under way says how to give up; the one
 * timer for all of them is cheaper than one per phase, and none of them can be forgotten.
 */
export interface Deadline {
  readonly timeoutMs: number;
  readonly isExpired: boolean;
  /** Gives up what is under way; set anew by each phase. Called once at most, never after `clear`. */
  onExpire: () => void;
  clear(): void;
}

/** Starts the clock. */
export function startDeadline(clock: Clock, timeoutMs: number): Deadline {
  let isExpired = false;
  const deadline: Deadline = {
    timeoutMs,
    get isExpired() {
      return isExpired;
    },
    onExpire: doNothing,
    clear() {
      clock.clearTimeout(timer);
      deadline.onExpire = doNothing;
    },
  };
  const timer = clock.setTimeout(() => {
    isExpired = true;
    deadline.onExpire();
  }, timeoutMs);
  return deadline;
}

function doNothing(): void {
  // Between two phases there is nothing to give up; the next one asks `isExpired`.
}

/**
 * Time as a dependency. Whatever waits, expires or is stamped takes a `Clock`, so that tests move time by hand.
 * `now` may jump (NTP, suspended machines): only `monotonic` measures durations.
 */

/** A pending timeout; what it is made of is the clock's business. */
export interface Timer {
  /** Lets the process end although the timer is pending. */
  unref(): unknown;
}

/** Where time comes from. */
export interface Clock {
  /** Milliseconds since the epoch; may jump in either direction. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Calls `fn` once after `ms`; at most 24.8 days, longer waits end early. */
  setTimeout(fn: () => void, ms: number): Timer;
  /** Forgets a timer; one that fired already, or none, is fine. */
  clearTimeout(timer: Timer | undefined): void;
}

/** Node's timers fire at once when asked for more than this. */
const longestTimeoutMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, Math.min(ms, longestTimeoutMs)),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};

/** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clock.clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}

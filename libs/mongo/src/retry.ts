import { sleep, type Clock, type Timer } from '@posthorn/runtime';
import { fromMongoError, isUnavailable, unavailable } from './mongo-error.ts';

/**
 * Tries an operation until it succeeds or its time is up: an election of a new primary, or a database that is being
 * restarted, costs a caller some seconds and no error. An operation may so be carried out more than once, when the
 * answer to the first time was lost; whoever hands one in has made sure that this changes nothing.
 */
export interface RetryOptions {
  readonly clock: Clock;
  /** How long a caller waits at most; what is under way then may still happen. */
  readonly timeoutMs: number;
  /** Told each time that an operation is tried again. */
  readonly onRetry: () => void;
}

const firstPauseMs = 50;
const longestPauseMs = 1000;

/** Rejects with `unavailable` when the time is up, with anything but a "not now" at once. */
export async function withRetries<T>(
  operation: () => Promise<T>,
  { clock, timeoutMs, onRetry }: RetryOptions,
): Promise<T> {
  const end = clock.monotonic() + timeoutMs;
  let lastError: unknown;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      const result = await within(operation(), end - clock.monotonic(), clock);
      if (result !== timeUp) return result;
    } catch (error) {
      if (!isUnavailable(error)) throw fromMongoError(error);
      lastError = error;
    }
    if (clock.monotonic() + pauseMs >= end) {
      throw lastError === undefined
        ? unavailable('The database did not answer in time.')
        : fromMongoError(lastError);
    }
    await sleep(clock, pauseMs);
    onRetry();
  }
}

const timeUp = Symbol('time up');

/** The operation's result, or `timeUp` when that takes longer. */
async function within<T>(operation: Promise<T>, timeoutMs: number, clock: Clock): Promise<T | typeof timeUp> {
  let timer: Timer | undefined;
  const timeout = new Promise<typeof timeUp>((resolve) => {
    timer = clock.setTimeout(() => resolve(timeUp), Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([operation, timeout]);
  } finally {
    clock.clearTimeout(timer);
  }
}

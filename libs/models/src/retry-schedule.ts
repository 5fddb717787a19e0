/** How long a failed delivery waits before it is tried again. */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The default: an attempt at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h: ten attempts in three days. */
export const defaultRetryDelaysMs: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** A delay is spread over ±20 %, so that what failed together isn't tried again together. */
export const retryJitter = 0.2;

/** A delay with its jitter, in whole milliseconds; `jitter` is a random number from 0 up to 1. */
export function jitteredDelayMs(delayMs: number, jitter: number): number {
  return Math.round(delayMs * (1 - retryJitter + 2 * retryJitter * jitter));
}

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

/** How far the usual spread goes to either side. */
export const retryJitter = 0.2;

/** How a delay is spread, so that what failed together isn't tried again together. */
export type JitterKind = 'plus_minus_20_percent' | 'half_to_full';

/** The shortest and the longest wait of each kind, as shares of the delay. */
const jitterRanges = {
  plus_minus_20_percent: { from: 1 - retryJitter, to: 1 + retryJitter },
  half_to_full: { from: 0.5, to: 1 },
} as const satisfies Record<JitterKind, { readonly from: number; readonly to: number }>;

/** A delay with its jitter, in whole milliseconds; `jitter` is a random number from 0 up to 1. */
export function jitteredDelayMs(
  delayMs: number,
  jitter: number,
  kind: JitterKind = 'plus_minus_20_percent',
): number {
  const { from, to } = jitterRanges[kind];
  return Math.round(delayMs * (from + (to - from) * jitter));
}

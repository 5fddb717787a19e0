import type { PublishLimits } from '@posthorn/models';

/** One kind of limit: what is counted, and within which windows of UTC. */
export interface LimitKind {
  readonly field: keyof PublishLimits;
  /** Behind whose limit it is, the name of the policy in answers: `organisation-publishes-per-second`. */
  readonly suffix: string;
  readonly windowMs: number;
  readonly windowName: 'second' | 'day';
  /** Bytes of `data`; events otherwise. */
  readonly countsBytes: boolean;
  /** See `UsageRequest`: five seconds, so that clocks may differ a little; or one day, for what comes at midnight. */
  readonly windowsAhead: number;
  /** Whether what a process took and doesn't use goes back: not where the window is over before anybody could miss it. */
  readonly returns: boolean;
}

const secondMs = 1000;
const dayMs = 24 * 60 * 60 * secondMs;

export const limitKinds: readonly LimitKind[] = [
  {
    field: 'publishesPerSecond',
    suffix: 'publishes-per-second',
    windowMs: secondMs,
    windowName: 'second',
    countsBytes: false,
    windowsAhead: 5,
    returns: false,
  },
  {
    field: 'publishesPerDay',
    suffix: 'publishes-per-day',
    windowMs: dayMs,
    windowName: 'day',
    countsBytes: false,
    windowsAhead: 1,
    returns: true,
  },
  {
    field: 'bytesPerDay',
    suffix: 'bytes-per-day',
    windowMs: dayMs,
    windowName: 'day',
    countsBytes: true,
    windowsAhead: 1,
    returns: true,
  },
];

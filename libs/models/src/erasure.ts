import type { JobState } from './job.ts';

/** What was published, erased for good, as a job with progress; its record stays. */
export interface Erasure {
  readonly id: string;
  readonly organisationId: string;
  readonly state: JobState;
  readonly target: ErasureTarget;
  readonly progress: ErasureProgress;
  /** Why it failed, for people. */
  readonly error: string | null;
  /** The id of the key or person that asked for it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** What is erased. A subject is kept as a keyed hash only: its record would keep what it erases. */
export type ErasureTarget =
  | { readonly kind: 'event'; readonly eventId: string }
  | { readonly kind: 'subject'; readonly subjectHash: string }
  | { readonly kind: 'organisation' };

export const erasureTargets = [
  'event',
  'subject',
  'organisation',
] as const satisfies readonly ErasureTarget['kind'][];

export interface ErasureProgress {
  /** Events that were looked at. */
  readonly examined: number;
  /** Events that were erased. */
  readonly events: number;
  /** Deliveries that still waited and were cancelled; of an organisation, deliveries that were erased. */
  readonly deliveries: number;
  /** What receivers had answered. */
  readonly responses: number;
}

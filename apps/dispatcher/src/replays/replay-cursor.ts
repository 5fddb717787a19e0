import type { Job, JobCounts } from '../jobs/job-store.ts';

/**
 * Where a replay stands. It goes over what was selected twice: counting, then sending. Deliveries are walked endpoint by endpoint, some
 * endpoints side by side, so that one that takes nothing doesn't hold the others up; with `includeUnmatched`, events are walked instead.
 */
export interface ReplayCursor {
  readonly phase: 'count' | 'send';
  /** When sending began, by the wall clock, in milliseconds. */
  readonly sendingSince: number | null;
  /** Of each endpoint that is being walked: the last delivery that was looked at. Whose turn it is comes first. */
  readonly walks: Readonly<Record<string, string>>;
  /** The last endpoint whose walk was begun, in order of id; null when all have been. */
  readonly begun: string | null;
  /** Where the walk over events stands. */
  readonly events: string;
}

export const atBeginning: ReplayCursor = {
  phase: 'count',
  sendingSince: null,
  walks: {},
  begun: '',
  events: '',
};

export function readReplayCursor({ cursor }: Pick<Job, 'cursor'>): ReplayCursor {
  return cursor === '' ? atBeginning : (JSON.parse(cursor) as ReplayCursor);
}

/** Why something isn't sent. */
export type SkipReason =
  'payload_expired' | 'not_planned' | 'in_progress' | 'endpoint_disabled' | 'endpoint_not_ready' | 'test';

/** What one page found and did. */
export interface ReplayTally {
  found: number;
  done: number;
  readonly skipped: Map<SkipReason, number>;
}

export function createTally(): ReplayTally {
  return { found: 0, done: 0, skipped: new Map() };
}

export function skip({ skipped }: ReplayTally, reason: SkipReason): void {
  skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
}

const skippedPrefix = 'skipped:';

/** The counts of a job with those of a page. While counting, `found` is what will be `total`. */
export function addTally(counts: JobCounts, tally: ReplayTally, phase: ReplayCursor['phase']): JobCounts {
  const sum: Record<string, number> = { ...counts };
  const add = (name: string, count: number): void => {
    if (count > 0) sum[name] = (sum[name] ?? 0) + count;
  };
  if (phase === 'count') add('found', tally.found);
  else add('done', tally.done);
  for (const [reason, count] of tally.skipped) add(`${skippedPrefix}${reason}`, count);
  return sum;
}

/** The counts with which sending begins: what was skipped in counting is found again. */
export function countsToSendWith({ found = 0 }: JobCounts): JobCounts {
  return { total: found };
}

export function skippedBecause(counts: JobCounts): Readonly<Record<string, number>> {
  const skips = Object.entries(counts).filter(([name]) => name.startsWith(skippedPrefix));
  return Object.fromEntries(skips.map(([name, count]) => [name.slice(skippedPrefix.length), count]));
}

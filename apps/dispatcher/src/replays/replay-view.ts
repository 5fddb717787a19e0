import type { Replay, ReplayProgress } from '@posthorn/models';
import type { Job } from '../jobs/job-store.ts';
import { readReplayCursor, skippedBecause } from './replay-cursor.ts';
import { readReplaySpec } from './replay-selection.ts';

/** How long it must have been sending for its own speed to tell when it ends. */
const enoughMs = 5000;

/** A replay's job as its owner is shown it. */
export function replayOf(job: Job, now: Date): Replay {
  const { selection, trigger, perSecond, dryRun } = readReplaySpec(job);
  return {
    id: job.id,
    organisationId: job.organisationId,
    state: job.state,
    selection,
    trigger,
    perSecond,
    dryRun,
    progress: progressOf(job, perSecond, now),
    error: job.error,
    createdBy: job.createdBy,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
  };
}

function progressOf(job: Job, perSecond: number | null, now: Date): ReplayProgress {
  const { total, done = 0 } = job.counts;
  if (total === undefined) {
    return { total: null, done, skipped: 0, skippedBecause: {}, remaining: null, estimatedEndAt: null };
  }
  const reasons = skippedBecause(job.counts);
  const skipped = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  // What was found in counting may have gone away by itself since.
  const isThrough = job.state === 'succeeded' && !readReplaySpec(job).dryRun;
  const remaining = isThrough ? 0 : Math.max(0, total - done - skipped);
  return {
    total,
    done,
    skipped,
    skippedBecause: reasons,
    remaining,
    estimatedEndAt: estimate(job, { done, remaining, perSecond, now }),
  };
}

function estimate(
  job: Job,
  {
    done,
    remaining,
    perSecond,
    now,
  }: {
    readonly done: number;
    readonly remaining: number;
    readonly perSecond: number | null;
    readonly now: Date;
  },
): Date | null {
  const { sendingSince } = readReplayCursor(job);
  if (job.finishedAt !== null || sendingSince === null || remaining === 0) return null;
  const tookMs = now.getTime() - sendingSince;
  const isTelling = done > 0 && tookMs >= enoughMs;
  const leftMs = isTelling ? (remaining * tookMs) / done : perSecond && (remaining * 1000) / perSecond;
  return leftMs === null ? null : new Date(now.getTime() + Math.ceil(leftMs));
}

import { newId, type ErasureTarget } from '@posthorn/models';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { Job, JobStore, NewJob } from '../jobs/job-store.ts';
import { readErasureTarget, writeErasureTarget } from './erasure-job.ts';

/** How erasures come to be; what they do is in erasure-job.ts. */
export interface ErasureBeginner {
  newJob(organisationId: string, target: ErasureTarget, createdBy: string): NewJob;
  /** When it resolves, the job is on record. */
  begin(job: NewJob): Promise<Job>;
  /**
   * Sees to it that all of an organisation that is no more is erased, if nobody has asked for that: whoever deleted it may have been cut off
   * before they did.
   */
  beginForGone(organisationId: string, createdBy: string): Promise<void>;
}

/** An organisation's own erasure is its last one, but for what operators ask for later. */
const newestOnes = 50;

export function createErasureBeginner({
  jobs,
  runner,
  clock,
  random,
  logger,
}: {
  readonly jobs: Pick<JobStore, 'insert' | 'list'>;
  readonly runner: Pick<JobRunner, 'look'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}): ErasureBeginner {
  function newJob(organisationId: string, target: ErasureTarget, createdBy: string): NewJob {
    const createdAt = new Date(clock.now());
    return {
      id: newId(createdAt.getTime(), (count) => random.bytes(count)),
      organisationId,
      kind: 'erasure',
      spec: writeErasureTarget(target),
      counts: {},
      createdBy,
      createdAt,
    };
  }

  async function begin(job: NewJob): Promise<Job> {
    const begun = await jobs.insert(job);
    runner.look().catch((error: unknown) => {
      logger.error(
        { err: error, jobId: job.id },
        'an erasure could not be begun at once; it is taken up later',
      );
    });
    return begun;
  }

  async function beginForGone(organisationId: string, createdBy: string): Promise<void> {
    const { items } = await jobs.list({ organisationId, kind: 'erasure' }, { limit: newestOnes, cursor: '' });
    if (items.some((job) => readErasureTarget(job).kind === 'organisation')) return;
    await begin(newJob(organisationId, { kind: 'organisation' }, createdBy));
    logger.warn({ organisationId }, 'an organisation that is no more had left things; they are erased');
  }

  return { newJob, begin, beginForGone };
}

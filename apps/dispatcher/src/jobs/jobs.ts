import type { Logger, Metrics, Random } from '@posthorn/runtime';
import { createErasureBeginner, type ErasureBeginner } from '../erasures/begin-erasure.ts';
import { createErasureJob, type ErasureJobOptions } from '../erasures/erasure-job.ts';
import { createErasureRpc } from '../erasures/erasures-rpc.ts';
import type { EventStore } from '../events/event-store.ts';
import { createJobRunner, type JobRunner } from './job-runner.ts';
import type { JobStore } from './job-store.ts';
import { createReplayJob, type ReplayJobOptions } from '../replays/replay-job.ts';
import { createReplayRpc } from '../replays/replays-rpc.ts';
import type { Tombstones } from '../erasures/tombstones.ts';

/** The long work that the dispatcher does as jobs: what works on them, and the services that make them. */
export interface Jobs {
  readonly runner: JobRunner;
  readonly replays: ReturnType<typeof createReplayRpc>;
  readonly erasures: ReturnType<typeof createErasureRpc>;
  readonly erasureBeginner: ErasureBeginner;
}

export interface JobsOptions extends ReplayJobOptions {
  readonly erasing: Omit<ErasureJobOptions, 'tombstones' | 'jobs' | 'events' | 'deliveries'> & {
    readonly tombstones: Tombstones;
    readonly deliveries: ErasureJobOptions['deliveries'];
  };
  readonly jobs: JobStore;
  readonly events: Pick<EventStore, 'get' | 'sweep'>;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly leaseTermMs?: number | undefined;
}

export function createJobs(options: JobsOptions): Jobs {
  const { jobs, events, directory, erasing, clock, random, logger, metrics, leaseTermMs } = options;
  const { tombstones, eraser } = erasing;
  const runner = createJobRunner({
    jobs,
    handlers: {
      replay: createReplayJob(options),
      erasure: createErasureJob({ ...erasing, jobs, events }),
    },
    clock,
    random,
    logger,
    metrics,
    ...(leaseTermMs !== undefined && { termMs: leaseTermMs }),
  });
  const erasureBeginner = createErasureBeginner({ jobs, runner, clock, random, logger });
  return {
    runner,
    replays: createReplayRpc({ jobs, runner, events, directory, clock, random, logger }),
    erasures: createErasureRpc({ jobs, beginner: erasureBeginner, events, tombstones, eraser, clock }),
    erasureBeginner,
  };
}

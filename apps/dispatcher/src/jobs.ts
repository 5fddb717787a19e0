import type { Logger, Metrics, Random } from '@posthorn/runtime';
import type { EventStore } from './event-store.ts';
import { createJobRunner, type JobRunner } from './job-runner.ts';
import type { JobStore } from './job-store.ts';
import { createReplayJob, type ReplayJobOptions } from './replay-job.ts';
import { createReplayRpc } from './replays-rpc.ts';

/** The long work that the dispatcher does as jobs: what works on them, and the services that make them. */
export interface Jobs {
  readonly runner: JobRunner;
  readonly replays: ReturnType<typeof createReplayRpc>;
}

export interface JobsOptions extends ReplayJobOptions {
  readonly jobs: JobStore;
  readonly events: Pick<EventStore, 'get'>;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly leaseTermMs?: number | undefined;
}

export function createJobs(options: JobsOptions): Jobs {
  const { jobs, events, directory, clock, random, logger, metrics, leaseTermMs } = options;
  const runner = createJobRunner({
    jobs,
    handlers: { replay: createReplayJob(options) },
    clock,
    random,
    logger,
    metrics,
    ...(leaseTermMs !== undefined && { termMs: leaseTermMs }),
  });
  return { runner, replays: createReplayRpc({ jobs, runner, events, directory, clock, random, logger }) };
}

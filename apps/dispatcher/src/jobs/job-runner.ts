/**
 * Works on jobs (job-store.ts) page by page. Any dispatcher takes up a job, under a lease, writes after each page how far it has come, and
 * goes on from there after a crash: at most one page is done twice, so a page done twice has to be harmless. Between pages it looks whether
 * the job was cancelled; what a page had begun by then is done and counted.
 *
 * Pages take turns, by organisation first, and only some are under way at a time; a job that waits for its rate or for room holds
 * no turn. Ownership is that of partitions (ownership.ts), with one difference: an old owner that was frozen in the middle of a page
 * may end that page. It doesn't begin another.
 */
import { DomainError } from '@posthorn/models';
import { sleep, type Clock, type Logger, type Metrics, type Random } from '@posthorn/runtime';
import {
  jobKinds,
  type Job,
  type JobEnd,
  type JobKind,
  type JobProgress,
  type JobStore,
} from './job-store.ts';
import { createRenewals, hasMoved, isFree, standardTermMs } from '../ownership/lease-term.ts';
import { createJobTurns } from './job-turns.ts';

/** What a kind of job does. */
export interface JobHandler {
  /**
   * Does the next page and answers how far the job has come with it. A `DomainError` that trying again doesn't mend (`not_found`,
   * `failed_precondition`, `invalid_argument`, …) ends the job as failed, with that message; with any other error the page is done again.
   */
  step(job: Job, page: JobPage): Promise<JobStep>;
  /** How many items a second it may do; null, or no such function: as fast as turns come. */
  perSecond?(job: Job): number | null;
}

export interface JobPage {
  /** How many items it may do at most. */
  readonly limit: number;
  /** Aborts when the job is another's now, or when the process stops: the page may end early, with what it has done. */
  readonly signal: AbortSignal;
}

export interface JobStep extends JobProgress {
  /** How many items it did: what the rate counts. */
  readonly worked: number;
  readonly isDone: boolean;
  /** There is no room now: the next page begins this much later. */
  readonly waitMs?: number;
}

export interface JobRunner {
  /** Takes up what nobody works on; called now and then, and when a job was made. */
  look(): Promise<void>;
  /** Begins no page any more, waits for those under way (until `signal` aborts), and gives every lease back. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface JobRunnerOptions {
  readonly jobs: JobStore;
  /** Jobs of a kind that isn't here are left to other processes. */
  readonly handlers: Partial<Readonly<Record<JobKind, JobHandler>>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How long a lease lasts that isn't renewed; the same for all dispatchers. */
  readonly termMs?: number;
  readonly limits?: JobLimits;
}

export interface JobLimits {
  readonly pagesAtOnce: number;
  readonly pageItems: number;
  /** Jobs of one organisation that are worked on at a time, the oldest first. */
  readonly ofEachOrganisation: number;
  readonly atOnce: number;
}

const defaultLimits: JobLimits = { pagesAtOnce: 2, pageItems: 200, ofEachOrganisation: 16, atOnce: 500 };
const organisationsAtOnce = 100;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** An error of our own that comes again and again is no outage. */
const mostInternalErrors = 10;
/** Pages of a job with a rate are so short that it is even. */
const pagesPerSecond = 4;

interface Held {
  job: Job;
  certainUntil: number;
  readonly losing: AbortController;
  done: Promise<void>;
}

interface Watched {
  readonly seen: Job;
  readonly since: number;
}

export function createJobRunner(options: JobRunnerOptions): JobRunner {
  const { jobs, handlers, clock, logger, termMs = standardTermMs, limits = defaultLimits } = options;
  /** This process's name in leases. */
  const owner = Buffer.from(options.random.bytes(9)).toString('base64url');
  const turns = createJobTurns(limits.pagesAtOnce);
  const held = new Map<string, Held>();
  let watched = new Map<string, Watched>();
  let lookAfter = '';
  let looking: Promise<void> | null = null;
  let lookAgain = false;
  const stopping = new AbortController();
  const renewLater = createRenewals({
    isNeeded: () => !jobs.isExclusive && !stopping.signal.aborted && held.size > 0,
    renew,
    clock,
    termMs,
  });
  options.metrics.gauge({
    name: 'posthorn_dispatcher_jobs',
    help: 'Jobs that this process works on.',
    labels: ['kind'],
    collect(gauge) {
      for (const kind of jobKinds) {
        gauge.set({ kind }, [...held.values()].filter(({ job }) => job.kind === kind).length);
      }
    },
  });
  const ended = options.metrics.counter({
    name: 'posthorn_jobs_ended_total',
    help: 'Jobs that this process brought to their end, by kind and how they ended.',
    labels: ['kind', 'state'],
  });

  async function lookOnce(): Promise<void> {
    const stillWatched = new Map<string, Watched>();
    while (held.size < limits.atOnce && !stopping.signal.aborted) {
      const organisations = await jobs.openOrganisations(lookAfter, organisationsAtOnce);
      for (const organisationId of organisations) {
        if (held.size >= limits.atOnce || stopping.signal.aborted) break;
        lookAfter = organisationId;
        for (const job of await jobs.open(organisationId, limits.ofEachOrganisation)) {
          await consider(job, stillWatched);
        }
      }
      if (organisations.length < organisationsAtOnce) {
        lookAfter = '';
        break;
      }
    }
    watched = stillWatched;
  }

  async function consider(job: Job, stillWatched: Map<string, Watched>): Promise<void> {
    const handler = handlers[job.kind];
    if (handler === undefined || held.has(job.id) || stopping.signal.aborted) return;
    const before = watched.get(job.id);
    const now = clock.monotonic();
    const known = before !== undefined && !hasMoved(before.seen, job) ? before : { seen: job, since: now };
    const unchangedMs = now - known.since;
    if (!jobs.isExclusive && !isFree(known.seen, { candidate: owner, unchangedMs, termMs })) {
      stillWatched.set(job.id, known);
      return;
    }
    const sentAt = clock.monotonic();
    const taken = await jobs.take(known.seen, owner, new Date(clock.now()));
    if (taken === null) return;
    const one: Held = {
      job: taken,
      certainUntil: sentAt + termMs,
      losing: new AbortController(),
      done: Promise.resolve(),
    };
    held.set(taken.id, one);
    renewLater();
    one.done = work(one, handler);
  }

  async function work(one: Held, handler: JobHandler): Promise<void> {
    const signal = AbortSignal.any([one.losing.signal, stopping.signal]);
    const { organisationId } = one.job;
    let failures = 0;
    logger.info(about(one.job), 'a job is worked on');
    let release = await turns.take(organisationId, signal);
    while (release !== null && !signal.aborted) {
      let waitMs: number | null;
      try {
        waitMs = await page(one, handler, signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        waitMs = await mend(one, error, failures);
      }
      if (waitMs === null) break;
      if (waitMs > 0) {
        release();
        await sleep(clock, waitMs, signal);
        release = await turns.take(organisationId, signal);
      } else {
        // However fast pages come, everyone else has a turn of the event loop, and this organisation waits in line already.
        await new Promise(setImmediate);
        const next = turns.take(organisationId, signal);
        release();
        release = await next;
      }
    }
    release?.();
    // What is left at the end of the process is given back there.
    if (!stopping.signal.aborted) held.delete(one.job.id);
  }

  /** Does a page; answers how long to wait before the next one, and null when there is nothing more to do here. */
  async function page(one: Held, handler: JobHandler, signal: AbortSignal): Promise<number | null> {
    if (!(await mayGoOn(one))) return null;
    const perSecond = handler.perSecond?.(one.job) ?? null;
    const startedAt = clock.monotonic();
    const step = await handler.step(one.job, { limit: pageLimit(perSecond), signal });
    const goesOn = await settle(one, step);
    return goesOn ? restMs(step, perSecond, clock.monotonic() - startedAt) : null;
  }

  /** Whether a page may begin: nobody has cancelled the job or taken it over, as far as can be known. */
  async function mayGoOn({ job, certainUntil }: Held): Promise<boolean> {
    if (!jobs.isExclusive && clock.monotonic() >= certainUntil) return false;
    const stands = await jobs.get(job.organisationId, job.id);
    return stands !== null && stands.epoch === job.epoch && stands.finishedAt === null;
  }

  /** Writes a page's progress; false when there is nothing more to do here. */
  async function settle(one: Held, step: JobStep): Promise<boolean> {
    const sentAt = clock.monotonic();
    const saved = await jobs.save(one.job, { cursor: step.cursor, counts: step.counts });
    if (saved === null) {
      logger.error(about(one.job), 'a job was taken by another');
      return false;
    }
    one.job = saved;
    one.certainUntil = sentAt + termMs;
    if (saved.finishedAt !== null) {
      logger.info(about(saved), 'a job was cancelled');
      return false;
    }
    if (step.isDone) await finish(one, { state: 'succeeded', error: null, at: new Date(clock.now()) });
    return !step.isDone;
  }

  async function finish({ job }: Held, end: JobEnd): Promise<void> {
    if (!(await jobs.finish(job, end))) return;
    ended.inc({ kind: job.kind, state: end.state });
    logger.info({ ...about(job), state: end.state, error: end.error, counts: job.counts }, 'a job has ended');
  }

  /** How long to wait before the page is tried again; null when the job has failed. */
  async function mend(one: Held, error: unknown, failures: number): Promise<number | null> {
    const { code, message } = DomainError.from(error);
    const isTransient = code === 'unavailable' || code === 'deadline_exceeded' || code === 'rate_limited';
    if (isTransient || (code === 'internal' && failures < mostInternalErrors)) {
      logger.error({ ...about(one.job), err: error }, 'a page of a job failed; trying again');
      return Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1));
    }
    try {
      logger.error({ ...about(one.job), err: error }, 'a job failed');
      await finish(one, { state: 'failed', error: message, at: new Date(clock.now()) });
      return null;
    } catch (failure) {
      logger.error(
        { ...about(one.job), err: failure },
        'the end of a job could not be written; trying again',
      );
      return longestPauseMs;
    }
  }

  function pageLimit(perSecond: number | null): number {
    if (perSecond === null) return limits.pageItems;
    return Math.max(1, Math.min(limits.pageItems, Math.ceil(perSecond / pagesPerSecond)));
  }

  async function renew(): Promise<void> {
    const asked = [...held.values()];
    if (asked.length === 0) return;
    const sentAt = clock.monotonic();
    try {
      const stand = await jobs.renew(asked.map(({ job }) => job));
      for (const one of asked) {
        if (stand.has(one.job.id)) one.certainUntil = Math.max(one.certainUntil, sentAt + termMs);
        // Cancelled, or another's: the page that is under way says which when it saves.
        else one.losing.abort();
      }
    } catch (error) {
      logger.error({ err: error }, 'the leases of jobs could not be renewed; trying again');
    }
  }

  return {
    look() {
      if (looking !== null) {
        lookAgain = true;
        return looking;
      }
      // One look at a time: a job that is being taken isn't free for another look of ours.
      const once = async (): Promise<void> => {
        do {
          lookAgain = false;
          await lookOnce();
        } while (lookAgain && !stopping.signal.aborted);
      };
      looking = once().finally(() => {
        looking = null;
      });
      return looking;
    },

    async stop(signal) {
      stopping.abort();
      const all = [...held.values()];
      await Promise.race([Promise.all(all.map(({ done }) => done)), whenAborted(signal)]);
      for (const one of all) {
        await jobs.giveBack(one.job).catch((error: unknown) => {
          logger.error(
            { ...about(one.job), err: error },
            'a job could not be given back; its term has to pass',
          );
        });
      }
    },
  };
}

/** How long after a page the next one may begin: the rate counts from the beginning of one page to that of the next. */
function restMs({ worked, waitMs = 0 }: JobStep, perSecond: number | null, tookMs: number): number {
  const paceMs = perSecond === null ? 0 : (worked * 1000) / perSecond - tookMs;
  return Math.max(0, waitMs, paceMs);
}

function about({ id, kind, organisationId, epoch }: Job) {
  return { jobId: id, kind, organisationId, epoch };
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

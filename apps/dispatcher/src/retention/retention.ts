import type { Retention } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import { deadRecordDays, type DeadRecordStore } from '../intake/dead-record-store.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { EventStore } from '../events/event-store.ts';
import { removalDelaySeconds } from './expiry.ts';
import type { JobStore } from '../jobs/job-store.ts';
import type { TaskStore } from '../tasks/task-store.ts';

/**
 * Forgets what is older than its organisation keeps: events by `payloadDays`, deliveries, attempts, tasks and replays by `metadataDays`, and
 * everything of an organisation that is no more. What is held beyond its payload is cancelled. It goes over the organisations in small
 * steps with pauses between, so that it is never what somebody waits for, and in one process of those that share a database.
 *
 * A database that removes by itself what has expired (expiry.ts) leaves it little to forget: what is to go earlier than was said
 * when it was written, and what nothing was said of. It gives the database time to be first.
 */
export interface RetentionSweeper {
  start(): void;
  /** One whole round; answers what was removed. */
  sweep(): Promise<Swept>;
  stop(): Promise<void>;
}

export interface Swept {
  readonly events: number;
  readonly deliveries: number;
  readonly tasks: number;
  readonly replays: number;
  readonly deadRecords: number;
  /** Held deliveries that were cancelled, because their payloads are gone. */
  readonly expired: number;
}

const dayMs = 86_400_000;
const step = 200;
const organisationsAtOnce = 100;
const roundEveryMs = 10 * 60_000;
const firstRoundAfterMs = 60_000;
/** Beyond its own delay, the database may be busy. */
const marginMs = 60 * 60_000;

export function createRetentionSweeper(options: {
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly tasks: Pick<TaskStore, 'organisations' | 'sweep'>;
  readonly jobs: Pick<JobStore, 'organisations' | 'sweep'>;
  readonly deadRecords: Pick<DeadRecordStore, 'sweep'>;
  /** Has everything of an organisation that is no more erased, on record. */
  readonly eraseGone: (organisationId: string) => Promise<void>;
  /** Whether it is for this process to do, of those that share the database. */
  readonly isOurs: () => boolean;
  /** Whether the database removes by itself what has expired. */
  readonly databaseExpires: boolean;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly logger: Logger;
}): RetentionSweeper {
  const { events, deliveries, tasks, jobs, deadRecords, directory, isOurs, clock, logger } = options;
  const lagMs = options.databaseExpires ? removalDelaySeconds * 1000 + marginMs : 0;
  const knownGone = new Set<string>();
  let stopped = false;
  let running: Promise<unknown> = Promise.resolve();

  const isOver = (): boolean => stopped || !isOurs();

  async function sweepStore(
    store: Pick<EventStore | DeliveryStore | TaskStore, 'organisations' | 'sweep'>,
    kept: keyof Retention,
    lateMs = lagMs,
  ): Promise<number> {
    let removed = 0;
    for (let after = ''; !isOver();) {
      const organisations = await store.organisations(after, organisationsAtOnce);
      if (organisations.length === 0) break;
      after = organisations.at(-1) ?? after;
      const unavailable = await directory.loadAvailable(organisations);
      for (const id of organisations) {
        // How long it keeps things isn't known: its turn comes with a later round.
        if (unavailable.has(id)) continue;
        await noticeGone(id);
        const before = cutoff(id, kept, lateMs);
        removed += await inSteps((limit) => store.sweep(id, before, limit));
      }
    }
    return removed;
  }

  async function noticeGone(organisationId: string): Promise<void> {
    if (knownGone.has(organisationId) || directory.organisation(organisationId) !== null) return;
    await options.eraseGone(organisationId);
    knownGone.add(organisationId);
  }

  /** Of an organisation that is no more, everything is too old. */
  function cutoff(organisationId: string, kept: keyof Retention, lateMs: number): Date {
    const view = directory.organisation(organisationId);
    const keptMs = view === null ? 0 : view.organisation.retention[kept] * dayMs + lateMs;
    return new Date(clock.now() - keptMs);
  }

  async function inSteps(take: (limit: number) => Promise<number>): Promise<number> {
    let removed = 0;
    while (!isOver()) {
      const count = await take(step);
      removed += count;
      if (count < step) break;
      await new Promise(setImmediate);
    }
    return removed;
  }

  /** As soon as the payload's time is over: whether it is there a little longer is chance. */
  function expireHeld(): Promise<number> {
    const expire = (organisationId: string, before: Date, limit: number): Promise<number> =>
      deliveries.expireHeld({ organisationId, before, now: new Date(clock.now()), limit });
    const { organisations } = deliveries;
    return sweepStore({ organisations, sweep: expire }, 'payloadDays', 0);
  }

  function sweepReplays(): Promise<number> {
    const remove = (organisationId: string, before: Date, limit: number): Promise<number> =>
      jobs.sweep({ organisationId, kind: 'replay', before, limit });
    return sweepStore({ organisations: jobs.organisations, sweep: remove }, 'metadataDays', 0);
  }

  async function sweep(): Promise<Swept> {
    await directory.bringUpToDate();
    const deadBefore = new Date(clock.now() - deadRecordDays * dayMs - lagMs);
    return {
      tasks: await sweepStore(tasks, 'metadataDays'),
      replays: await sweepReplays(),
      deliveries: await sweepStore(deliveries, 'metadataDays'),
      expired: await expireHeld(),
      events: await sweepStore(events, 'payloadDays'),
      deadRecords: await inSteps((limit) => deadRecords.sweep(deadBefore, limit)),
    };
  }

  function schedule(afterMs: number): void {
    const timer = clock.setTimeout(() => {
      if (stopped) return;
      running = sweep()
        .then((removed) => logger.debug(removed, 'retention swept'))
        .catch((error: unknown) =>
          logger.error({ err: error }, 'the retention sweep failed; it is tried again'),
        )
        .finally(() => schedule(roundEveryMs));
    }, afterMs);
    timer.unref();
  }

  return {
    start: () => schedule(firstRoundAfterMs),
    sweep,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

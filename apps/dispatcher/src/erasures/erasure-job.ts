/**
 * The work of an erasure (decision 36), page by page:
 *
 *     mark → look → purge
 *
 * First the tombstone: from then on nothing of it is planned. The other dispatchers know of it within a moment, and send and record nothing
 * of it from then on; only then it looks through what is on record and removes it. Nothing comes after that: who doesn't know of it by
 * then sends nothing, and writes nothing without having asked (unerased-record.ts). At last the store's files are purged.
 */
import { DomainError, type ErasureTarget } from '@posthorn/models';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { eventToErase, unknownEventToErase, type Eraser } from './eraser.ts';
import type { ErasureStore, EventToErase, Tombstone } from './erasure-store.ts';
import type { EventStore } from '../events/event-store.ts';
import type { JobHandler, JobStep } from '../jobs/job-runner.ts';
import type { Job, JobStore } from '../jobs/job-store.ts';
import type { TaskStore } from '../tasks/task-store.ts';
import type { Tombstones } from './tombstones.ts';
import type { TroubleStore } from '../troubles/trouble-store.ts';

export interface ErasureJobOptions {
  readonly store: ErasureStore;
  readonly tombstones: Pick<Tombstones, 'add' | 'bringUpToDate' | 'isErased'>;
  readonly eraser: Eraser;
  readonly events: Pick<EventStore, 'get' | 'sweep'>;
  readonly deliveries: Pick<DeliveryStore, 'sweep'>;
  readonly tasks: Pick<TaskStore, 'sweep'>;
  readonly troubles: Pick<TroubleStore, 'forget'>;
  readonly jobs: Pick<JobStore, 'open' | 'cancel' | 'sweep'>;
  /** How long the others take at most until they know of a tombstone and have written what they were writing. */
  readonly settleMs: number;
}

type Phase = 'mark' | 'look' | 'purge';

interface Cursor {
  readonly phase: Phase;
  /** The id of the event that was looked at last. */
  readonly after: string;
}

/** What the counts of a job are called. */
type Count = 'examined' | 'events' | 'deliveries' | 'responses';
type Counts = Partial<Record<Count, number>>;

/** Later than everything: all that an organisation has. */
const ever = new Date(2 ** 48 - 1);
const sweptKinds = ['replay'] as const;

export function createErasureJob(options: ErasureJobOptions): JobHandler {
  const { store, tombstones, eraser, events, deliveries, tasks, troubles, jobs } = options;

  async function mark(job: Job): Promise<JobStep> {
    await tombstones.add(tombstoneOf(job));
    return step(job, { phase: 'look', after: '' }, {}, { waitMs: options.settleMs });
  }

  async function look(job: Job, after: string, limit: number): Promise<JobStep> {
    const target = readErasureTarget(job);
    switch (target.kind) {
      case 'event':
        return lookForEvent(job, target.eventId);
      case 'subject':
        return lookForSubject(job, after, limit);
      case 'organisation':
        return lookForAll(job, limit);
    }
  }

  async function lookForEvent(job: Job, eventId: string): Promise<JobStep> {
    const event = await events.get(job.organisationId, eventId);
    const wanted = event === null ? unknownEventToErase(eventId) : eventToErase(event);
    return step(job, purge, await erase(job, [wanted], 1));
  }

  async function lookForSubject(job: Job, after: string, limit: number): Promise<JobStep> {
    const { organisationId } = job;
    // Another dispatcher may have marked it.
    await tombstones.bringUpToDate();
    const found = await store.walkSubjects(organisationId, after, limit);
    // By the tombstones of all erasures: what another one has named goes a little sooner.
    const meant = found.filter(({ id, subject, acceptedAt }) =>
      tombstones.isErased({ organisationId, id, subject, acceptedAt }),
    );
    const erased = await erase(job, meant.map(eventToErase), found.length);
    const last = found.length < limit ? undefined : found.at(-1)?.id;
    return step(job, last === undefined ? purge : { phase: 'look', after: last }, erased);
  }

  async function erase(job: Job, wanted: readonly EventToErase[], examined: number): Promise<Counts> {
    if (wanted.length === 0) return { examined };
    const { events: erased, responses, cancelled } = await eraser.erase(job.organisationId, wanted);
    return { examined, events: erased, responses, deliveries: cancelled.length };
  }

  /** Its other jobs first, so that none of them makes anything new. */
  async function lookForAll(job: Job, limit: number): Promise<JobStep> {
    const { organisationId, id } = job;
    const open = (await jobs.open(organisationId, limit)).filter(
      (one) => one.id !== id && one.kind !== 'erasure',
    );
    for (const one of open) await jobs.cancel(organisationId, one.id, job.createdAt);
    const gone = await deliveries.sweep(organisationId, ever, limit);
    const left = await events.sweep(organisationId, ever, limit);
    let others = open.length + (await tasks.sweep(organisationId, ever, limit));
    for (const kind of sweptKinds) {
      others += await jobs.sweep({ organisationId, kind, before: ever, limit });
    }
    await store.eraseDeadRecords(organisationId);
    await troubles.forget(organisationId);
    const isAll = gone + left + others === 0;
    const counts = { examined: left, events: left, deliveries: gone };
    return step(job, isAll ? purge : { phase: 'look', after: '' }, counts);
  }

  async function purgeFiles(job: Job): Promise<JobStep> {
    await store.purgeFiles();
    return step(job, purge, {}, { isDone: true });
  }

  return {
    step(job, { limit }) {
      const { phase, after } = readCursor(job);
      switch (phase) {
        case 'mark':
          return mark(job);
        case 'look':
          return look(job, after, limit);
        case 'purge':
          return purgeFiles(job);
      }
    },
  };
}

const purge: Cursor = { phase: 'purge', after: '' };

function step(
  { counts }: Job,
  cursor: Cursor,
  done: Counts,
  more: { readonly isDone?: true; readonly waitMs?: number } = {},
): JobStep {
  const total: Record<string, number> = { ...counts };
  for (const [name, count] of Object.entries(done)) total[name] = (total[name] ?? 0) + count;
  return {
    cursor: JSON.stringify(cursor),
    counts: total,
    worked: done.examined ?? 0,
    isDone: false,
    ...more,
  };
}

function readCursor({ cursor }: Job): Cursor {
  return cursor === '' ? { phase: 'mark', after: '' } : (JSON.parse(cursor) as Cursor);
}

/** What is remembered of it for good. */
export function tombstoneOf(job: Pick<Job, 'id' | 'organisationId' | 'spec' | 'createdAt'>): Tombstone {
  const { organisationId } = job;
  const target = readErasureTarget(job);
  switch (target.kind) {
    case 'event':
      return { kind: 'event', organisationId, eventId: target.eventId };
    case 'subject':
      return { kind: 'subject', organisationId, subjectHash: target.subjectHash, before: job.createdAt };
    case 'organisation':
      return { kind: 'organisation', organisationId };
  }
}

export function writeErasureTarget(target: ErasureTarget): string {
  return JSON.stringify(target);
}

/** Throws for what another version wrote and this one doesn't know. */
export function readErasureTarget({ id, spec }: Pick<Job, 'id' | 'spec'>): ErasureTarget {
  const target = JSON.parse(spec) as ErasureTarget;
  if (['event', 'subject', 'organisation'].includes(target.kind)) return target;
  throw new DomainError('failed_precondition', `Nobody here knows what the erasure ${id} is to erase.`);
}

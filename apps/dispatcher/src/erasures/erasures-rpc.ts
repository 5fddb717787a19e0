import { dispatchV1, erasureToMessage } from '@posthorn/contracts';
import { DomainError, newId, type Erasure, type ErasureTarget, type Principal } from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import { eventToErase, type Eraser } from './eraser.ts';
import { readErasureTarget, tombstoneOf, writeErasureTarget } from './erasure-job.ts';
import type { EventStore } from '../events/event-store.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { Job, JobStore, NewJob } from '../jobs/job-store.ts';
import { pageRequest } from '../rpc/page-request.ts';
import type { Tombstones } from './tombstones.ts';
import { findYoung } from '../rpc/young-record.ts';

/** Erasures are made and looked at here; what they do is in erasure-job.ts. They can't be cancelled, and their records stay. */
export function createErasureRpc(options: {
  readonly jobs: JobStore;
  readonly runner: Pick<JobRunner, 'look'>;
  readonly events: Pick<EventStore, 'get'>;
  readonly tombstones: Pick<Tombstones, 'add' | 'hashSubject'>;
  readonly eraser: Eraser;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}) {
  const { jobs, runner, events, tombstones, eraser, clock, random, logger } = options;

  function newJob(organisationId: string, target: ErasureTarget, principal: Principal): NewJob {
    const createdAt = new Date(clock.now());
    return {
      id: newId(createdAt.getTime(), (count) => random.bytes(count)),
      organisationId,
      kind: 'erasure',
      spec: writeErasureTarget(target),
      counts: {},
      createdBy: principal.id,
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

  async function targetOf({
    organisationId,
    eventId,
    subject,
    wholeOrganisation,
  }: dispatchV1.CreateErasureRequest): Promise<ErasureTarget> {
    const named = [eventId !== undefined, subject !== undefined, wholeOrganisation].filter(Boolean);
    if (named.length !== 1) {
      throw DomainError.invalid([
        { field: '', code: 'required', message: 'This must name exactly one of eventId and subject.' },
      ]);
    }
    if (eventId !== undefined) return { kind: 'event', eventId };
    if (subject === undefined) return { kind: 'organisation' };
    return { kind: 'subject', subjectHash: await tombstones.hashSubject(organisationId, subject) };
  }

  return defineService(dispatchV1.ErasureServiceService, {
    async createErasure(request, { principal }) {
      const { organisationId, wholeOrganisation } = request;
      requireOrganisation(principal, organisationId);
      if (wholeOrganisation && principal.organisationId !== null) {
        throw new DomainError('permission_denied', 'Only operators may erase a whole organisation.');
      }
      const job = await begin(newJob(organisationId, await targetOf(request), principal));
      return { erasure: erasureToMessage(erasureOf(job)) };
    },

    async getErasure({ organisationId, id }, { principal }) {
      requireOrganisation(principal, organisationId);
      const job = await jobs.get(organisationId, id);
      if (job?.kind !== 'erasure') throw new DomainError('not_found', `There is no erasure ${id}.`);
      return { erasure: erasureToMessage(erasureOf(job)) };
    },

    async listErasures(request, { principal }) {
      const { organisationId } = request;
      requireOrganisation(principal, organisationId);
      const { items, nextCursor } = await jobs.list(
        { organisationId, kind: 'erasure' },
        pageRequest(request),
      );
      return { erasures: items.map((job) => erasureToMessage(erasureOf(job))), nextCursor };
    },

    async erasePayload({ organisationId, id }, { principal, signal }) {
      requireOrganisation(principal, organisationId);
      const event = await findYoung(id, () => events.get(organisationId, id), {
        clock,
        signal: () => signal,
      });
      if (event === null) throw new DomainError('not_found', `There is no event ${id}.`);
      const job = newJob(organisationId, { kind: 'event', eventId: id }, principal);
      await tombstones.add(tombstoneOf(job));
      // What is about to be sent elsewhere, the job finds: it does all of this once more.
      await begin(job);
      await eraser.erase(organisationId, [eventToErase(event)]);
      return {};
    },
  });
}

/** An erasure's job as its owner is shown it. */
function erasureOf(job: Job): Erasure {
  const { examined = 0, events = 0, deliveries = 0, responses = 0 } = job.counts;
  return {
    id: job.id,
    organisationId: job.organisationId,
    state: job.state,
    target: readErasureTarget(job),
    progress: { examined, events, deliveries, responses },
    error: job.error,
    createdBy: job.createdBy,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
  };
}

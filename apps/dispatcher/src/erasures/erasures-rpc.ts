import { dispatchV1, erasureToMessage } from '@posthorn/contracts';
import { DomainError, type Erasure, type ErasureTarget } from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { ErasureBeginner } from './begin-erasure.ts';
import { eventToErase, type Eraser } from './eraser.ts';
import { readErasureTarget, tombstoneOf } from './erasure-job.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Job, JobStore } from '../jobs/job-store.ts';
import { pageRequest } from '../rpc/page-request.ts';
import type { Tombstones } from './tombstones.ts';
import { findYoung } from '../rpc/young-record.ts';

/** Erasures are made and looked at here; what they do is in erasure-job.ts. They can't be cancelled, and their records stay. */
export function createErasureRpc(options: {
  readonly jobs: Pick<JobStore, 'get' | 'list'>;
  readonly beginner: ErasureBeginner;
  readonly events: Pick<EventStore, 'get'>;
  readonly tombstones: Pick<Tombstones, 'add' | 'hashSubject'>;
  readonly eraser: Eraser;
  readonly clock: Clock;
}) {
  const { jobs, beginner, events, tombstones, eraser, clock } = options;

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
      const job = await beginner.begin(
        beginner.newJob(organisationId, await targetOf(request), principal.id),
      );
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
      const job = beginner.newJob(organisationId, { kind: 'event', eventId: id }, principal.id);
      await tombstones.add(tombstoneOf(job));
      // What is about to be sent elsewhere, the job finds: it does all of this once more.
      await beginner.begin(job);
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

import type { Erasure, ErasureTarget, JobState } from '@posthorn/models';
import { createEnumTable } from './enum-table.ts';
import * as dispatchV1 from './gen/posthorn/dispatch/v1/erasures.ts';
import { required } from './required.ts';

const stateTable = createEnumTable({
  pending: dispatchV1.ErasureState.ERASURE_STATE_PENDING,
  running: dispatchV1.ErasureState.ERASURE_STATE_RUNNING,
  succeeded: dispatchV1.ErasureState.ERASURE_STATE_SUCCEEDED,
  cancelled: dispatchV1.ErasureState.ERASURE_STATE_CANCELLED,
  failed: dispatchV1.ErasureState.ERASURE_STATE_FAILED,
} satisfies Record<JobState, dispatchV1.ErasureState>);

const targetTable = createEnumTable({
  event: dispatchV1.ErasureTarget.ERASURE_TARGET_EVENT,
  subject: dispatchV1.ErasureTarget.ERASURE_TARGET_SUBJECT,
  organisation: dispatchV1.ErasureTarget.ERASURE_TARGET_ORGANISATION,
} satisfies Record<ErasureTarget['kind'], dispatchV1.ErasureTarget>);

/** The erasure as a message. */
export function erasureToMessage(erasure: Erasure): dispatchV1.Erasure {
  const { progress, target } = erasure;
  return {
    id: erasure.id,
    organisationId: erasure.organisationId,
    state: stateTable.toMessage(erasure.state),
    target: targetTable.toMessage(target.kind),
    eventId: target.kind === 'event' ? target.eventId : undefined,
    subjectHash: target.kind === 'subject' ? target.subjectHash : undefined,
    progress: {
      examined: BigInt(progress.examined),
      events: BigInt(progress.events),
      deliveries: BigInt(progress.deliveries),
      responses: BigInt(progress.responses),
    },
    error: erasure.error ?? undefined,
    createdBy: erasure.createdBy,
    createdAt: erasure.createdAt,
    startedAt: erasure.startedAt ?? undefined,
    finishedAt: erasure.finishedAt ?? undefined,
  };
}

/** The erasure of a message. Throws `invalid_argument` when something is unspecified. */
export function erasureFromMessage(message: dispatchV1.Erasure): Erasure {
  const progress = required(message.progress, '/progress');
  return {
    id: message.id,
    organisationId: message.organisationId,
    state: stateTable.fromMessage(message.state, '/state'),
    target: targetFromMessage(message),
    progress: {
      examined: Number(progress.examined),
      events: Number(progress.events),
      deliveries: Number(progress.deliveries),
      responses: Number(progress.responses),
    },
    error: message.error ?? null,
    createdBy: message.createdBy,
    createdAt: required(message.createdAt, '/createdAt'),
    startedAt: message.startedAt ?? null,
    finishedAt: message.finishedAt ?? null,
  };
}

function targetFromMessage({ target, eventId, subjectHash }: dispatchV1.Erasure): ErasureTarget {
  const kind = targetTable.fromMessage(target, '/target');
  switch (kind) {
    case 'event':
      return { kind, eventId: required(eventId, '/eventId') };
    case 'subject':
      return { kind, subjectHash: required(subjectHash, '/subjectHash') };
    case 'organisation':
      return { kind };
  }
}

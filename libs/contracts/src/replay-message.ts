import type { JobState, Replay, ReplaySelection } from '@posthorn/models';
import { attemptTriggerTable } from './attempt-message.ts';
import { deliveryStateTable } from './delivery-message.ts';
import { createEnumTable } from './enum-table.ts';
import * as dispatchV1 from './gen/posthorn/dispatch/v1/replays.ts';
import { required } from './required.ts';

/** A replay's `state` and its enum. */
export const replayStateTable = createEnumTable({
  pending: dispatchV1.ReplayState.REPLAY_STATE_PENDING,
  running: dispatchV1.ReplayState.REPLAY_STATE_RUNNING,
  succeeded: dispatchV1.ReplayState.REPLAY_STATE_SUCCEEDED,
  cancelled: dispatchV1.ReplayState.REPLAY_STATE_CANCELLED,
  failed: dispatchV1.ReplayState.REPLAY_STATE_FAILED,
} satisfies Record<JobState, dispatchV1.ReplayState>);

/** The replay as a message. */
export function replayToMessage(replay: Replay): dispatchV1.Replay {
  const { progress } = replay;
  return {
    id: replay.id,
    organisationId: replay.organisationId,
    state: replayStateTable.toMessage(replay.state),
    selection: replaySelectionToMessage(replay.selection),
    trigger: attemptTriggerTable.toMessage(replay.trigger),
    perSecond: replay.perSecond ?? undefined,
    dryRun: replay.dryRun,
    progress: {
      total: progress.total === null ? undefined : BigInt(progress.total),
      done: BigInt(progress.done),
      skipped: BigInt(progress.skipped),
      skippedBecause: Object.fromEntries(
        Object.entries(progress.skippedBecause).map(([reason, count]) => [reason, BigInt(count)]),
      ),
      remaining: progress.remaining === null ? undefined : BigInt(progress.remaining),
      estimatedEndAt: progress.estimatedEndAt ?? undefined,
    },
    error: replay.error ?? undefined,
    createdBy: replay.createdBy,
    createdAt: replay.createdAt,
    startedAt: replay.startedAt ?? undefined,
    finishedAt: replay.finishedAt ?? undefined,
  };
}

/** The replay of a message. Throws `invalid_argument` when something is unspecified. */
export function replayFromMessage(message: dispatchV1.Replay): Replay {
  const progress = required(message.progress, '/progress');
  return {
    id: message.id,
    organisationId: message.organisationId,
    state: replayStateTable.fromMessage(message.state, '/state'),
    selection: replaySelectionFromMessage(required(message.selection, '/selection')),
    trigger: replayTriggerFromMessage(message.trigger),
    perSecond: message.perSecond ?? null,
    dryRun: message.dryRun,
    progress: {
      total: progress.total === undefined ? null : Number(progress.total),
      done: Number(progress.done),
      skipped: Number(progress.skipped),
      skippedBecause: Object.fromEntries(
        Object.entries(progress.skippedBecause).map(([reason, count]) => [reason, Number(count)]),
      ),
      remaining: progress.remaining === undefined ? null : Number(progress.remaining),
      estimatedEndAt: progress.estimatedEndAt ?? null,
    },
    error: message.error ?? null,
    createdBy: message.createdBy,
    createdAt: required(message.createdAt, '/createdAt'),
    startedAt: message.startedAt ?? null,
    finishedAt: message.finishedAt ?? null,
  };
}

/** What a replay's attempts are for: `replay` unless it says `manual`. */
export function replayTriggerFromMessage(trigger: dispatchV1.Replay['trigger']): Replay['trigger'] {
  return trigger === attemptTriggerTable.toMessage('manual') ? 'manual' : 'replay';
}

/** The selection as a message. */
export function replaySelectionToMessage(selection: ReplaySelection): dispatchV1.ReplaySelection {
  return {
    endpoint: selection.endpoint ?? undefined,
    eventId: selection.eventId ?? undefined,
    eventTypes: [...selection.eventTypes],
    states: selection.states.map((state) => deliveryStateTable.toMessage(state)),
    statusClass: selection.statusClass ?? undefined,
    since: selection.since ?? undefined,
    until: selection.until ?? undefined,
    createdAfter: selection.createdAfter ?? undefined,
    createdBefore: selection.createdBefore ?? undefined,
    includeUnmatched: selection.includeUnmatched,
  };
}

/** The selection of a message. */
export function replaySelectionFromMessage(message: dispatchV1.ReplaySelection): ReplaySelection {
  return {
    endpoint: message.endpoint ?? null,
    eventId: message.eventId ?? null,
    eventTypes: message.eventTypes,
    states: message.states.map((state) => deliveryStateTable.fromMessage(state, '/states')),
    statusClass: message.statusClass ?? null,
    since: message.since ?? null,
    until: message.until ?? null,
    createdAfter: message.createdAfter ?? null,
    createdBefore: message.createdBefore ?? null,
    includeUnmatched: message.includeUnmatched,
  };
}

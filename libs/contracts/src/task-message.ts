import type { Task, TaskKind, TaskState } from '@posthorn/models';
import { createEnumTable } from './enum-table.ts';
import * as dispatchV1 from './gen/posthorn/dispatch/v1/dispatch.ts';
import { required } from './required.ts';

/** A task's `kind` and its enum. */
export const taskKindTable = createEnumTable({
  test: dispatchV1.TaskKind.TASK_KIND_TEST,
  verification: dispatchV1.TaskKind.TASK_KIND_VERIFICATION,
} satisfies Record<TaskKind, dispatchV1.TaskKind>);

/** A task's `state` and its enum. */
export const taskStateTable = createEnumTable({
  pending: dispatchV1.TaskState.TASK_STATE_PENDING,
  processing: dispatchV1.TaskState.TASK_STATE_PROCESSING,
  succeeded: dispatchV1.TaskState.TASK_STATE_SUCCEEDED,
  failed: dispatchV1.TaskState.TASK_STATE_FAILED,
} satisfies Record<TaskState, dispatchV1.TaskState>);

/** The task as a message. */
export function taskToMessage(task: Task): dispatchV1.Task {
  return {
    id: task.id,
    organisationId: task.organisationId,
    endpointId: task.endpointId,
    kind: taskKindTable.toMessage(task.kind),
    keyId: task.keyId ?? undefined,
    eventId: task.eventId ?? undefined,
    state: taskStateTable.toMessage(task.state),
    error: task.error ?? undefined,
    createdAt: task.createdAt,
    startedAt: task.startedAt ?? undefined,
    completedAt: task.completedAt ?? undefined,
  };
}

/** The task of a message. Throws `invalid_argument` when something is unspecified. */
export function taskFromMessage(message: dispatchV1.Task): Task {
  return {
    id: message.id,
    organisationId: message.organisationId,
    endpointId: message.endpointId,
    kind: taskKindTable.fromMessage(message.kind, '/kind'),
    keyId: message.keyId ?? null,
    eventId: message.eventId ?? null,
    state: taskStateTable.fromMessage(message.state, '/state'),
    error: message.error ?? null,
    createdAt: required(message.createdAt, '/createdAt'),
    startedAt: message.startedAt ?? null,
    completedAt: message.completedAt ?? null,
  };
}

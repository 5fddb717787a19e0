import { dispatchV1, taskKindTable, taskToMessage } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import { requireOrganisations } from '../rpc/require-organisations.ts';
import { searchPage } from '../rpc/search-page.ts';
import type { TaskRunner } from './task-runner.ts';
import type { TaskStore } from './task-store.ts';

const longestWaitMs = 10_000;

/** Trying endpoints out, and what came of it. */
export function createTaskRpc({ tasks, runner }: { readonly tasks: TaskStore; readonly runner: TaskRunner }) {
  return defineService(dispatchV1.TaskServiceService, {
    async runTask({ organisationId, endpointId, taskId, keyId, waitMs }, { principal, signal }) {
      requireOrganisation(principal, organisationId);
      const request = { id: taskId, organisationId, endpointId, keyId: keyId ?? null };
      const task = await runner.run(request, Math.min(Math.max(waitMs, 0), longestWaitMs), signal);
      return { task: taskToMessage(task) };
    },

    async getTask({ organisationId, id }, { principal }) {
      requireOrganisations(principal, organisationId === '' ? [] : [organisationId]);
      const task = await tasks.get(organisationId || null, id);
      if (task === null) throw new DomainError('not_found', `There is no task ${id}.`);
      return { task: taskToMessage(task) };
    },

    async listTasks(request, { principal }) {
      requireOrganisations(principal, request.organisationIds);
      const { limit, offset } = searchPage(request);
      const { items, total, hasMore } = await tasks.list({
        organisationIds: request.organisationIds,
        endpointIds: request.endpointIds,
        kind: request.kind === 0 ? undefined : taskKindTable.fromMessage(request.kind, '/kind'),
        page: { limit, offset, afterId: request.afterId || null, beforeId: request.beforeId || null },
      });
      return { tasks: items.map(taskToMessage), total: BigInt(total), hasMore };
    },
  });
}

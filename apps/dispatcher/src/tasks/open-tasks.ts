import type { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal, type Task } from '@posthorn/models';
import type { Client } from '@posthorn/rpc';
import type { Logger } from '@posthorn/runtime';
import type { TaskRequest, TaskRunner } from './task-runner.ts';
import type { TaskStore } from './task-store.ts';

/**
 * The net under the tasks: a round of verification that was opened and that nobody asked to be run (it came with a change of the
 * endpoint, or whoever opened it was killed) is run, and a task that was begun and whose end nobody saw is ended. Looking twice, or from
 * several processes, does nothing twice.
 */
export interface OpenTasks {
  /** Runs what was opened and isn't under way. */
  takeUp(): Promise<void>;
  /** Ends what has ended and isn't said to have. */
  settle(): Promise<void>;
}

/** As many as config tells at once. */
const mostVerifications = 1000;
const mostUnfinished = 1000;

export function createOpenTasks(options: {
  readonly tasks: TaskStore;
  readonly runner: TaskRunner;
  readonly client: Client<typeof configV1.DirectoryServiceService>;
  readonly principal: Principal;
  readonly logger: Logger;
}): OpenTasks {
  const { tasks, runner, client, principal, logger } = options;
  /** Verifications that wait for their callback: known, so that they aren't looked up each time. */
  let waiting = new Set<string>();

  async function takeUpOne(request: TaskRequest): Promise<Task> {
    const known = await tasks.get(request.organisationId, request.id);
    if (known === null || known.state === 'pending') {
      return runner.run(request, 0, new AbortController().signal);
    }
    // It has ended, and config doesn't know: what came of it is told again.
    if (known.completedAt !== null) await runner.settle(known);
    return known;
  }

  async function takeUp(): Promise<void> {
    const { verifications } = await client.listPendingVerifications(
      { limit: mostVerifications },
      { principal },
    );
    const stillWaiting = new Set<string>();
    for (const { organisationId, endpointId, verificationId: id } of verifications) {
      if (waiting.has(id)) {
        stillWaiting.add(id);
        continue;
      }
      try {
        const { kind } = await takeUpOne({ id, organisationId, endpointId, keyId: null });
        if (kind === 'verification') stillWaiting.add(id);
      } catch (error) {
        // The endpoint was deleted since.
        if (DomainError.from(error).code === 'not_found') continue;
        logger.error({ err: error, endpointId }, 'an endpoint could not be verified; trying again');
      }
    }
    waiting = stillWaiting;
  }

  return {
    takeUp,
    async settle() {
      for (const task of await tasks.unfinished(mostUnfinished)) await runner.settle(task);
    },
  };
}

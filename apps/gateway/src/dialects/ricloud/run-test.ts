/**
 * Testing a config: the round of verification that config has opened is carried out by the dispatcher as a task of the same id. By the
 * time it is asked for, something has been written, and the client posts again on every 5xx: so whatever goes wrong here stays here. The
 * dispatcher finds open rounds by itself as well, a little later.
 */
import { taskFromMessage, dispatchV1 } from '@posthorn/contracts';
import type { Endpoint, Task } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import type { GatewayClients } from '../../clients.ts';
import type { DialectCall } from '../dialect.ts';
import { findEndpoint, type FoundEndpoint } from '../find-endpoint.ts';
import { parseAwaitMs } from './parse.ts';

export interface TestDeps {
  readonly clients: Pick<GatewayClients, 'endpoints' | 'tasks'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Beyond the time that the caller waits for the outcome. */
const marginMs = 3_000;

/** Starts the open round's test and waits for its end as long as `Ricloud-Await` says. Never rejects. */
export async function runTest(deps: TestDeps, endpoint: Endpoint, call: DialectCall): Promise<Task> {
  const { clients, clock, logger } = deps;
  const taskId = endpoint.verificationId ?? '';
  const waitMs = parseAwaitMs(call.header('ricloud-await'));
  const keyId = call.principal.kind === 'key' ? call.principal.id : null;
  const { id: endpointId, organisationId } = endpoint;
  try {
    const { task } = await clients.tasks.runTask(
      {
        organisationId,
        endpointId,
        taskId,
        kind: dispatchV1.TaskKind.TASK_KIND_TEST,
        keyId: keyId ?? undefined,
        waitMs,
      },
      { ...call.rpc, deadlineMs: waitMs + marginMs },
    );
    if (task !== undefined) return taskFromMessage(task);
  } catch (error) {
    logger.warn({ err: error, requestId: call.requestId, taskId }, 'a test could not be started at once');
  }
  return {
    id: taskId,
    organisationId,
    endpointId,
    kind: 'test',
    keyId,
    eventId: null,
    state: 'pending',
    error: null,
    createdAt: new Date(clock.now()),
    startedAt: null,
    completedAt: null,
  };
}

/** As `runTest`, for an answer that shows the config: as it is once the test has ended, where that was waited for. Never rejects. */
export async function runTestOf(
  deps: TestDeps,
  found: FoundEndpoint,
  call: DialectCall,
): Promise<FoundEndpoint> {
  const task = await runTest(deps, found.endpoint, call);
  if (task.completedAt === null) return found;
  try {
    return await findEndpoint(deps.clients, 'ricloud', found.endpoint.id, call);
  } catch (error) {
    deps.logger.warn({ err: error, requestId: call.requestId }, 'a config could not be read after its test');
    return found;
  }
}

import {
  createDeliveryIds,
  dialectRules,
  DomainError,
  isFinal,
  newId,
  plainEvent,
  type Delivery,
  type Endpoint,
  type Event,
  type Principal,
  type SigningEndpoint,
  type Task,
} from '@posthorn/models';
import type { configV1 } from '@posthorn/contracts';
import type { Client } from '@posthorn/rpc';
import { sleep, type Clock, type Logger, type Random } from '@posthorn/runtime';
import type { DeliveryStore, DeliveryWithLast } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { DueClock } from '../due-clock.ts';
import { verifyEventType } from '../envelope/xurrent.ts';
import type { EventStore } from '../events/event-store.ts';
import type { OnDemand } from '../on-demand.ts';
import { newDelivery } from '../plan.ts';
import { ricloudTestPayload, ricloudTestType } from './ricloud-test-event.ts';
import type { TaskEnd, TaskStore } from './task-store.ts';
import type { EndpointTest } from './test-endpoint.ts';

/**
 * Runs tasks: the test of a ricloud endpoint, whose one attempt decides whether it is valid; and the verification of a xurrent one, a
 * delivery like any other whose receiver is to call us back. However many dispatchers are asked, one of them begins a task, and what it
 * had under way when it died is not tried again: a test is one attempt.
 */
export interface TaskRunner {
  /** Puts the task on record and begins it unless someone has; waits at most `waitMs` for its end. Errors: `not_found`. */
  run(request: TaskRequest, waitMs: number, signal: AbortSignal): Promise<Task>;
  /** Ends what was begun by whoever is no more, and what has ended meanwhile; tells config again what came of a test. */
  settle(task: Task): Promise<void>;
}

export type TaskRequest = Pick<Task, 'id' | 'organisationId' | 'endpointId' | 'keyId'>;

export interface TaskRunnerOptions {
  readonly tasks: TaskStore;
  readonly events: Pick<EventStore, 'get'>;
  readonly deliveries: Pick<DeliveryStore, 'get' | 'record'>;
  readonly directory: Directory;
  readonly test: EndpointTest;
  readonly onDemand: OnDemand;
  /** Puts an event on record that nobody else is to get. */
  readonly recordEvent: (event: Event) => Promise<unknown>;
  /** Something of an endpoint waits in storage, due at `dueAt` by the due clock. */
  readonly noteStored: (organisationId: string, endpointId: string, dueAt: number) => void;
  readonly endpoints: Client<typeof configV1.EndpointServiceService>;
  readonly principal: Principal;
  readonly publicUrl: () => string;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Beyond an endpoint's timeout: whoever began a test and hasn't ended it by then is no more. */
const longestTestMs = 120_000;
const lookEveryMs = 50;
/** The partition of what was never in the log. */
const unpublished = 0;

export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const { tasks, events, deliveries, directory, test, onDemand, endpoints, clock, dueClock, random, logger } =
    options;

  async function endpointOf({ organisationId, endpointId }: TaskRequest): Promise<SigningEndpoint> {
    await directory.bringUpToDate();
    await directory.load([organisationId]);
    const endpoint = directory.endpoint(organisationId, endpointId);
    if (endpoint === undefined) throw new DomainError('not_found', `There is no endpoint ${endpointId}.`);
    return endpoint;
  }

  async function begin(task: Task, signing: SigningEndpoint): Promise<void> {
    const at = new Date(clock.now());
    const eventId = newId(at.getTime(), (count) => random.bytes(count));
    if (!(await tasks.begin(task.id, { eventId, at }))) return;
    const begun = { ...task, eventId };
    // The caller waits for the end as long as it likes, and the work goes on without it.
    void (task.kind === 'verification' ? askForCallback(begun, signing) : sendTest(begun, signing)).catch(
      (error: unknown) => {
        logger.error({ err: error, taskId: task.id }, 'a task could not be run');
        return end(begun, failed('The request could not be sent.')).catch(() => undefined);
      },
    );
  }

  async function sendTest(task: Task, { endpoint }: SigningEndpoint): Promise<void> {
    if (endpoint.state === 'disabled') {
      await end(task, failed('The endpoint is disabled.'));
      return;
    }
    const isRicloud = endpoint.dialect === 'ricloud';
    const { outcome, error } = await test.send({
      organisationId: task.organisationId,
      endpointId: task.endpointId,
      ...(task.eventId !== null && { eventId: task.eventId }),
      type: isRicloud ? ricloudTestType : '',
      data: isRicloud ? ricloudTestPayload(endpoint) : new Uint8Array(),
    });
    await end(task, outcome === 'success' ? succeeded() : failed(error ?? 'The test failed.'));
  }

  async function askForCallback(task: Task, signing: SigningEndpoint): Promise<void> {
    const { verificationCallbackPath: path, endpoint } = signing;
    if (path === null || task.eventId === null) {
      await end(task, failed('No verification of the endpoint is open.'));
      return;
    }
    const now = new Date(clock.now());
    const callback = `${options.publicUrl()}${path}`;
    const event = plainEvent({
      id: task.eventId,
      organisationId: task.organisationId,
      type: verifyEventType,
      payload: Buffer.from(JSON.stringify({ callback })),
      acceptedAt: now,
    });
    await options.recordEvent(event);
    const delivery = newDelivery(event, endpoint.id, deliveryIdOfEvent(event, endpoint.id), now);
    const due = { ...delivery, nextAttemptAt: new Date(dueClock.now()) };
    await deliveries.record(
      [
        {
          kind: 'insert',
          delivery: due,
          partition: unpublished,
          epoch: 0,
          order: null,
          claim: null,
          attempt: null,
        },
      ],
      [],
    );
    // Where its partition is ours it goes out at once; else its owner is told when it looks at what hasn't ended.
    await onDemand.start([{ delivery: due, event }], 'schedule').catch((error: unknown) => {
      if (DomainError.from(error).code !== 'unavailable') throw error;
    });
  }

  /** Tells config first, so that whoever sees the task ended sees the endpoint as it came out of it. */
  async function end(task: Task, result: TaskEnd): Promise<void> {
    if (task.kind === 'test') await tellConfig(task, result.state === 'succeeded');
    await tasks.complete(task.id, result);
  }

  async function tellConfig(task: Task, passed: boolean): Promise<void> {
    const { organisationId, endpointId, id: verificationId } = task;
    try {
      await endpoints.completeVerification(
        { organisationId, endpointId, verificationId, passed },
        { principal: options.principal },
      );
      await directory.bringUpToDate();
    } catch (error) {
      const { code } = DomainError.from(error);
      // Deleted meanwhile, or of a dialect that has no verification; else the next look tells it again.
      if (code !== 'not_found' && code !== 'failed_precondition') {
        logger.error({ err: error, taskId: task.id }, 'the outcome of a test could not be told');
      }
    }
  }

  /** What is on record of what the task sent; null while it isn't. */
  async function sentBy({ organisationId, endpointId, eventId }: Task): Promise<DeliveryWithLast | null> {
    const event = eventId === null ? null : await events.get(organisationId, eventId);
    if (event === null) return null;
    return deliveries.get(organisationId, deliveryIdOfEvent(event, endpointId));
  }

  /** Whichever of the dispatchers owns it takes it up now, not when it next looks for what it was never told of. */
  async function tellLane({ organisationId, endpointId, nextAttemptAt }: Delivery): Promise<void> {
    if (nextAttemptAt === null) return;
    await directory.load([organisationId]);
    options.noteStored(organisationId, endpointId, nextAttemptAt.getTime());
  }

  function succeeded(): TaskEnd {
    return { state: 'succeeded', error: null, at: new Date(clock.now()) };
  }

  function failed(error: string): TaskEnd {
    return { state: 'failed', error, at: new Date(clock.now()) };
  }

  return {
    async run(request, waitMs, signal) {
      const known = await tasks.get(null, request.id);
      const isForeign = known !== null && known.organisationId !== request.organisationId;
      if (isForeign) throw new DomainError('not_found', `There is no task ${request.id}.`);
      let task = known;
      if (task === null || task.state === 'pending') {
        const signing = await endpointOf(request);
        task = await tasks.insert(newTask(request, signing.endpoint, new Date(clock.now())));
        await begin(task, signing);
      }
      const until = clock.monotonic() + waitMs;
      for (;;) {
        const now = await tasks.get(request.organisationId, request.id);
        if (now === null) return task;
        if (now.completedAt !== null || clock.monotonic() >= until || signal.aborted) return now;
        await sleep(clock, Math.min(lookEveryMs, until - clock.monotonic()));
      }
    },

    async settle(task) {
      if (task.state === 'pending') return;
      if (task.completedAt !== null) {
        if (task.kind === 'test') await tellConfig(task, task.state === 'succeeded');
        return;
      }
      const sent = await sentBy(task);
      if (sent !== null && isFinal(sent.delivery.state)) {
        const error = sent.lastAttempt?.error ?? 'It was not delivered.';
        await end(task, sent.delivery.state === 'succeeded' ? succeeded() : failed(error));
        return;
      }
      if (sent !== null) await tellLane(sent.delivery);
      const sinceMs = clock.now() - (task.startedAt?.getTime() ?? 0);
      if (task.kind === 'test' && sinceMs > longestTestMs) {
        await end(task, failed('The test was interrupted.'));
      }
    },
  };
}

function newTask(request: TaskRequest, { dialect }: Endpoint, createdAt: Date): Task {
  const isCallback = dialectRules[dialect].verifiedBy === 'callback';
  return {
    ...request,
    kind: isCallback ? 'verification' : 'test',
    eventId: null,
    state: 'pending',
    error: null,
    createdAt,
    startedAt: null,
    completedAt: null,
  };
}

function deliveryIdOfEvent({ acceptedAt, organisationId, id: eventId }: Event, endpointId: string): string {
  return createDeliveryIds({ acceptedAt, organisationId, eventId })(endpointId);
}

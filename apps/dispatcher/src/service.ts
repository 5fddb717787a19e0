import type { configV1, dispatchV1 } from '@posthorn/contracts';
import type { EventLogReader } from '@posthorn/event-log';
import type { Branding, Event, OperationalEvent, Principal } from '@posthorn/models';
import {
  createAuditing,
  type AuditLog,
  type Auditing,
  type Client,
  type ServiceRegistration,
} from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import { createActivityRpc } from './activity-rpc.ts';
import { createAttempt } from './attempt.ts';
import { activityRules, deliveryRules, eventRules, replayRules, taskRules } from './audit-rules.ts';
import { createBackpressure, defaultIntakeLimits, type IntakeLimits } from './backpressure.ts';
import { createBooks } from './books.ts';
import type { DeadRecordStore } from './dead-record-store.ts';
import { createDeliveryRpc } from './deliveries-rpc.ts';
import type { DeliverySearch } from './delivery-search.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { createDeliveryView } from './delivery-view.ts';
import { createDirectory } from './directory.ts';
import { createDisabling } from './disable.ts';
import { createDueReader } from './due.ts';
import { createDueClock } from './due-clock.ts';
import { createEndpointTroubles } from './endpoint-troubles.ts';
import { createEnvelopes } from './envelope/envelope.ts';
import { defaultBranding } from './envelope/rapidly.ts';
import type { EventStore } from './event-store.ts';
import { createEventRpc } from './events-rpc.ts';
import { createExhaustedNotices } from './exhausted.ts';
import type { createExpiry } from './expiry.ts';
import { createIntake } from './intake.ts';
import type { JobStore } from './job-store.ts';
import { createJobs } from './jobs.ts';
import { defaultLaneLimits, type LaneLimits } from './lane-limits.ts';
import { createLanes } from './create-lanes.ts';
import type { LeaseStore } from './lease-store.ts';
import { createOnDemand } from './on-demand.ts';
import { createOwnership } from './ownership.ts';
import { createPartitions } from './partitions.ts';
import { createPlannedCheck } from './planned.ts';
import { createPutAside } from './put-aside.ts';
import { createRecorder } from './record.ts';
import { createRecurring } from './recurring.ts';
import type { ReplayStore } from './replay-store.ts';
import { createRetentionSweeper } from './retention.ts';
import { createOpenTasks } from './open-tasks.ts';
import { createSearchHandlers } from './search-rpc.ts';
import { createSwitchOff } from './switch-off.ts';
import { createTaskRunner } from './task-runner.ts';
import type { TaskStore } from './task-store.ts';
import { createTaskRpc } from './tasks-rpc.ts';
import { createEndpointTest } from './test-endpoint.ts';
import type { TroubleStore } from './trouble-store.ts';
import { createWaitingLanes, lookAgainAfter } from './waiting-lanes.ts';
import type { WebhookClient } from './webhook-client.ts';

/** The dispatcher: reads the log, plans, delivers, records, and answers what became of it. */
export interface Dispatcher {
  readonly events: ServiceRegistration<typeof dispatchV1.EventServiceService>;
  readonly deliveries: ServiceRegistration<typeof dispatchV1.DeliveryServiceService>;
  readonly activity: ServiceRegistration<typeof dispatchV1.EndpointActivityServiceService>;
  readonly tasks: ServiceRegistration<typeof dispatchV1.TaskServiceService>;
  readonly replays: ServiceRegistration<typeof dispatchV1.ReplayServiceService>;
  start(): Promise<void>;
  /** Stops reading and starting, lets what is under way end (until `signal` aborts), and puts the rest on record. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface DispatcherOptions {
  readonly log: EventLogReader;
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly search: DeliverySearch;
  readonly tasks: TaskStore;
  readonly troubles: TroubleStore;
  readonly jobs: JobStore;
  readonly replays: ReplayStore;
  readonly leases: LeaseStore;
  readonly deadRecords: DeadRecordStore;
  /** What the stores go by, where the database removes by itself what has expired. */
  readonly expiry?: ReturnType<typeof createExpiry>;
  /** Puts a test's event on record without anyone else getting it. */
  readonly recordTestEvent: (event: Event) => Promise<unknown>;
  readonly clients: {
    readonly directory: Client<typeof configV1.DirectoryServiceService>;
    readonly endpoints: Client<typeof configV1.EndpointServiceService>;
  };
  /** Where it is put on record what callers do; nowhere when absent. */
  readonly auditLog?: AuditLog;
  /** Where operational events go; none are told when absent. */
  readonly publishOperational?: (event: OperationalEvent) => void;
  readonly webhookClient: WebhookClient;
  /** A native endpoint that has failed for so long is disabled; 0: never, which is the default. */
  readonly disableAfterMs?: number;
  /** What every link of ours begins with, without a slash at its end. */
  readonly publicUrl: () => string;
  /** What messages for people are signed with where an organisation has no branding of its own. */
  readonly branding?: Branding;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly laneLimits?: LaneLimits;
  readonly intakeLimits?: IntakeLimits;
  /** How long a lease lasts that isn't renewed; the same for all dispatchers. */
  readonly leaseTermMs?: number;
}

const principal: Principal = { kind: 'service', id: 'dispatcher', organisationId: null, scopes: ['*'] };
const lookForChangesMs = 500;
const lookAtKeysMs = 60_000;
const takeUpTasksMs = 1000;
const lookForTroublesMs = 30_000;
const takeUpJobsMs = 1000;
const settleTasksMs = 5000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { log, events, deliveries, clients, webhookClient, clock, random, logger, metrics } = options;
  const dueClock = createDueClock(clock);
  const directory = createDirectory({ client: clients.directory, principal });
  const envelopes = createEnvelopes({
    branding: options.branding ?? defaultBranding,
    publicUrl: options.publicUrl,
    random,
  });
  const attempt = createAttempt({
    envelopes,
    directory,
    client: webhookClient,
    clock,
    dueClock,
    random,
    logger,
    metrics,
  });
  const ownership = createOwnership({
    leases: options.leases,
    clock,
    random,
    logger,
    metrics,
    ...(options.leaseTermMs !== undefined && { termMs: options.leaseTermMs }),
  });
  const putAside = createPutAside({ store: options.deadRecords, clock, logger, metrics });
  const books = createBooks();
  const disable = createDisabling({ endpoints: clients.endpoints, directory, principal, logger });
  const switchOff = createSwitchOff({
    search: options.search,
    directory,
    disable,
    logger,
  });
  const publish = options.publishOperational ?? (() => undefined);
  const exhausted = createExhaustedNotices({ directory, publish });
  const troubles = createEndpointTroubles({
    store: options.troubles,
    search: options.search,
    directory,
    disable,
    publish,
    disableAfterMs: options.disableAfterMs ?? 0,
    clock,
    logger,
  });
  const recorder = createRecorder({
    store: {
      async record(records, positions) {
        await deliveries.record(records, positions);
        switchOff.observe(records);
        exhausted.observe(records);
        troubles.observe(records);
      },
    },
    books,
    putAside,
    onMoved: (moved) => {
      for (const { partition, next } of moved) log.recorded(partition, next);
    },
    clock,
    logger,
    metrics,
  });
  const due = createDueReader({ store: deliveries, recorder, clock, dueClock, logger });
  const lanes = createLanes({
    attempt,
    recorder,
    directory,
    due,
    store: deliveries,
    holdings: () => ownership.held(),
    clock,
    dueClock,
    logger,
    metrics,
    limits: options.laneLimits ?? defaultLaneLimits,
    random,
    onOpened: (endpointId, forMs) => troubles.opened(endpointId, forMs),
    onGone: (endpoint, reason) => void disable(endpoint, reason),
    onRoom: () => backpressure.roomMade(),
  });
  const backpressure = createBackpressure({
    log,
    lanes,
    books,
    clock,
    metrics,
    limits: options.intakeLimits ?? defaultIntakeLimits,
  });
  const intake = createIntake({
    events,
    deliveries,
    directory,
    ownership,
    lanes,
    recorder,
    books,
    backpressure,
    putAside,
    clock,
    logger,
    metrics,
  });
  const findWaiting = createWaitingLanes({ due, directory, lanes, logger });
  const partitions = createPartitions({
    ownership,
    isExclusive: options.leases.isExclusive,
    deliveries,
    books,
    lanes,
    intake,
    backpressure,
    directory,
    recorder,
    findWaiting,
    clock,
    dueClock,
    logger,
  });
  const { tasks } = options;
  options.expiry?.follow(directory);
  const retention = createRetentionSweeper({
    events,
    deliveries,
    tasks,
    jobs: options.jobs,
    deadRecords: options.deadRecords,
    directory,
    // Whoever has the first partition does it for all.
    isOurs: () => options.leases.isExclusive || ownership.find(0)?.state === 'held',
    databaseExpires: options.expiry !== undefined,
    clock,
    logger,
  });
  const onDemand = createOnDemand({
    deliveries,
    events,
    directory,
    ownership,
    lanes,
    recorder,
    clock,
    dueClock,
  });
  const view = createDeliveryView({ lanes, clock, dueClock });
  const search = createSearchHandlers({
    search: options.search,
    events,
    directory,
    envelopes,
    view,
    clock,
  });
  const test = createEndpointTest({
    attempt,
    directory,
    deliveries,
    recordEvent: options.recordTestEvent,
    clock,
    random,
  });
  const taskRunner = createTaskRunner({
    tasks,
    events,
    deliveries,
    directory,
    test,
    onDemand,
    recordEvent: options.recordTestEvent,
    noteStored: (organisationId, endpointId, dueAt) => lanes.noteStored(organisationId, endpointId, dueAt),
    endpoints: clients.endpoints,
    principal,
    publicUrl: options.publicUrl,
    clock,
    dueClock,
    random,
    logger,
  });
  const openTasks = createOpenTasks({
    tasks,
    runner: taskRunner,
    client: clients.directory,
    principal,
    logger,
  });
  const isPlanned = createPlannedCheck(options.leases);
  const jobs = createJobs({
    jobs: options.jobs,
    replays: options.replays,
    deliveries,
    events,
    directory,
    isPlanned,
    lanes,
    ownership,
    clock,
    dueClock,
    random,
    logger,
    metrics,
    leaseTermMs: options.leaseTermMs,
  });
  // The group may leave the partition with us all the same: then reading begins again where the books are by then.
  ownership.onLost(({ partition }) => log.reopen(partition));
  directory.onChange((organisationId) => {
    lanes.refresh(organisationId);
    troubles.changed(organisationId);
  });
  const recurring = createRecurring({ clock, logger });
  const { every } = recurring;
  const { auditLog } = options;
  const audited: Auditing =
    auditLog === undefined
      ? (registration) => registration
      : createAuditing({ log: auditLog, clock, random, logger });

  return {
    events: audited(
      createEventRpc({ events, deliveries, directory, onDemand, lanes, isPlanned, view, clock }),
      eventRules,
    ),
    deliveries: audited(
      createDeliveryRpc({ deliveries, events, directory, lanes, onDemand, search, view, clock }),
      deliveryRules,
    ),
    activity: audited(createActivityRpc({ deliveries, troubles, lanes, test, clock }), activityRules),
    tasks: audited(createTaskRpc({ tasks, runner: taskRunner }), taskRules),
    replays: audited(jobs.replays, replayRules),
    async start() {
      await directory.bringUpToDate();
      await troubles.refresh();
      lanes.start();
      await log.start({
        assigned: (partition) => partitions.assigned(partition),
        revoked: (partition) => partitions.revoked(partition),
        deliver: (batch) => intake.deliver(batch),
        lost: (loss) => intake.lost(loss),
      });
      retention.start();
      every(lookForChangesMs, 'looking for changed endpoints', () => directory.bringUpToDate());
      every(lookForTroublesMs, 'looking for failing endpoints', () => troubles.refresh());
      every(takeUpTasksMs, 'taking up tasks', () => openTasks.takeUp());
      every(takeUpJobsMs, 'taking up jobs', () => jobs.runner.look());
      every(settleTasksMs, 'settling tasks', () => openTasks.settle());
      recurring.repeat(
        'looking for waiting lanes',
        () => {
          lanes.keys.recheckSome();
          return findWaiting(ownership.held().map(({ partition }) => partition));
        },
        (tookMs) => lookAgainAfter(tookMs, options.leases),
      );
      if (!options.leases.isExclusive) {
        every(lookAtKeysMs, 'looking at the order of keys', () => partitions.lookAtKeys());
      }
    },
    async stop(signal) {
      recurring.stop();
      partitions.stopUntil(signal);
      await jobs.runner.stop(signal);
      backpressure.stop();
      ownership.stop();
      await log.stop();
      await lanes.stop(signal);
      await recorder.drain(signal);
      await retention.stop();
      await Promise.race([Promise.all([switchOff.idle(), troubles.idle()]), aborted(signal)]);
      // What outlasts the stop is left to the end of the process: its claim stands, and is given back at the next start.
      await Promise.race([webhookClient.close(), aborted(signal)]);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

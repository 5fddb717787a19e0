import { servicePrincipal } from '@posthorn/models';
import { createAuditing, type Auditing } from '@posthorn/rpc';
import { createActivityRpc } from './rpc/activity-rpc.ts';
import { createAttempt } from './attempt.ts';
import {
  activityRules,
  deliveryRules,
  erasureRules,
  eventRules,
  replayRules,
  taskRules,
} from './audit-rules.ts';
import { createBackpressure, defaultIntakeLimits } from './intake/backpressure.ts';
import { createBooks } from './intake/books.ts';
import { createDeliveryRpc } from './rpc/deliveries-rpc.ts';
import { createDeliveryView } from './rpc/delivery-view.ts';
import { createDirectory } from './directory.ts';
import { createDisabling } from './troubles/disable.ts';
import { createDueReader } from './due.ts';
import { createDueClock } from './due-clock.ts';
import { createEndpointTroubles } from './troubles/endpoint-troubles.ts';
import { createEraser } from './erasures/eraser.ts';
import { createEnvelopes } from './envelope/envelope.ts';
import { defaultBranding } from './envelope/rapidly.ts';
import { createEventRpc } from './rpc/events-rpc.ts';
import { createFeed } from './feeds/feed.ts';
import { createFeedHorizons } from './feeds/feed-horizons.ts';
import { createExhaustedNotices } from './troubles/exhausted.ts';
import { createHoming, type Homing } from './homes/homing.ts';
import { createIntake } from './intake/intake.ts';
import { createJobs } from './jobs/jobs.ts';
import { defaultLaneLimits } from './lanes/lane-limits.ts';
import type { Lanes } from './lanes/lanes.ts';
import { createLanes } from './lanes/create-lanes.ts';
import { createOnDemand } from './on-demand.ts';
import { createOwnership } from './ownership/ownership.ts';
import { createPartitions } from './ownership/partitions.ts';
import { createPlannedCheck } from './ownership/planned.ts';
import { createPutAside } from './intake/put-aside.ts';
import { createRecorder } from './record.ts';
import { createRecurring } from './recurring.ts';
import { createRetentionSweeper } from './retention/retention.ts';
import { createOpenTasks } from './tasks/open-tasks.ts';
import { createSearchHandlers } from './rpc/search-rpc.ts';
import { createSwitchOff } from './troubles/switch-off.ts';
import { createTaskRunner } from './tasks/task-runner.ts';
import { createTaskRpc } from './tasks/tasks-rpc.ts';
import { createEndpointTest } from './tasks/test-endpoint.ts';
import { createTombstones, lookForTombstonesMs, settleTombstonesMs } from './erasures/tombstones.ts';
import { createUnerasedRecord } from './erasures/unerased-record.ts';
import { createWaitingLanes, lookAgainAfter } from './lanes/waiting-lanes.ts';
import type { Dispatcher, DispatcherOptions } from './dispatcher.ts';

export type { Dispatcher, DispatcherOptions };

const principal = servicePrincipal('dispatcher');
const lookForChangesMs = 500;
const lookAtKeysMs = 60_000;
const takeUpTasksMs = 1000;
const lookForTroublesMs = 30_000;
const takeUpJobsMs = 1000;
const settleTasksMs = 5000;
const lookForHorizonsMs = 500;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { log, events, clients, webhookClient, clock, random, logger, metrics } = options;
  const dueClock = createDueClock(clock);
  const { isExclusive } = options.leases;
  const tombstones = createTombstones({ store: options.erasures, isExclusive, clock, random });
  const eraser = createEraser({ store: options.erasures, lanes: () => lanes, clock });
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
  const horizons = createFeedHorizons({
    store: {
      ...options.deliveries,
      record: createUnerasedRecord({ store: options.deliveries, tombstones, eraser, clock }),
    },
    feeds: options.feeds,
    held: () => ownership.held(),
    isExclusive,
    clock,
  });
  // Whatever goes on record goes through it, so that feeds miss nothing that comes late.
  const { deliveries } = horizons;
  const putAside = createPutAside({ store: options.deadRecords, clock, logger, metrics });
  const books = createBooks();
  const disable = createDisabling({ endpoints: clients.endpoints, directory, principal, logger });
  const switchOff = createSwitchOff({ search: options.search, directory, disable, logger });
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
  const homing: Homing = createHoming({
    partitions: () => log.partitions,
    deliveries,
    directory,
    ownership,
    recorder,
    lanes: () => lanes,
    onRoom: () => backpressure.roomMade(),
    clock,
    dueClock,
    logger,
    metrics,
  });
  const { reach, homeward, homecoming } = homing;
  const lanes: Lanes = createLanes({
    attempt,
    recorder,
    directory,
    due,
    store: homing.store,
    tombstones,
    reach,
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
    homeward,
    recorder,
    books,
    backpressure,
    putAside,
    tombstones,
    eraser,
    clock,
    logger,
    metrics,
  });
  const findWaiting = createWaitingLanes({ due, directory, lanes, logger });
  const partitions = createPartitions({
    ownership,
    isExclusive,
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
    eraseGone: (organisationId) => jobs.erasureBeginner.beginForGone(organisationId, principal.id),
    // Whoever has the first partition does it for all.
    isOurs: () => isExclusive || ownership.find(0)?.state === 'held',
    databaseExpires: options.expiry !== undefined,
    clock,
    logger,
  });
  const onDemand = createOnDemand({
    deliveries,
    events,
    directory,
    ownership,
    homeOf: reach.homeOf,
    lanes,
    recorder,
    clock,
    dueClock,
  });
  const feed = createFeed({ feeds: options.feeds, events, publish: () => horizons.publish() });
  const view = createDeliveryView({ lanes, clock, dueClock });
  const search = createSearchHandlers({ search: options.search, events, directory, envelopes, view, clock });
  const test = createEndpointTest({
    attempt,
    directory,
    deliveries,
    recordEvent: options.recordTestEvent,
    clock,
    random,
  });
  const runner = createTaskRunner({
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
  const openTasks = createOpenTasks({ tasks, runner, client: clients.directory, principal, logger });
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
    homeOf: reach.homeOf,
    clock,
    dueClock,
    random,
    logger,
    metrics,
    leaseTermMs: options.leaseTermMs,
    erasing: {
      store: options.erasures,
      tombstones,
      eraser,
      deliveries,
      tasks,
      troubles: options.troubles,
      settleMs: isExclusive ? 0 : settleTombstonesMs,
    },
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
    activity: audited(
      createActivityRpc({ deliveries, troubles, lanes, feed, test, view, clock }),
      activityRules,
    ),
    tasks: audited(createTaskRpc({ tasks, runner }), taskRules),
    replays: audited(jobs.replays, replayRules),
    erasures: audited(jobs.erasures, erasureRules),
    async start() {
      await directory.bringUpToDate();
      await troubles.refresh();
      await tombstones.bringUpToDate();
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
      every(lookForTombstonesMs, 'looking for what was erased', () => tombstones.bringUpToDate());
      every(lookForHorizonsMs, 'looking where feeds stand', () => horizons.look());
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
      if (!isExclusive) {
        homecoming.start();
        every(lookAtKeysMs, 'looking at the order of keys', () => partitions.lookAtKeys());
      }
    },
    async stop(signal) {
      recurring.stop();
      partitions.stopUntil(signal);
      await jobs.runner.stop(signal);
      backpressure.stop();
      homecoming.stop();
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

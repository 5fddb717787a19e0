import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { deliveryIdOf, deliveryStates, isFinal, type DeliveryState, type Event } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { createSeededRandom } from '@posthorn/testing';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { createSqliteDeliverySearch } from '../deliveries/delivery-search.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { dispatcherMigrations, named } from '../deliveries/delivery-rows.sqlite.ts';
import type { EventPlace, EventStore } from '../events/event-store.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import { createSqliteLeaseStore } from '../ownership/lease-store.sqlite.ts';
import type { LeaseStore } from '../ownership/lease-store.ts';
import { createDispatcher, type Dispatcher } from '../service.ts';
import { directoryClient, endpointsClient, simulatedLimits, type World } from './simulated-life.harness.ts';
import { createSqliteReplayStore } from '../replays/replay-store.sqlite.ts';
import { createSqliteErasureStore, erasureMigrations } from '../erasures/erasure-store.sqlite.ts';
import { createSqliteFeedStore, feedMigrations } from '../feeds/feed-store.sqlite.ts';
import { createSqliteJobStore, jobMigrations } from '../jobs/job-store.sqlite.ts';
import { createSqliteTaskStore, taskMigrations } from '../tasks/task-store.sqlite.ts';
import { createSimulatedLog, type SimulatedLog } from './simulated-log.harness.ts';
import {
  createSimulatedProcess,
  type SimulatedProcess,
  type StoreWeather,
} from './simulated-process.harness.ts';
import { createSqliteTroubleStore, troubleMigrations } from '../troubles/trouble-store.sqlite.ts';
import type { Exchange, WebhookClient } from '../webhook-client.ts';

/**
 * Several dispatchers over one partitioned log and shared stores, in one test: each is a simulated process of its own, which can be
 * stopped, frozen and killed. The receivers watch every request: whether its sender held the lease of the event's partition.
 */
export interface Cluster {
  readonly log: SimulatedLog;
  readonly deliveries: DeliveryStore;
  readonly leases: LeaseStore;
  readonly events: EventStore;
  readonly weather: StoreWeather;
  readonly members: Set<Member>;
  /** What went wrong, in the order in which it did. */
  readonly violations: string[];
  /** Every attempt that a running process has begun, and when. */
  readonly starts: readonly { readonly endpointId: string; readonly at: number }[];
  /** The most requests that an endpoint had under way since it was last asked for; what killed or frozen processes left isn't counted. */
  takePeak(endpointId: string): number;
  start(): Promise<Member>;
  stop(member: Member): Promise<void>;
  kill(member: Member): void;
  freeze(member: Member): void;
  thaw(member: Member): void;
  deliveryId(event: Event, endpointId: string): string;
  /** The states of all deliveries on record, by id. */
  states(): ReadonlyMap<string, DeliveryState>;
  close(): Promise<void>;
}

export interface Member {
  readonly process: SimulatedProcess;
  readonly dispatcher: Dispatcher;
  /** The names that its leases show. */
  readonly owners: Set<string>;
}

export const leaseTermMs = 3000;

export function openCluster(
  world: World,
  directory: string,
  partitions: number,
  { clocksDifferByMs = 30_000 }: { readonly clocksDifferByMs?: number } = {},
): Cluster {
  const { clock, random, organisationId } = world;
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [
      eventLogMigrations,
      dispatcherMigrations,
      taskMigrations,
      troubleMigrations,
      jobMigrations,
      feedMigrations,
      erasureMigrations,
    ],
  });
  const log = createSimulatedLog(partitions, { clock, random });
  const deliveries = createSqliteDeliveryStore(database);
  const events = claimingEvents(database);
  const leases: LeaseStore = { ...createSqliteLeaseStore(database), isExclusive: false };
  const weather: StoreWeather = { away: new Set(), slowMs: 0 };
  const members = new Set<Member>();
  const started: Member[] = [];
  const violations: string[] = [];
  const leaseOwner = database.prepare<{ owner: string | null }>(
    'SELECT owner FROM leases WHERE partition = ?',
  );
  const selectStates = database.prepare<{ id: string; state: number }>('SELECT id, state FROM deliveries');
  const selectState = database.prepare<{ state: number }>('SELECT state FROM deliveries WHERE id = ?');
  const selectBucket = database.prepare<{ partition: number }>(
    'SELECT partition FROM deliveries WHERE id = ?',
  );
  const starts: { endpointId: string; at: number }[] = [];
  const underWay = new Map<string, Set<{ readonly process: SimulatedProcess }>>();
  const peaks = new Map<string, number>();
  const furthestSent = new Map<string, number>();
  let count = 0;

  function placeOf(eventId: string): EventPlace | undefined {
    for (const [partition, logged] of log.partitions.entries()) {
      const found = logged.find(({ event }) => event.id === eventId);
      if (found !== undefined) return { partition, position: found.position };
    }
    return undefined;
  }

  /** The partition that a delivery belongs to: where it is on record, else its event's. */
  function bucketOf(eventId: string, endpointId: string, place: EventPlace | undefined): number {
    const event = log.partitions.flat().find((one) => one.event.id === eventId)?.event;
    if (event === undefined) return place?.partition ?? -1;
    const { acceptedAt } = event;
    const id = deliveryIdOf({ acceptedAt, organisationId, eventId, endpointId });
    return selectBucket.get(id)?.partition ?? place?.partition ?? -1;
  }

  function begin(process: SimulatedProcess, endpointId: string): { readonly process: SimulatedProcess } {
    const request = { process };
    const requests = underWay.get(endpointId) ?? new Set();
    underWay.set(endpointId, requests.add(request));
    peaks.set(endpointId, Math.max(peaks.get(endpointId) ?? 0, requests.size));
    return request;
  }

  /** Nobody waits for the answers any more. */
  function abandon(process: SimulatedProcess): void {
    for (const requests of underWay.values()) {
      for (const request of requests) if (request.process === process) requests.delete(request);
    }
  }

  /** Bytes are written: from here on the receiver has them. */
  function arrive(
    member: Pick<Member, 'owners' | 'process'>,
    endpointId: string,
    eventId: string,
  ): Exchange | null {
    const place = placeOf(eventId);
    const bucket = bucketOf(eventId, endpointId, place);
    const owner = leaseOwner.get(bucket)?.owner ?? null;
    if (owner === null || !member.owners.has(owner)) {
      violations.push(`${member.process.name} sent ${eventId} without the lease of partition ${bucket}`);
    }
    if (place !== undefined) watchOrder(member.process.name, endpointId, place);
    const behaviour = world.behaviour(endpointId);
    const succeeded = behaviour === 'succeed';
    world.requests.push({ endpointId, eventId, succeeded });
    const response = { headers: {}, body: `got ${eventId}`, truncated: false };
    const answered = { response, retryAfterMs: null, address: '192.0.2.1', durationMs: 1 };
    if (behaviour === 'hang') return null;
    return succeeded
      ? { ...answered, outcome: 'success', status: 200, error: null }
      : { ...answered, outcome: 'http_error', status: 500, error: 'The receiver answered 500.' };
  }

  /** To an endpoint that wants order: everything of its key that stands before it has ended, and nothing behind it has been sent. */
  function watchOrder(sender: string, endpointId: string, { partition, position }: EventPlace): void {
    const logged = log.partitions[partition] ?? [];
    const sent = logged.find((one) => one.position === position)?.event;
    const { orderingKey: key = null } = sent ?? {};
    if (sent === undefined || key === null) return;
    if (world.endpoints.get(endpointId)?.endpoint.ordering !== 'key') return;
    const line = `${endpointId} ${partition} ${key}`;
    const furthest = furthestSent.get(line) ?? 0;
    if (position < furthest) {
      violations.push(`${sender} sent ${position} of ${line} after ${furthest}`);
    }
    furthestSent.set(line, Math.max(furthest, position));
    for (const { event, position: before } of logged) {
      if (before >= position) break;
      if (event.orderingKey !== key || event.id === sent.id) continue;
      const received = world.requests.some(
        (one) => one.succeeded && one.eventId === event.id && one.endpointId === endpointId,
      );
      const { acceptedAt, id: eventId } = event;
      const id = deliveryIdOf({ acceptedAt, organisationId, eventId, endpointId });
      const state = selectState.get(id)?.state;
      if (received || (state !== undefined && isFinal(named(deliveryStates, state)))) continue;
      violations.push(`${sender} sent ${position} of ${line} although ${before} has not ended`);
    }
  }

  function clientOf(member: Pick<Member, 'owners' | 'process'>): WebhookClient {
    const { process } = member;
    const timeout: Exchange = {
      response: null,
      retryAfterMs: null,
      address: null,
      durationMs: 1,
      outcome: 'timeout',
      status: null,
      error: 'The receiver did not answer in time.',
    };
    return {
      send: ({ url, headers, timeoutMs, mayWrite = () => true }) =>
        new Promise((resolve) => {
          const endpointId = String(url).split('/').at(-1) ?? '';
          const eventId = headers[headers.indexOf('webhook-id') + 1] ?? '';
          starts.push({ endpointId, at: clock.monotonic() });
          // Connecting takes a while; the process may be frozen, or have lost its lease, when it is done.
          process.clock.setTimeout(
            () => {
              if (!mayWrite()) {
                resolve(null);
                return;
              }
              const exchange = arrive(member, endpointId, eventId);
              const request = begin(process, endpointId);
              const afterMs = exchange === null ? timeoutMs : random.integer(1, 400);
              clock.setTimeout(() => underWay.get(endpointId)?.delete(request), afterMs);
              process.clock.setTimeout(() => resolve(exchange ?? timeout), afterMs);
            },
            random.integer(0, random.chance(0.2) ? 2000 : 60),
          );
        }),
      close: () => Promise.resolve(),
    };
  }

  async function start(): Promise<Member> {
    count += 1;
    const process = createSimulatedProcess(`dispatcher ${count}`, {
      clock,
      random,
      weather,
      wallOffsetMs: random.integer(-clocksDifferByMs / 2, clocksDifferByMs / 2),
    });
    const owners = new Set<string>();
    const reached = process.reach(leases);
    const dispatcher = createDispatcher({
      log: log.reader(process),
      events: process.reach(events),
      deliveries: process.reach(deliveries),
      search: createSqliteDeliverySearch(database),
      tasks: createSqliteTaskStore(database),
      troubles: process.reach(createSqliteTroubleStore(database)),
      jobs: process.reach({ ...createSqliteJobStore(database), isExclusive: false }),
      replays: process.reach(createSqliteReplayStore(database)),
      feeds: process.reach(createSqliteFeedStore(database)),
      erasures: process.reach(createSqliteErasureStore(database)),
      leases: {
        ...reached,
        isExclusive: false,
        find: (partition) => reached.find(partition),
        renew: (held) => reached.renew(held),
        giveBack: (held) => reached.giveBack(held),
        take(seen, owner) {
          owners.add(owner);
          return reached.take(seen, owner);
        },
      },
      deadRecords: process.reach(createSqliteDeadRecordStore(database)),
      recordTestEvent: () => Promise.resolve(),
      clients: { directory: directoryClient(world), endpoints: endpointsClient(world) },
      webhookClient: clientOf({ process, owners }),
      publicUrl: () => 'http://posthorn.test',
      clock: process.clock,
      random: createSeededRandom(random.integer(1, 1_000_000)),
      logger: silentLogger,
      metrics: createMetrics(),
      laneLimits: simulatedLimits,
      intakeLimits: { deliveries: 16, bytes: 1_000_000, unrecordedEvents: 40 },
      leaseTermMs,
    });
    const member: Member = { process, dispatcher, owners };
    members.add(member);
    started.push(member);
    await dispatcher.start();
    return member;
  }

  return {
    log,
    deliveries,
    leases,
    events,
    weather,
    members,
    violations,
    starts,
    takePeak(endpointId) {
      const peak = peaks.get(endpointId) ?? 0;
      peaks.set(endpointId, underWay.get(endpointId)?.size ?? 0);
      return peak;
    },
    start,
    async stop(member) {
      members.delete(member);
      await member.dispatcher.stop(new AbortController().signal);
      member.process.kill();
    },
    kill(member) {
      abandon(member.process);
      members.delete(member);
      member.process.kill();
      // The group finds out when the session has ended.
      clock.setTimeout(() => log.expel(member.process), random.integer(200, 3000));
    },
    freeze(member) {
      abandon(member.process);
      member.process.freeze();
      clock.setTimeout(
        () => {
          if (!member.process.isRunning) log.expel(member.process);
        },
        random.integer(200, 3000),
      );
    },
    thaw(member) {
      member.process.thaw();
      log.rejoin(member.process);
    },
    deliveryId: ({ id: eventId, acceptedAt }, endpointId) =>
      deliveryIdOf({ acceptedAt, organisationId, eventId, endpointId }),
    states: () => new Map(selectStates.all().map(({ id, state }) => [id, named(deliveryStates, state)])),
    async close() {
      for (const { process } of started) process.kill();
      weather.slowMs = 0;
      await clock.advanceAsync(10_000);
      await database.close();
    },
  };
}

/** An event store in which claiming is inserting, as on a cluster: the events' table beside their places in the log. */
export function claimingEvents(database: SqliteDatabase): EventStore {
  const log = createSqliteEventLog(database);
  const places = new Map<string, EventPlace>();
  const nameOf = ({ organisationId, id }: Pick<Event, 'organisationId' | 'id'>): string =>
    `${organisationId} ${id}`;
  return {
    ...createSqliteEventStore(database),
    claim: ({ partition, events }) =>
      Promise.all(
        events.map(async ({ position, event }) => {
          const name = nameOf(event);
          const known = places.get(name);
          if (known !== undefined) {
            return known.partition === partition && known.position === position ? 'repeat' : 'duplicate';
          }
          places.set(name, { partition, position });
          await log.appendUnread(event);
          return 'new';
        }),
      ),
    placeOf: async (organisationId, id) => places.get(nameOf({ organisationId, id })) ?? null,
  };
}

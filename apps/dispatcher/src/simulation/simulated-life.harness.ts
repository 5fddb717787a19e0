import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  configV1,
  dialectTable,
  type dispatchV1,
  organisationToMessage,
  signingEndpointToMessage,
} from '@posthorn/contracts';
import { createSqliteEventLog, eventLogMigrations, type SqliteEventLog } from '@posthorn/event-log';
import {
  defaultEndpointSettings,
  DomainError,
  newId,
  noUsageLimits,
  plainEvent,
  type Endpoint,
  type EndpointState,
  type Event,
  type Principal,
  type SigningEndpoint,
} from '@posthorn/models';
import {
  createInProcessClient,
  defineService,
  type Client,
  type ServiceDefinition,
  type ServiceRegistration,
} from '@posthorn/rpc';
import { createMetrics, silentLogger, type Metrics } from '@posthorn/runtime';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { FakeClock, type SeededRandom } from '@posthorn/testing';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { createSqliteDeliverySearch } from '../deliveries/delivery-search.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import type { EventStore } from '../events/event-store.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import type { LaneLimits } from '../lanes/lane-limits.ts';
import { createSqliteLeaseStore } from '../ownership/lease-store.sqlite.ts';
import type { LeaseStore } from '../ownership/lease-store.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from '../service.ts';
import { createSqliteReplayStore } from '../replays/replay-store.sqlite.ts';
import { createSqliteErasureStore, erasureMigrations } from '../erasures/erasure-store.sqlite.ts';
import { createSqliteFeedStore, feedMigrations } from '../feeds/feed-store.sqlite.ts';
import { createSqliteJobStore, jobMigrations } from '../jobs/job-store.sqlite.ts';
import { createSqliteTaskStore, taskMigrations } from '../tasks/task-store.sqlite.ts';
import { createSqliteTroubleStore, troubleMigrations } from '../troubles/trouble-store.sqlite.ts';
import type { Exchange, WebhookClient } from '../webhook-client.ts';

/**
 * For the simulation: a world of receivers and configuration that outlives the dispatcher, and lives of the dispatcher in it,
 * each on what the last one left on disk. A crash copies the database as a killed process leaves it and cuts the old life
 * off: its requests reach nobody any more.
 */
export interface World {
  readonly clock: FakeClock;
  readonly random: SeededRandom;
  readonly organisationId: string;
  readonly endpoints: Map<string, SigningEndpoint>;
  /** What each receiver does with the next request. */
  behaviour: (endpointId: string) => 'succeed' | 'fail' | 'hang';
  /** Every request that reached a receiver, in order. */
  readonly requests: { readonly endpointId: string; readonly eventId: string; readonly succeeded: boolean }[];
  revision: bigint;
}

/** A world in which everybody is well, with endpoints of these numbers. */
export function createWorld(random: SeededRandom, numbers: readonly number[] = []): World {
  const world: World = {
    clock: new FakeClock(),
    random,
    organisationId: '01900000-0000-4000-8000-00000000aaaa',
    endpoints: new Map(),
    behaviour: () => 'succeed',
    requests: [],
    revision: 1n,
  };
  for (const number of numbers) world.endpoints.set(endpointId(number), simulatedEndpoint(world, number));
  return world;
}

export function newEvent({ clock, random, organisationId }: World): Event {
  const now = new Date(clock.now());
  return plainEvent({
    id: newId(clock.now(), (count) => random.bytes(count)),
    organisationId,
    type: 'order.paid',
    payload: Buffer.from(`{"amount":${random.integer(1, 1000)}.0}`),
    acceptedAt: now,
  });
}

export interface Life {
  readonly log: SqliteEventLog;
  readonly deliveries: DeliveryStore;
  readonly leases: LeaseStore;
  readonly events: EventStore;
  readonly dispatcher: Dispatcher;
  readonly metrics: Metrics;
  /** Calls of the store that are refused, as on a full disk. */
  readonly away: Set<keyof DeliveryStore>;
  /** Cuts this life off and answers the directory that a killed process leaves. */
  crash(directory: string): string;
  /** Closes the files; what this life still does has no effect on anyone. */
  bury(): Promise<void>;
}

export const endpointId = (number: number): string =>
  `01900000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export function simulatedEndpoint(world: Pick<World, 'organisationId'>, number: number): SigningEndpoint {
  const id = endpointId(number);
  const createdAt = new Date('2026-01-01T00:00:00.000Z');
  const endpoint: Endpoint = {
    ...defaultEndpointSettings,
    id,
    number,
    organisationId: world.organisationId,
    dialect: 'standard',
    url: `http://receiver.test/${id}`,
    state: 'enabled',
    stateReason: null,
    verification: 'none',
    verificationId: null,
    verificationExpiresAt: null,
    format: 'raw',
    timeoutMs: 5000,
    retryDelaysMs: [1000, 2000, 4000],
    maxInFlight: 5,
    version: 1,
    createdAt,
    updatedAt: createdAt,
  };
  const secret = `whsec_${Buffer.alloc(24, number).toString('base64')}`;
  return {
    endpoint,
    secrets: [{ scheme: 'v1', secret, createdAt, expiresAt: null }],
    verificationCallbackPath: null,
  };
}

export function setState(world: World, id: string, state: EndpointState): void {
  changeEndpoint(world, id, { state });
}

export function changeEndpoint(world: World, id: string, over: Partial<Endpoint>): void {
  const known = world.endpoints.get(id);
  if (known === undefined) throw new Error(`no endpoint ${id}`);
  world.endpoints.set(id, { ...known, endpoint: { ...known.endpoint, ...over } });
  world.revision += 1n;
}

/** Small, so that stories reach them. */
export const simulatedLimits: LaneLimits = {
  slots: 16,
  laneDeliveries: 6,
  laneBytes: 1_000_000,
  totalDeliveries: 20,
  totalBytes: 1_000_000,
};

/** The store, and what of it is to be refused from now on. */
export function breakable(store: DeliveryStore) {
  const away = new Set<keyof DeliveryStore>();
  const proxy = new Proxy(store, {
    get(target, name: keyof DeliveryStore) {
      // Asked when it is called: whoever wraps the store may have taken its functions long before.
      return new Proxy(target[name], {
        apply: (call, _, args) =>
          away.has(name)
            ? Promise.reject(new DomainError('unavailable', 'The disk is full.'))
            : Reflect.apply(call, target, args),
      });
    },
  });
  return { store: proxy, away };
}

export interface DispatcherClients {
  readonly events: Client<typeof dispatchV1.EventServiceService>;
  readonly deliveries: Client<typeof dispatchV1.DeliveryServiceService>;
  readonly activity: Client<typeof dispatchV1.EndpointActivityServiceService>;
  readonly tasks: Client<typeof dispatchV1.TaskServiceService>;
  readonly replays: Client<typeof dispatchV1.ReplayServiceService>;
  readonly erasures: Client<typeof dispatchV1.ErasureServiceService>;
}

/** What the dispatcher's services answer, on behalf of the world's organisation unless told otherwise. */
export function clientsOf(world: World, { dispatcher }: Pick<Life, 'dispatcher'>): DispatcherClients {
  return {
    events: inProcess(world, dispatcher.events),
    deliveries: inProcess(world, dispatcher.deliveries),
    activity: inProcess(world, dispatcher.activity),
    tasks: inProcess(world, dispatcher.tasks),
    replays: inProcess(world, dispatcher.replays),
    erasures: inProcess(world, dispatcher.erasures),
  };
}

export function keyOf(organisationId: string | null): { readonly principal: Principal } {
  return { principal: { kind: 'key', id: 'key', organisationId, scopes: ['*'] } };
}

export async function startLife(world: World, directory: string): Promise<Life> {
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
  const cut = { off: false };
  const log = createSqliteEventLog(database);
  const deliveries = createSqliteDeliveryStore(database);
  const events = createSqliteEventStore(database);
  const leases = createSqliteLeaseStore(database);
  const { store, away } = breakable(deliveries);
  const metrics = createMetrics();
  const dispatcher = createDispatcher({
    log,
    events,
    deliveries: store,
    search: createSqliteDeliverySearch(database),
    tasks: createSqliteTaskStore(database),
    troubles: createSqliteTroubleStore(database),
    jobs: createSqliteJobStore(database),
    replays: createSqliteReplayStore(database),
    feeds: createSqliteFeedStore(database),
    erasures: createSqliteErasureStore(database),
    leases,
    deadRecords: createSqliteDeadRecordStore(database),
    recordTestEvent: (event) => log.appendUnread(event),
    clients: { directory: directoryClient(world), endpoints: endpointsClient(world) },
    webhookClient: simulatedClient(world, cut),
    publicUrl: () => 'http://posthorn.test',
    clock: world.clock,
    random: world.random,
    logger: silentLogger,
    metrics,
    laneLimits: simulatedLimits,
    intakeLimits: { deliveries: 16, bytes: 1_000_000, unrecordedEvents: 40 },
  });
  await dispatcher.start();
  return {
    log,
    deliveries,
    leases,
    events,
    dispatcher,
    metrics,
    away,
    crash(newDirectory) {
      cut.off = true;
      mkdirSync(newDirectory, { recursive: true });
      for (const name of ['posthorn.db', 'posthorn.db-wal']) {
        const from = join(directory, name);
        if (existsSync(from)) copyFileSync(from, join(newDirectory, name));
      }
      return newDirectory;
    },
    bury: () => buryLife(dispatcher, database),
  };
}

async function buryLife(dispatcher: Dispatcher, database: SqliteDatabase): Promise<void> {
  await dispatcher.stop(AbortSignal.abort());
  await database.close();
}

const answered = { response: null, retryAfterMs: null, address: '192.0.2.1', durationMs: 1 };

/** Reaches the world's receivers while this life lasts; each request takes a little time on the world's clock. */
function simulatedClient(world: World, cut: { readonly off: boolean }): WebhookClient {
  const { clock, random, requests } = world;

  function arrive(endpointId: string, eventId: string): Exchange {
    const succeeded = world.behaviour(endpointId) === 'succeed';
    requests.push({ endpointId, eventId, succeeded });
    return succeeded
      ? { ...answered, outcome: 'success', status: 200, error: null }
      : { ...answered, outcome: 'http_error', status: 500, error: 'The receiver answered 500.' };
  }

  return {
    send: ({ url, headers, timeoutMs }) =>
      new Promise((resolve) => {
        if (cut.off) return;
        const [, path = ''] = String(url).split('http://receiver.test/');
        const [endpointId = '', ricloudEventId] = path.split('/');
        const eventId = ricloudEventId ?? headers[headers.indexOf('webhook-id') + 1] ?? '';
        if (world.behaviour(endpointId) === 'hang') {
          requests.push({ endpointId, eventId, succeeded: false });
          const error = 'The receiver did not answer in time.';
          clock.setTimeout(
            () => resolve({ ...answered, outcome: 'timeout', status: null, error }),
            timeoutMs,
          );
          return;
        }
        const exchange = arrive(endpointId, eventId);
        clock.setTimeout(() => resolve(exchange), random.integer(1, 400));
      }),
    close: () => Promise.resolve(),
  };
}

function inProcess<D extends ServiceDefinition>(world: World, registration: ServiceRegistration<D>) {
  return createInProcessClient(registration, {
    clock: world.clock,
    logger: silentLogger,
    metrics: createMetrics(),
  });
}

export function directoryClient(world: World) {
  const createdAt = new Date('2026-01-01T00:00:00.000Z');
  const organisation = organisationToMessage({
    id: world.organisationId,
    slug: 'simulated',
    name: 'Simulated',
    accountUrl: null,
    timeZone: 'UTC',
    branding: { name: null, iconUrl: null, thumbnailUrl: null },
    requireKnownTypes: false,
    defaultRicloudEndpoint: null,
    retention: { payloadDays: 30, metadataDays: 90 },
    createdAt,
    limits: noUsageLimits,
    updatedAt: createdAt,
  });
  return inProcess(
    world,
    defineService(configV1.DirectoryServiceService, {
      listChanges: ({ sinceRevision }) =>
        Promise.resolve({
          revision: world.revision,
          organisationIds: sinceRevision === world.revision ? [] : [world.organisationId],
          reset: false,
        }),
      listPendingVerifications: () =>
        Promise.resolve({
          verifications: [...world.endpoints.values()].flatMap(({ endpoint }) =>
            pendingVerification(endpoint),
          ),
        }),
      getOrganisationView: () =>
        Promise.resolve({
          organisation,
          eventTypes: [],
          policies: [],
          endpoints: [...world.endpoints.values()].map(signingEndpointToMessage),
          nextCursor: '',
        }),
    }),
  );
}

function pendingVerification({
  id: endpointId,
  organisationId,
  verification,
  verificationId,
  dialect,
}: Endpoint): configV1.PendingVerification[] {
  if (verification !== 'pending' || verificationId === null) return [];
  return [
    {
      organisationId,
      endpointId,
      verificationId,
      dialect: dialectTable.toMessage(dialect),
      expiresAt: undefined,
    },
  ];
}

/** The dispatcher only ever sets a state, or ends a round of verification. */
export function endpointsClient(world: World): DispatcherOptions['clients']['endpoints'] {
  const unused = (): Promise<never> => Promise.reject(new DomainError('not_found', 'not simulated'));
  return inProcess(
    world,
    defineService(configV1.EndpointServiceService, {
      setEndpointState({ idOrUid }) {
        setState(world, idOrUid, 'disabled');
        return Promise.resolve({ endpoint: undefined });
      },
      createEndpoint: unused,
      getEndpoint: unused,
      listEndpoints: unused,
      updateEndpoint: unused,
      deleteEndpoint: unused,
      listSecrets: unused,
      rotateSecret: unused,
      startVerification: unused,
      completeVerification({ endpointId, verificationId, passed }) {
        if (world.endpoints.get(endpointId)?.endpoint.verificationId === verificationId) {
          changeEndpoint(world, endpointId, { verification: passed ? 'passed' : 'failed' });
        }
        return Promise.resolve({ endpoint: undefined });
      },
      confirmVerification: unused,
      searchEndpoints: unused,
    }),
  );
}

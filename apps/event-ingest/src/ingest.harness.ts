/**
 * The real accept path over a real reservation store, between a catalogue and a log that the test commands. The suites that
 * use it run over both transports.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ingestV1 } from '@posthorn/contracts';
import { configV1, publishLimitsToMessage } from '@posthorn/contracts';
import type { Appended, EventLogWriter } from '@posthorn/event-log';
import {
  DomainError,
  noPublishLimits,
  type Event,
  type Principal,
  type PublishLimits,
} from '@posthorn/models';
import { createInProcessClient, defineService, type Client, type ServiceRegistration } from '@posthorn/rpc';
import { createMetrics, silentLogger, type Metrics } from '@posthorn/runtime';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import {
  createSqliteReservationStore,
  reservationMigrations,
} from './reservations/reservation-store.sqlite.ts';
import { createSqliteUsageStore, usageMigrations } from './limits/usage-store.sqlite.ts';
import type { UsageRequest, UsageStore, UsageTaken } from './limits/usage-store.ts';
import { createIngestService, type IngestLimits, type IngestService } from './service.ts';

/** How the suite reaches a service: in the process, or over the network. */
export type Connect = (registration: ServiceRegistration<typeof ingestV1.IngestServiceService>) => Promise<{
  readonly client: Client<typeof ingestV1.IngestServiceService>;
  close(): Promise<void>;
}>;

export const tenant: Principal = { kind: 'key', id: 'k1', organisationId: 'o1', scopes: ['events:write'] };
export const operator: Principal = { kind: 'key', id: 'k0', organisationId: null, scopes: ['*'] };

/** A log whose appends succeed at once, or when the test says so, or not at all. */
export class ManualLog implements EventLogWriter {
  readonly events: Event[] = [];
  failure: DomainError | undefined;
  isManual = false;
  readonly pending = new Map<string, { durable(): void; fail(error: DomainError): void }>();

  append(event: Event): Promise<Appended> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (!this.isManual) return Promise.resolve(this.#keep(event));
    return new Promise((resolve, reject) => {
      const settled = (): boolean => this.pending.delete(event.id);
      this.pending.set(event.id, {
        durable: () => settled() && resolve(this.#keep(event)),
        fail: (error) => settled() && reject(error),
      });
    });
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  #keep(event: Event): Appended {
    const duplicate = this.events.some((kept) => kept.id === event.id);
    if (!duplicate) this.events.push(event);
    return { duplicate };
  }
}

/** A store of which the test knows how often it is asked, and that is away when the test says so. */
export class WatchedUsageStore implements UsageStore {
  readonly #store: UsageStore;
  asked = 0;
  failure: DomainError | undefined;

  constructor(store: UsageStore) {
    this.#store = store;
  }

  take(request: UsageRequest): Promise<UsageTaken> {
    this.asked += 1;
    return this.failure === undefined ? this.#store.take(request) : Promise.reject(this.failure);
  }

  giveBack(counter: string, taken: Pick<UsageTaken, 'window' | 'taken'>): Promise<void> {
    return this.failure === undefined ? this.#store.giveBack(counter, taken) : Promise.reject(this.failure);
  }

  sweep(now: Date, limit: number): Promise<number> {
    return this.#store.sweep(now, limit);
  }
}

/** An organisation `o1` with a catalogue, as the config service would show it. */
export class Catalogue {
  requireKnownTypes = false;
  limits: Partial<PublishLimits> = {};
  types: configV1.EventType[] = [];

  set(name: string, type: Partial<configV1.EventType>): void {
    this.types.push({
      organisationId: 'o1',
      name,
      description: '',
      schemaJson: undefined,
      enforcement: configV1.Enforcement.ENFORCEMENT_OFF,
      retired: false,
      createdAt: undefined,
      updatedAt: undefined,
      ...type,
    });
  }

  client(metrics: Metrics, clock: FakeClock): Client<typeof configV1.DirectoryServiceService> {
    const registration = defineService(configV1.DirectoryServiceService, {
      listChanges: () => Promise.resolve({ revision: 1n, organisationIds: ['o1'], reset: false }),
      listPendingVerifications: () => Promise.resolve({ verifications: [] }),
      getOrganisationView: ({ organisationId }) =>
        organisationId === 'o1'
          ? Promise.resolve({
              organisation: this.#organisation(),
              eventTypes: this.types,
              policies: [],
              endpoints: [],
              nextCursor: '',
            })
          : Promise.reject(new DomainError('not_found', 'There is no such organisation.')),
    });
    return createInProcessClient(registration, { logger: silentLogger, metrics, clock });
  }

  #organisation(): configV1.Organisation {
    return {
      id: 'o1',
      slug: 'one',
      name: 'One',
      accountUrl: undefined,
      timeZone: 'UTC',
      branding: undefined,
      requireKnownTypes: this.requireKnownTypes,
      limits: {
        publishing: publishLimitsToMessage({ ...noPublishLimits, ...this.limits }),
        endpoints: undefined,
      },
      retention: undefined,
      createdAt: undefined,
      updatedAt: undefined,
    };
  }
}

export function newEvent(over: Partial<ingestV1.NewEvent> = {}): ingestV1.NewEvent {
  return {
    id: '',
    organisationId: 'o1',
    type: 'order.paid',
    data: Buffer.from('{"total": 1.0}'),
    labels: {},
    subject: undefined,
    idempotencyKey: undefined,
    occurredAt: undefined,
    deliverAt: undefined,
    idFromProducer: false,
    ...over,
  };
}

/** A stream with what came back on it. */
export interface OpenStream {
  send(sequence: number, event: ingestV1.NewEvent | undefined): void;
  readonly acknowledged: ReadonlyMap<number, ingestV1.PublishResult['result']>;
  readonly closed: Promise<DomainError | null>;
  end(): void;
}

export interface IngestHarness {
  readonly clock: FakeClock;
  readonly metrics: Metrics;
  readonly log: ManualLog;
  readonly usage: WatchedUsageStore;
  readonly catalogue: Catalogue;
  readonly database: SqliteDatabase;
  readonly client: Client<typeof ingestV1.IngestServiceService>;
  readonly service: IngestService;
  /** Starts the service again with other limits. */
  serveAgain(limits: IngestLimits): Promise<void>;
  publish(event?: Partial<ingestV1.NewEvent>, principal?: Principal): Promise<ingestV1.Accepted | undefined>;
  openStream(): OpenStream;
}

/** A fresh harness for each test; it is there from `beforeEach` on, and nothing of it is left behind. */
export function useIngest(connect: Connect): () => IngestHarness {
  let current: (IngestHarness & { close(): Promise<void> }) | undefined;
  beforeEach(async () => {
    current = await openHarness(connect);
  });
  afterEach(() => current?.close());
  return () => {
    if (current === undefined) throw new Error('The harness is there within tests only.');
    return current;
  };
}

async function openHarness(connect: Connect): Promise<IngestHarness & { close(): Promise<void> }> {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const log = new ManualLog();
  const catalogue = new Catalogue();
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-ingest-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [reservationMigrations, usageMigrations],
  });

  const usage = new WatchedUsageStore(createSqliteUsageStore(database));

  async function serve(limits: IngestLimits) {
    const service = createIngestService({
      log,
      reservations: createSqliteReservationStore(database),
      usage,
      directory: catalogue.client(metrics, clock),
      clock,
      random: createSeededRandom(1),
      logger: silentLogger,
      metrics,
      limits: { maxViewAgeMs: 0, ...limits },
    });
    service.start();
    return { service, ...(await connect(service.registration)) };
  }
  let served = await serve({});

  async function stop(): Promise<void> {
    await served.close();
    await served.service.stop();
  }

  return {
    clock,
    metrics,
    log,
    usage,
    catalogue,
    database,
    get client() {
      return served.client;
    },
    get service() {
      return served.service;
    },
    async serveAgain(limits) {
      await stop();
      served = await serve(limits);
    },
    publish: async (event = {}, principal = tenant) =>
      (await served.client.publish({ event: newEvent(event) }, { principal })).accepted,
    openStream() {
      const stream = served.client.publishStream({ principal: tenant });
      const acknowledged = new Map<number, ingestV1.PublishResult['result']>();
      stream.onMessage(({ sequence, result }) => void acknowledged.set(Number(sequence), result?.result));
      const closed = new Promise<DomainError | null>((resolve) => stream.onClose(resolve));
      return {
        send: (sequence, event) => void stream.send({ sequence: BigInt(sequence), event }),
        acknowledged,
        closed,
        end: () => stream.end(),
      };
    },
    async close() {
      await stop();
      await database.close();
      await rm(directory, { recursive: true });
      expect(clock.pendingTimers).toBe(0);
    },
  };
}

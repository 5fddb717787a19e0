import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import {
  compileMatcher,
  noUsageLimits,
  type Delivery,
  type Endpoint,
  type Event,
  type EndpointState,
  type SigningEndpoint,
} from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { openSqlite } from '@posthorn/sqlite';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { createAttempt } from '../attempt.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import type { Directory } from '../directory.ts';
import { createDueClock } from '../due-clock.ts';
import { createDueReader } from '../due.ts';
import { createBooks } from '../intake/books.ts';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { createEnvelopes } from '../envelope/envelope.ts';
import { defaultBranding } from '../envelope/rapidly.ts';
import type { LaneLimits } from './lane-limits.ts';
import { createLanes } from './create-lanes.ts';
import { createPutAside } from '../intake/put-aside.ts';
import { queuedDelivery, type QueuedDelivery } from './queued-delivery.ts';
import { createRecorder } from '../record.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';
import { breakable, simulatedEndpoint } from '../simulation/simulated-life.harness.ts';
import type { Exchange, WebhookClient } from '../webhook-client.ts';

/**
 * Lanes over a real store and the real attempt, with a directory and receivers that the test speaks for. Nothing happens but what
 * the test's clock brings about.
 */

/** What a receiver does with a request: answers after a while, or hangs until the timeout. */
export type Answer = { readonly status: number; readonly afterMs: number } | 'hang';

export const claim = 'me';

const roomyLimits: LaneLimits = {
  slots: 512,
  laneDeliveries: 2000,
  laneBytes: 8_000_000,
  totalDeliveries: 20_000,
  totalBytes: 64_000_000,
};

/** A directory whose endpoints are in the test's hands. */
export function directoryOf(endpoints: ReadonlyMap<string, SigningEndpoint>): Directory {
  const ofOrganisation = (id: string): SigningEndpoint[] =>
    [...endpoints.values()].filter(({ endpoint }) => endpoint.organisationId === id);
  return {
    bringUpToDate: () => Promise.resolve(),
    load: () => Promise.resolve(),
    loadAvailable: () => Promise.resolve(new Map()),
    isLoaded: () => true,
    organisation: (id) => ({
      organisation: {
        id,
        slug: id,
        name: id,
        accountUrl: null,
        timeZone: 'UTC',
        branding: { name: null, iconUrl: null, thumbnailUrl: null },
        requireKnownTypes: false,
        defaultRicloudEndpoint: null,
        retention: { payloadDays: 30, metadataDays: 90 },
        limits: noUsageLimits,
        createdAt: new Date(0),
        updatedAt: new Date(0),
      },
      endpoints: new Map(ofOrganisation(id).map((one) => [one.endpoint.id, one])),
      policies: new Map(),
      matcher: compileMatcher(ofOrganisation(id)),
    }),
    endpoint: (_organisationId, id) => endpoints.get(id),
    onChange: () => undefined,
  };
}

export function startLanes(limits: Partial<LaneLimits> = {}) {
  const directoryPath = mkdtempSync(join(tmpdir(), 'posthorn-lanes-'));
  const database = openSqlite({
    path: join(directoryPath, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  const log = createSqliteEventLog(database);
  const { store, away } = breakable(createSqliteDeliveryStore(database));
  const clock = new FakeClock();
  const dueClock = createDueClock(clock);
  const metrics = createMetrics();
  const endpoints = new Map<string, SigningEndpoint>();
  const directory = directoryOf(endpoints);
  const books = createBooks();
  books.open(0, 1, 1);
  const dead = createSqliteDeadRecordStore(database);
  const putAside = createPutAside({ store: dead, clock, logger: silentLogger, metrics });
  const recorder = createRecorder({ store, books, putAside, clock, logger: silentLogger, metrics });
  const holding = sampleHolding({ claim });
  const due = createDueReader({ store, recorder, clock, dueClock, logger: silentLogger });

  const answers = new Map<string, Answer>();
  /** Every request, in the order in which they were made. */
  const requests: { readonly endpointId: string; readonly eventId: string; readonly at: number }[] = [];
  const underWay = new Set<string>();
  const peak = { underWay: 0, deliveries: 0, bytes: 0 };
  const rooms = { made: 0 };
  const tombstones = { knownAt: Infinity };

  const client: WebhookClient = {
    send: ({ url, headers, timeoutMs }) =>
      new Promise((resolve) => {
        const endpointId = String(url).split('/').at(-1) ?? '';
        const eventId = headers[headers.indexOf('webhook-id') + 1] ?? '';
        requests.push({ endpointId, eventId, at: clock.monotonic() });
        const key = `${endpointId} ${requests.length}`;
        underWay.add(key);
        peak.underWay = Math.max(peak.underWay, underWay.size);
        const answer = answers.get(endpointId) ?? { status: 200, afterMs: 5 };
        const exchange = exchangeOf(answer);
        clock.setTimeout(
          () => {
            underWay.delete(key);
            resolve(exchange);
          },
          answer === 'hang' ? timeoutMs : answer.afterMs,
        );
      }),
    close: () => Promise.resolve(),
  };
  const random = createSeededRandom(1);
  const attempt = createAttempt({
    envelopes: createEnvelopes({
      branding: defaultBranding,
      publicUrl: () => 'https://posthorn.example',
      random,
    }),
    directory,
    client,
    clock,
    dueClock,
    random,
    logger: silentLogger,
    metrics,
  });
  const lanes = createLanes({
    attempt,
    recorder,
    directory,
    due,
    store,
    holdings: () => [holding],
    tombstones: { isErased: () => false, knownAt: () => tombstones.knownAt },
    clock,
    dueClock,
    limits: { ...roomyLimits, ...limits },
    random,
    logger: silentLogger,
    metrics,
    onGone: () => undefined,
    onRoom: () => {
      rooms.made += 1;
    },
  });

  function watchMemory(): void {
    peak.deliveries = Math.max(peak.deliveries, lanes.memory.deliveries);
    peak.bytes = Math.max(peak.bytes, lanes.memory.bytes);
  }

  function addEndpoint(number: number, over: Partial<Endpoint> = {}): string {
    const made = simulatedEndpoint({ organisationId: over.organisationId ?? 'org' }, number);
    endpoints.set(made.endpoint.id, { ...made, endpoint: { ...made.endpoint, ...over } });
    return made.endpoint.id;
  }

  function setState(endpointId: string, state: EndpointState | 'deleted'): void {
    const known = endpoints.get(endpointId);
    if (known === undefined) throw new Error(`no endpoint ${endpointId}`);
    if (state === 'deleted') endpoints.delete(endpointId);
    else change(endpointId, { state });
    lanes.refresh(known.endpoint.organisationId);
  }

  function change(endpointId: string, over: Partial<Endpoint>): void {
    const known = endpoints.get(endpointId);
    if (known === undefined) throw new Error(`no endpoint ${endpointId}`);
    endpoints.set(endpointId, { ...known, endpoint: { ...known.endpoint, ...over } });
    lanes.refresh(known.endpoint.organisationId);
  }

  /** An event on record and its delivery to the endpoint, as the intake hands it over. */
  async function planned(endpointId: string, number: number, payload?: Uint8Array): Promise<QueuedDelivery> {
    const organisationId = endpoints.get(endpointId)?.endpoint.organisationId ?? 'org';
    const event: Event = sampleEvent(number, { organisationId, ...(payload && { payload }) });
    await log.append(event);
    const delivery = sampleDelivery(event, endpointId);
    const mark = books.progress(0)?.begin(number, 1) ?? null;
    const queuedAt = clock.monotonic();
    return queuedDelivery({ delivery, event, holding, isRecorded: false, mark, queuedAt });
  }

  /** Publishes events with these numbers to the endpoint. */
  async function offer(
    endpointId: string,
    from: number,
    count = 1,
    payload?: Uint8Array,
  ): Promise<Delivery[]> {
    const all = await Promise.all(
      Array.from({ length: count }, (_, index) => planned(endpointId, from + index, payload)),
    );
    for (const one of all) {
      lanes.offer(one);
      watchMemory();
    }
    return all.map(({ delivery }) => delivery);
  }

  return {
    clock,
    lanes,
    store,
    away,
    metrics,
    recorder,
    holding,
    tombstones,
    dead,
    books,
    requests,
    answers,
    peak,
    rooms,
    addEndpoint,
    setState,
    change,
    planned,
    offer,
    /** Lets time pass, looking at the memory all the while. */
    async pass(ms: number): Promise<void> {
      const end = clock.monotonic() + ms;
      const step = Math.max(10, ms / 200);
      while (clock.monotonic() < end) {
        await clock.advanceAsync(Math.min(step, end - clock.monotonic()));
        watchMemory();
      }
    },
    async recorded({ organisationId, id }: Delivery): Promise<Delivery | undefined> {
      return (await store.get(organisationId, id))?.delivery;
    },
    requestsTo: (endpointId: string) => requests.filter((one) => one.endpointId === endpointId),
    async close(): Promise<void> {
      await lanes.stop(AbortSignal.abort());
      await database.close();
      rmSync(directoryPath, { recursive: true, force: true });
    },
  };
}

export type LanesUnderTest = ReturnType<typeof startLanes>;

function exchangeOf(answer: Answer): Exchange {
  const answered = { response: null, retryAfterMs: null, address: '192.0.2.1', durationMs: 1 };
  if (answer === 'hang') return { ...answered, outcome: 'timeout', status: null, error: 'no answer' };
  const { status } = answer;
  return status < 300
    ? { ...answered, outcome: 'success', status, error: null }
    : { ...answered, outcome: 'http_error', status, error: `The receiver answered ${status}.` };
}

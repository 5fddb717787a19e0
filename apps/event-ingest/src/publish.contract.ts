import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ingestV1 } from '@posthorn/contracts';
import { configV1 } from '@posthorn/contracts';
import type { Appended, EventLogWriter } from '@posthorn/event-log';
import { DomainError, isId, type Event, type Principal } from '@posthorn/models';
import { createInProcessClient, defineService, type Client, type ServiceRegistration } from '@posthorn/rpc';
import { createMetrics, silentLogger, type Metrics } from '@posthorn/runtime';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { createSeededRandom, eventually, FakeClock } from '@posthorn/testing';
import { createSqliteReservationStore, reservationMigrations } from './reservation-store.sqlite.ts';
import { reservationTtlMs } from './reserve.ts';
import { createIngestService, type IngestLimits, type IngestService } from './service.ts';

/** How the suite reaches a service: in the process, or over the network. */
export type Connect = (registration: ServiceRegistration<typeof ingestV1.IngestServiceService>) => Promise<{
  readonly client: Client<typeof ingestV1.IngestServiceService>;
  close(): Promise<void>;
}>;

const tenant: Principal = { kind: 'key', id: 'k1', organisationId: 'o1', scopes: ['events:write'] };
const operator: Principal = { kind: 'key', id: 'k0', organisationId: null, scopes: ['*'] };

/** A log whose appends succeed at once, or when the test says so, or not at all. */
class ManualLog implements EventLogWriter {
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

/** An organisation `o1` with a catalogue, as the config service would show it. */
class Catalogue {
  requireKnownTypes = false;
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
      getOrganisationView: ({ organisationId }) =>
        organisationId === 'o1'
          ? Promise.resolve({
              organisation: this.#organisation(),
              eventTypes: this.types,
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
      retention: undefined,
      createdAt: undefined,
      updatedAt: undefined,
    };
  }
}

function newEvent(over: Partial<ingestV1.NewEvent> = {}): ingestV1.NewEvent {
  return {
    id: '',
    organisationId: 'o1',
    type: 'order.paid',
    data: Buffer.from('{"total": 1.0}'),
    labels: {},
    subject: undefined,
    idempotencyKey: undefined,
    occurredAt: undefined,
    idFromProducer: false,
    ...over,
  };
}

/** IngestService as its callers see it, whatever lies between. */
export function publishContract(connect: Connect): void {
  let clock: FakeClock;
  let metrics: Metrics;
  let log: ManualLog;
  let catalogue: Catalogue;
  let directory: string;
  let database: SqliteDatabase;
  let service: IngestService;
  let client: Client<typeof ingestV1.IngestServiceService>;
  let disconnect: () => Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock();
    metrics = createMetrics();
    log = new ManualLog();
    catalogue = new Catalogue();
    directory = await mkdtemp(join(tmpdir(), 'posthorn-ingest-'));
    database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [reservationMigrations] });
    await serve({});
  });

  afterEach(async () => {
    await disconnect();
    await service.stop();
    await database.close();
    await rm(directory, { recursive: true });
    expect(clock.pendingTimers).toBe(0);
  });

  async function serve(limits: IngestLimits): Promise<void> {
    service = createIngestService({
      log,
      reservations: createSqliteReservationStore(database),
      directory: catalogue.client(metrics, clock),
      clock,
      random: createSeededRandom(1),
      logger: silentLogger,
      metrics,
      limits: { maxViewAgeMs: 0, ...limits },
    });
    service.start();
    ({ client, close: disconnect } = await connect(service.registration));
  }

  async function serveAgain(limits: IngestLimits): Promise<void> {
    await disconnect();
    await service.stop();
    await serve(limits);
  }

  const publish = async (
    event: Partial<ingestV1.NewEvent> = {},
    principal = tenant,
  ): Promise<ingestV1.Accepted | undefined> =>
    (await client.publish({ event: newEvent(event) }, { principal })).accepted;

  /** Opens a stream and gathers what comes back. */
  function openStream(): {
    send(sequence: number, event: ingestV1.NewEvent | undefined): void;
    readonly acknowledged: Map<number, ingestV1.PublishResult['result']>;
    readonly closed: Promise<DomainError | null>;
    end(): void;
  } {
    const stream = client.publishStream({ principal: tenant });
    const acknowledged = new Map<number, ingestV1.PublishResult['result']>();
    stream.onMessage(({ sequence, result }) => void acknowledged.set(Number(sequence), result?.result));
    const closed = new Promise<DomainError | null>((resolve) => stream.onClose(resolve));
    return {
      send: (sequence, event) => void stream.send({ sequence: BigInt(sequence), event }),
      acknowledged,
      closed,
      end: () => stream.end(),
    };
  }

  describe('accepting', () => {
    it('keeps exactly what was published, and answers with its id and the time', async () => {
      const data = Buffer.from(' {"b":1.0, "a":12345678901234567890,"a":"\\u00e4"}\n');
      const occurredAt = new Date('2025-12-31T23:59:59.123Z');
      const accepted = await publish({ data, labels: { region: 'eu' }, subject: 'customer-1', occurredAt });
      expect(accepted).toEqual({
        id: expect.any(String),
        type: 'order.paid',
        acceptedAt: new Date(clock.now()),
        duplicate: false,
      });
      expect(isId(accepted?.id ?? '')).toBe(true);
      const [event] = log.events;
      expect(event).toMatchObject({
        id: accepted?.id,
        organisationId: 'o1',
        type: 'order.paid',
        labels: { region: 'eu' },
        subject: 'customer-1',
        idempotencyKey: null,
        occurredAt,
        acceptedAt: new Date(clock.now()),
      });
      expect(Buffer.from(event?.payload ?? []).equals(data)).toBe(true);
    });

    it('answers only when the event is durable', async () => {
      log.isManual = true;
      let answered = false;
      const answer = publish({ id: 'e1' }).then(() => (answered = true));
      await eventually(() => log.pending.has('e1'));
      expect(answered).toBe(false);
      log.pending.get('e1')?.durable();
      expect(await answer).toBe(true);
    });

    it('takes the time of acceptance for the time of occurrence when none is given', async () => {
      await publish();
      expect(log.events[0]?.occurredAt).toEqual(new Date(clock.now()));
    });

    it('keeps the id that the caller fixed, and tells when it was there before', async () => {
      expect(await publish({ id: 'e1' })).toMatchObject({ id: 'e1', duplicate: false });
      expect(await publish({ id: 'e1' })).toMatchObject({ id: 'e1', duplicate: true });
      expect(log.events).toHaveLength(1);
    });
  });

  describe('organisations', () => {
    it("takes the key's own organisation when the event names none", async () => {
      await publish({ organisationId: '' });
      expect(log.events[0]?.organisationId).toBe('o1');
    });

    it('wants operators to name one', async () => {
      await expect(publish({ organisationId: '' }, operator)).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/organisation', code: 'required' }],
      });
      expect(await publish({}, operator)).toMatchObject({ duplicate: false });
    });

    it("answers alike for another tenant's organisation and for one that does not exist", async () => {
      const unknown = await publish({ organisationId: 'o9' }, operator).catch((error: unknown) => error);
      const foreign = await publish({}, { ...tenant, organisationId: 'o2' }).catch((error: unknown) => error);
      expect(unknown).toMatchObject({ code: 'not_found' });
      expect((foreign as DomainError).message).toBe((unknown as DomainError).message);
      expect(log.events).toHaveLength(0);
    });
  });

  describe('refusing', () => {
    it('tells everything that is wrong at once', async () => {
      catalogue.requireKnownTypes = true;
      const error = publish({ type: 'no good!', data: Buffer.from('{'), subject: '', idempotencyKey: '' });
      await expect(error).rejects.toMatchObject({ code: 'invalid_argument' });
      const { violations } = (await error.catch((thrown: unknown) => thrown)) as DomainError;
      const fields = new Set(violations.map(({ field }) => field));
      expect([...fields].sort()).toEqual(['/data', '/idempotencyKey', '/subject', '/type']);
    });

    it('refuses a payload over the limit, and takes one of exactly the limit', async () => {
      await serveAgain({ maxPayloadBytes: 100 });
      const text = (length: number): Buffer => Buffer.from(`"${'x'.repeat(length - 2)}"`);
      await expect(publish({ data: text(101) })).rejects.toMatchObject({ code: 'payload_too_large' });
      expect(await publish({ data: text(100) })).toBeDefined();
    });

    it('refuses unknown types where the organisation wants its catalogue to be complete', async () => {
      expect(await publish({ type: 'order.unknown' })).toBeDefined();
      catalogue.requireKnownTypes = true;
      catalogue.set('order.known', {});
      expect(await publish({ type: 'order.known' })).toBeDefined();
      await expect(publish({ type: 'order.unknown' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/type', code: 'unknown_type' }],
      });
    });

    it('refuses retired types', async () => {
      catalogue.set('order.old', { retired: true });
      await expect(publish({ type: 'order.old' })).rejects.toMatchObject({
        violations: [{ field: '/type', code: 'retired' }],
      });
    });

    it("enforces an event type's schema as it says: reject, warn or off", async () => {
      const schemaJson = '{"type":"object","properties":{"total":{"type":"string"}}}';
      const { ENFORCEMENT_REJECT, ENFORCEMENT_WARN, ENFORCEMENT_OFF } = configV1.Enforcement;
      catalogue.set('strict', { schemaJson, enforcement: ENFORCEMENT_REJECT });
      catalogue.set('lenient', { schemaJson, enforcement: ENFORCEMENT_WARN });
      catalogue.set('off', { schemaJson, enforcement: ENFORCEMENT_OFF });
      await expect(publish({ type: 'strict' })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/data/total', code: 'schema_type' }],
      });
      expect(await publish({ type: 'strict', data: Buffer.from('{"total":"1"}') })).toBeDefined();
      expect(await publish({ type: 'lenient' })).toBeDefined();
      expect(await publish({ type: 'off' })).toBeDefined();
      expect(await metrics.render()).toContain('posthorn_ingest_schema_warnings_total 1');
    });

    it('leaves the names of operational events to our own services', async () => {
      await expect(publish({ type: 'posthorn.endpoint.disabled' })).rejects.toMatchObject({
        violations: [{ field: '/type', code: 'reserved' }],
      });
      const dispatcher: Principal = {
        kind: 'service',
        id: 'dispatcher',
        organisationId: null,
        scopes: ['*'],
      };
      expect(await publish({ type: 'posthorn.endpoint.disabled' }, dispatcher)).toBeDefined();
    });

    it('refuses a time that is more than a day ahead', async () => {
      const occurredAt = new Date(clock.now() + 2 * 24 * 3600 * 1000);
      await expect(publish({ occurredAt })).rejects.toMatchObject({ violations: [{ field: '/occurredAt' }] });
    });

    it("refuses an empty id that claims to be the producer's", async () => {
      await expect(publish({ idFromProducer: true })).rejects.toMatchObject({
        violations: [{ field: '/id' }],
      });
    });

    it('refuses a request without an event', async () => {
      await expect(client.publish({ event: undefined }, { principal: tenant })).rejects.toMatchObject({
        violations: [{ field: '/event', code: 'required' }],
      });
    });

    it('says that it is not known, with the id to publish again with, when the log fails', async () => {
      log.failure = new DomainError('unavailable', 'The disk is full.', { retryAfterMs: 5000 });
      await expect(publish({ id: 'e1' })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('"e1"') as string,
        retryAfterMs: 5000,
      });
      log.failure = new DomainError('internal', 'Something went wrong on our side.');
      await expect(publish({ id: 'e1' })).rejects.toMatchObject({ code: 'unavailable' });
      log.failure = undefined;
      expect(await publish({ id: 'e1', idFromProducer: true })).toMatchObject({ id: 'e1', duplicate: false });
    });
  });

  describe('keyed publishes', () => {
    it('gives the same answer to the same content, as a duplicate', async () => {
      const first = await publish({ idempotencyKey: 'k' });
      clock.advance(5000);
      expect(await publish({ idempotencyKey: 'k' })).toEqual({ ...first, duplicate: true });
      expect(log.events).toHaveLength(1);
    });

    it.each<[string, Partial<ingestV1.NewEvent>]>([
      ['type', { type: 'order.other' }],
      ['white space of the payload', { data: Buffer.from('{"total":1.0}') }],
      ['labels', { labels: { region: 'eu' } }],
      ['subject', { subject: 'customer-1' }],
      ['time of occurrence', { occurredAt: new Date(0) }],
      ['own id', { id: 'mine', idFromProducer: true }],
    ])('refuses the same key with another %s', async (_, over) => {
      await publish({ idempotencyKey: 'k' });
      await expect(publish({ idempotencyKey: 'k', ...over })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
        violations: [{ field: '/idempotencyKey' }],
      });
      expect(log.events).toHaveLength(1);
    });

    it('takes the same labels in another order for the same content', async () => {
      const first = await publish({ idempotencyKey: 'k', labels: { a: '1', b: '2' } });
      expect(await publish({ idempotencyKey: 'k', labels: { b: '2', a: '1' } })).toMatchObject({
        id: first?.id,
      });
    });

    it('makes one event of concurrent publishes with one key', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => publish({ idempotencyKey: 'k' })));
      expect(new Set(answers.map((answer) => answer?.id)).size).toBe(1);
      expect(answers.filter((answer) => answer?.duplicate === false)).toHaveLength(1);
      expect(log.events).toHaveLength(1);
    });

    it('forgets a key after 24 hours, and not before', async () => {
      const first = await publish({ idempotencyKey: 'k' });
      clock.advance(reservationTtlMs - 1);
      expect(await publish({ idempotencyKey: 'k' })).toMatchObject({ id: first?.id });
      clock.advance(1);
      const later = await publish({ idempotencyKey: 'k', type: 'order.other' });
      expect(later?.duplicate).toBe(false);
      expect(later?.id).not.toBe(first?.id);
    });

    it('appends again under the first id when the first append may not have happened', async () => {
      log.failure = new DomainError('unavailable', 'The disk is full.');
      const failed = (await publish({ id: 'e1', idempotencyKey: 'k' }).catch(
        (error: unknown) => error,
      )) as Error;
      expect(failed.message).toContain('"e1"');
      log.failure = undefined;
      expect(await publish({ id: 'e2', idempotencyKey: 'k' })).toMatchObject({ id: 'e1', duplicate: true });
      expect(log.events.map(({ id }) => id)).toEqual(['e1']);
    });

    it('takes the key together with the id that the refusal named', async () => {
      log.failure = new DomainError('unavailable', 'The disk is full.');
      await publish({ id: 'e1', idempotencyKey: 'k' }).catch(() => undefined);
      log.failure = undefined;
      const again = await publish({ id: 'e1', idFromProducer: true, idempotencyKey: 'k' });
      expect(again).toMatchObject({ id: 'e1' });
    });

    it("treats a producer's own id like a key", async () => {
      const mine = { id: 'mine', idFromProducer: true };
      expect(await publish(mine)).toMatchObject({ id: 'mine', duplicate: false });
      expect(await publish(mine)).toMatchObject({ id: 'mine', duplicate: true });
      await expect(publish({ ...mine, type: 'order.other' })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
        violations: [{ field: '/id' }],
      });
    });

    it('gives back the key that it took for a publish which its id then spoiled', async () => {
      await publish({ id: 'mine', idFromProducer: true });
      const spoiled = publish({ id: 'mine', idFromProducer: true, idempotencyKey: 'k', type: 'order.other' });
      await expect(spoiled).rejects.toMatchObject({ code: 'idempotency_mismatch' });
      expect(await publish({ idempotencyKey: 'k' })).toMatchObject({ duplicate: false });
    });

    it('refuses keyed publishes only while the reservations are away', async () => {
      const { write } = database;
      database.write = () => Promise.reject(new DomainError('unavailable', 'away'));
      try {
        await expect(publish({ idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'unavailable' });
        expect(await publish()).toMatchObject({ duplicate: false });
      } finally {
        database.write = write;
      }
      expect(log.events).toHaveLength(1);
    });

    it('removes expired reservations in the background', async () => {
      await publish({ idempotencyKey: 'k' });
      const count = database.prepare('SELECT count(*) AS n FROM reservations');
      expect(count.get()).toEqual({ n: 1 });
      await clock.advanceAsync(reservationTtlMs + 120_000);
      await eventually(() => count.get()?.['n'] === 0);
    });
  });

  describe('batches', () => {
    it('answers for each event in its place: one bad event spoils none of the others', async () => {
      const { results } = await client.publishBatch(
        {
          events: [
            newEvent({ id: 'a' }),
            newEvent({ type: 'no good!' }),
            newEvent({ id: 'b', organisationId: 'o2' }),
            newEvent({ id: 'c' }),
          ],
        },
        { principal: tenant },
      );
      expect(results.map(({ result }) => result)).toMatchObject([
        { $case: 'accepted', value: { id: 'a' } },
        { $case: 'refused', value: { code: 'invalid_argument', violations: [{ field: '/type' }] } },
        { $case: 'refused', value: { code: 'not_found' } },
        { $case: 'accepted', value: { id: 'c' } },
      ]);
      expect(log.events.map(({ id }) => id)).toEqual(['a', 'c']);
    });

    it('takes 1,000 events, and not one more', async () => {
      const events = Array.from({ length: 1001 }, () => newEvent());
      await expect(client.publishBatch({ events }, { principal: tenant })).rejects.toMatchObject({
        code: 'invalid_argument',
        violations: [{ field: '/events', code: 'too_many' }],
      });
      const { results } = await client.publishBatch({ events: events.slice(1) }, { principal: tenant });
      expect(results).toHaveLength(1000);
      expect(log.events).toHaveLength(1000);
    });
  });

  describe('streams', () => {
    it('acknowledges each event as it becomes durable, whatever the order', async () => {
      log.isManual = true;
      const stream = openStream();
      for (const [sequence, id] of ['a', 'b', 'c'].entries()) stream.send(sequence, newEvent({ id }));
      await eventually(() => log.pending.size === 3);
      log.pending.get('c')?.durable();
      await eventually(() => stream.acknowledged.size === 1);
      expect(stream.acknowledged.get(2)).toMatchObject({ $case: 'accepted', value: { id: 'c' } });
      log.pending.get('a')?.durable();
      await eventually(() => stream.acknowledged.has(0));
      expect(stream.acknowledged.has(1)).toBe(false);
      stream.end();
      log.pending.get('b')?.durable();
      expect(await stream.closed).toBeNull();
      expect(stream.acknowledged.size).toBe(3);
    });

    it('goes on after events that it refuses', async () => {
      const stream = openStream();
      stream.send(1, newEvent({ type: 'no good!' }));
      stream.send(2, undefined);
      stream.send(3, newEvent({ organisationId: 'o2' }));
      stream.send(4, newEvent({ id: 'good' }));
      await eventually(() => stream.acknowledged.size === 4);
      expect([1, 2, 3, 4].map((sequence) => stream.acknowledged.get(sequence))).toMatchObject([
        { $case: 'refused', value: { code: 'invalid_argument' } },
        { $case: 'refused', value: { code: 'invalid_argument' } },
        { $case: 'refused', value: { code: 'not_found' } },
        { $case: 'accepted', value: { id: 'good' } },
      ]);
      stream.end();
      expect(await stream.closed).toBeNull();
    });

    it('names the id of an event of which it is not known whether it was kept, and goes on', async () => {
      log.isManual = true;
      const stream = openStream();
      stream.send(1, newEvent({ id: 'a' }));
      stream.send(2, newEvent({ id: 'b' }));
      await eventually(() => log.pending.size === 2);
      log.pending.get('a')?.fail(new DomainError('unavailable', 'The disk is full.', { retryAfterMs: 2000 }));
      log.pending.get('b')?.durable();
      await eventually(() => stream.acknowledged.size === 2);
      expect(stream.acknowledged.get(1)).toMatchObject({
        $case: 'refused',
        value: { code: 'unavailable', id: 'a', retryAfterMs: 2000n },
      });
      expect(stream.acknowledged.get(2)).toMatchObject({ $case: 'accepted' });
      stream.end();
      await stream.closed;
    });

    it('reads no further than its bound, and on when there is room', async () => {
      await serveAgain({ maxInFlightPerStream: 4 });
      log.isManual = true;
      const stream = openStream();
      for (let sequence = 1; sequence <= 20; sequence += 1)
        stream.send(sequence, newEvent({ id: `e${sequence}` }));
      await eventually(() => log.pending.size === 4);
      let most = 0;
      await eventually(() => {
        most = Math.max(most, log.pending.size);
        log.pending.values().next().value?.durable();
        return stream.acknowledged.size === 20;
      });
      expect(most).toBe(4);
      stream.end();
      expect(await stream.closed).toBeNull();
    });

    it('answers what it has read before it stops, and closes well', async () => {
      log.isManual = true;
      const stream = openStream();
      stream.send(1, newEvent({ id: 'a' }));
      await eventually(() => log.pending.size === 1);
      const stopped = service.stop();
      stream.send(2, newEvent({ id: 'b' }));
      log.pending.get('a')?.durable();
      expect(await stream.closed).toBeNull();
      await stopped;
      expect([...stream.acknowledged.keys()]).toEqual([1]);
      expect(log.pending.size).toBe(0);
    });
  });

  it('counts what it accepted, refused and had seen before', async () => {
    await publish({ id: 'a' });
    await publish({ id: 'a' });
    await publish({ type: 'no good!' }).catch(() => undefined);
    const text = await metrics.render();
    expect(text).toContain('posthorn_ingest_accepted_total 2');
    expect(text).toContain('posthorn_ingest_duplicates_total 1');
    expect(text).toContain('posthorn_ingest_refused_total{code="invalid_argument"} 1');
    expect(text).toContain('posthorn_ingest_accept_seconds_count 2');
  });
}

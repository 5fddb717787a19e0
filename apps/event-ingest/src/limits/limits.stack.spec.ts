/** Two event-ingests over one MongoDB: what both let in together is never above a limit, whatever becomes of one of them. */
import { randomBytes } from 'node:crypto';
import type { ingestV1 } from '@posthorn/contracts';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createInProcessClient, type Client } from '@posthorn/rpc';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';
import { createSeededRandom, eventually, FakeClock } from '@posthorn/testing';
import { Catalogue, ManualLog, newEvent, tenant } from '../ingest.harness.ts';
import { createMongoReservationStore } from '../reservations/reservation-store.mongo.ts';
import { createIngestService, type IngestService } from '../service.ts';
import { createMongoUsageStore } from './usage-store.mongo.ts';

jest.setTimeout(120_000);

interface Ingest {
  readonly client: Client<typeof ingestV1.IngestServiceService>;
  readonly service: IngestService;
}

describe('two event-ingests', () => {
  let clock: FakeClock;
  let catalogue: Catalogue;
  let log: ManualLog;
  const databases: MongoDatabase[] = [];
  let name: string;
  let first: Ingest;
  let second: Ingest;

  async function start(seed: number): Promise<Ingest> {
    const { url } = await startMongodb();
    const observed = { logger: silentLogger, metrics: createMetrics() };
    const database = await connectMongo({
      url,
      database: name,
      // What a busy machine takes its time for isn't away.
      timeoutMs: 60_000,
      clock: systemClock,
      ...observed,
    });
    databases.push(database);
    const service = createIngestService({
      log,
      reservations: await createMongoReservationStore(database),
      usage: await createMongoUsageStore(database),
      directory: catalogue.client(observed.metrics, clock),
      clock,
      random: createSeededRandom(seed),
      limits: { maxViewAgeMs: 0 },
      ...observed,
    });
    return {
      service,
      client: createInProcessClient(service.registration, { ...observed, clock: systemClock }),
    };
  }

  beforeEach(async () => {
    clock = new FakeClock();
    catalogue = new Catalogue();
    log = new ManualLog();
    name = `posthorn_limits_${randomBytes(6).toString('hex')}`;
    [first, second] = await Promise.all([start(1), start(2)]);
  });
  afterEach(async () => {
    for (const { service } of [first, second]) await service.stop();
    await databases[0]?.drop();
    for (const database of databases.splice(0)) await database.close();
  });

  /** How many of so many were accepted. */
  async function publish({ client }: Ingest, count: number): Promise<number> {
    const events = Array.from({ length: count }, () => newEvent());
    const { results } = await client.publishBatch({ events }, { principal: tenant, deadlineMs: 100_000 });
    return results.filter(({ result }) => result?.$case === 'accepted').length;
  }

  it('let exactly as many in as a limit allows, of more that come to both at once, second after second', async () => {
    catalogue.limits = { publishesPerSecond: 60 };
    for (let round = 1; round <= 3; round += 1) {
      const batches = [first, second, first, second].map((ingest) => publish(ingest, 40));
      const accepted = (await Promise.all(batches)).reduce((sum, each) => sum + each, 0);
      expect(accepted).toBe(60);
      expect(log.events).toHaveLength(60 * round);
      clock.advance(1000);
    }
  });

  it('leave each other what they do not use of a day', async () => {
    catalogue.limits = { publishesPerDay: 200 };
    // Fast enough for much to be taken ahead.
    for (let batch = 0; batch < 5; batch += 1) await publish(first, 20);
    expect(log.events).toHaveLength(100);
    await publish(second, 200);
    await eventually(
      async () => {
        await clock.advanceAsync(1000);
        await publish(second, 10);
        return log.events.length === 200;
      },
      { timeoutMs: 60_000 },
    );
    expect(await publish(first, 10)).toBe(0);
    expect(await publish(second, 10)).toBe(0);
  });

  it('let no more in when one of them is killed and another comes in its place: what it held is lost', async () => {
    catalogue.limits = { publishesPerDay: 200 };
    for (let batch = 0; batch < 5; batch += 1) await publish(first, 20);
    const killed = first;
    first = await start(3);
    const batches = [first, second].map((ingest) => publish(ingest, 200));
    await Promise.all(batches);
    expect(log.events.length).toBeLessThanOrEqual(200);
    // At most a quarter of what was left is ever taken ahead, and nobody has given it back.
    expect(log.events.length).toBeGreaterThanOrEqual(150);
    await killed.service.stop();
  });

  it('follow the clock that is ahead, so that a second begins for both at once', async () => {
    catalogue.limits = { publishesPerSecond: 10 };
    const ahead = new FakeClock(clock.now() + 3000);
    const own = clock;
    clock = ahead;
    const third = await start(4);
    clock = own;
    expect(await publish(third, 6)).toBe(6);
    expect(await publish(first, 6)).toBe(4);
    expect(await publish(second, 6)).toBe(0);
    own.advance(1000);
    ahead.advance(1000);
    expect(await publish(first, 6)).toBe(0);
    expect(await publish(third, 6)).toBe(6);
    await third.service.stop();
  });
});

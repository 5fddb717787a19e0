/** The servers themselves: that they can be made to fail the way the suites need it, and lose nothing by it. */
import { eventually } from '@posthorn/testing';
import { kafkaLogBytes } from './kafka-log-size.ts';
import { probeKafka } from './kafka-probe.ts';
import { startKafka } from './kafka.ts';
import { probeMongodb, runCommand } from './mongodb-probe.ts';
import { mongodbSizes } from './mongodb-sizes.ts';
import { startMongodb } from './mongodb.ts';
import type { KafkaServer, MongodbServer } from './test-server.ts';

/** Generous: on two cores a broker is back in two seconds. */
const restartLimitMs = 20_000;

describe('a Kafka of our own', () => {
  let kafka: KafkaServer;
  beforeAll(async () => void (kafka = await startKafka({ own: true })));
  afterAll(() => kafka.stop());

  const peer = (): { host: string; port: number } => ({ host: '127.0.0.1', port: kafka.port ?? 0 });

  test('says what it is and where', async () => {
    expect(kafka.canBeKilled).toBe(true);
    expect(kafka.description).toContain('Kafka 4.3.1');
    expect(kafka.brokers).toEqual([`127.0.0.1:${kafka.port}`]);
    await probeKafka(peer());
    expect(await kafkaLogBytes(kafka.brokers, 'no-such-topic')).toBe(0);
  });

  test('is gone when it was killed, and back on its port in time', async () => {
    await kafka.kill();
    await expect(probeKafka(peer())).rejects.toThrow('ECONNREFUSED');
    const startedAt = performance.now();
    await kafka.restart();
    await probeKafka(peer());
    expect(performance.now() - startedAt).toBeLessThan(restartLimitMs);
  });

  test('takes connections and answers none while it is suspended', async () => {
    await kafka.suspend();
    let hasAnswered = false;
    const answer = probeKafka(peer()).then(() => (hasAnswered = true));
    // A connection made later, by another server, has been through the same system.
    const other = await startMongodb({ own: true });
    await other.stop();
    expect(hasAnswered).toBe(false);
    await kafka.resume();
    await answer;
  });
});

describe('a MongoDB of our own', () => {
  let mongodb: MongodbServer;
  beforeAll(async () => void (mongodb = await startMongodb({ own: true })));
  afterAll(() => mongodb.stop());

  const peer = (): { host: string; port: number } => ({
    host: '127.0.0.1',
    port: Number(new URL(mongodb.url).port),
  });

  test('says what it is and where', async () => {
    expect(mongodb.canBeKilled).toBe(true);
    expect(mongodb.description).toMatch(/MongoDB|secantusd-rs/);
    expect(await probeMongodb(peer())).toMatch(/^\d+\.\d+/);
  });

  test('keeps every write that it acknowledged when it is killed', async () => {
    let acknowledged = 0;
    for (let round = 1; round <= 3; round++) {
      // Killed in the middle of its work.
      const writes = Array.from({ length: 200 }, async () => {
        const documents = [{ round }];
        const answer = await runCommand(peer(), {
          insert: 'things',
          documents,
          writeConcern: { w: 1, j: 1 },
        });
        if (answer.get('n') === 1) acknowledged += 1;
        if (acknowledged === round * 50) await mongodb.kill();
      });
      await Promise.allSettled(writes);
      await mongodb.restart();
    }
    expect(acknowledged).toBeGreaterThan(100);
    const count = (await runCommand(peer(), { count: 'things' })).get('n');
    expect(count).toBeGreaterThanOrEqual(acknowledged);
  });

  test('tells the sizes of collections', async () => {
    const documents = [{ text: 'x'.repeat(979) }, { text: 'y'.repeat(979) }];
    await runCommand(peer(), { insert: 'sized', documents }, 'sizes');
    const [sized, ...others] = await mongodbSizes(mongodb.url, 'sizes');
    // The text, its name, and an `_id`.
    expect(sized).toMatchObject({ name: 'sized', documents: 2 });
    expect(sized?.dataBytes).toBeGreaterThan(2 * 979);
    expect(sized?.dataBytes).toBeLessThan(2 * 1100);
    expect(others).toEqual([]);
  });

  test('is alone in its directory: a second one is empty', async () => {
    const second = await startMongodb({ own: true });
    try {
      const secondPeer = { host: '127.0.0.1', port: Number(new URL(second.url).port) };
      expect((await runCommand(secondPeer, { count: 'things' })).get('n')).toBe(0);
    } finally {
      await second.stop();
    }
    await eventually(() => probeMongodb(peer()).then(() => true));
  });
});

describe('the servers of the run', () => {
  test('are given to the suites by URL, and may not be killed', async () => {
    const [kafka, mongodb] = [await startKafka(), await startMongodb()];
    expect([kafka.source, mongodb.source]).toEqual(['url', 'url']);
    expect(kafka.canBeKilled || mongodb.canBeKilled).toBe(false);
    await expect(mongodb.kill()).rejects.toThrow(/given by POSTHORN_TEST_MONGODB_URL/);
  });
});

import { startKafka, type KafkaServer } from '@posthorn/stack';
import { createTcpProxy, eventually, type TcpProxy } from '@posthorn/testing';
import { RecordingConsumer, sampleEvent } from '../event-log.contract.ts';
import {
  appendUntilAcknowledged,
  createKafkaLogHarness,
  type KafkaLogHarness,
} from './kafka-event-log.harness.ts';

/** Of Kafka's protocol, behind the four bytes of a request's length: 0 is Produce. */
const isProduce = (request: Buffer): boolean => request.length > 8 && request.readInt16BE(4) === 0;

let proxy: TcpProxy;
let kafka: KafkaServer;
let harness: KafkaLogHarness;

beforeAll(async () => {
  proxy = await createTcpProxy();
  kafka = await startKafka({ own: true, advertisedPort: proxy.port });
  proxy.forwardTo({ port: kafka.port! });
});
afterAll(async () => {
  await kafka.stop();
  await proxy.close();
});
afterEach(() => harness.close());

// Outages take as long as sessions and elections do on a machine that has other things to do.
jest.setTimeout(150_000);

const ids = (numbers: readonly number[]): string[] => numbers.map((number) => sampleEvent(number).id);

/** First occurrences, in the order of the log. */
const firsts = (consumer: RecordingConsumer): string[] => [...new Set(consumer.events.map(({ id }) => id))];

describe('when connections break between the write and its acknowledgement', () => {
  it('loses nothing that was acknowledged and keeps the order, though it writes some events twice', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers });
    const writer = harness.writer({ limits: { maxEvents: 10 } });
    await writer.start();
    const cuts = 25;
    let number = 0;
    for (let cut = 0; cut < cuts; cut++) {
      const happened = proxy.cutReplyTo(isProduce);
      // Some ride in the send whose acknowledgement is lost, some wait behind it.
      await Promise.all(Array.from({ length: 40 }, () => writer.append(sampleEvent(number++))));
      await happened;
    }
    const consumer = new RecordingConsumer();
    await harness.reader().start(consumer);
    await eventually(() => firsts(consumer).length === number, { timeoutMs: 30_000 });
    expect(firsts(consumer)).toEqual(ids(Array.from({ length: number }, (_, one) => one)));
    // Each cut was behind the write: what was acknowledged late stands there twice.
    expect(consumer.events.length - number).toBeGreaterThanOrEqual(cuts);
  });

  it('loses nothing while every connection is cut again and again, over several partitions', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions: 4 });
    const writer = harness.writer({ limits: { maxEvents: 20 } });
    const consumer = new RecordingConsumer();
    await writer.start();
    await harness.reader().start(consumer);
    const count = 3000;
    let appended = 0;
    const work = Array.from({ length: 30 }, async (_, worker) => {
      for (let number = worker; number < count; number += 30) {
        await appendUntilAcknowledged(writer, sampleEvent(number, { orderingKey: `key-${worker}` }));
        appended += 1;
      }
    });
    for (let round = 1; round <= 10; round++) {
      await eventually(() => appended >= (count * round) / 12, { timeoutMs: 60_000 });
      proxy.cut();
    }
    await Promise.all(work);
    await eventually(() => firsts(consumer).length === count, { timeoutMs: 60_000 });
    for (let worker = 0; worker < 30; worker++) {
      const mine = consumer.events.filter(({ orderingKey }) => orderingKey === `key-${worker}`);
      const expected = Array.from({ length: count / 30 }, (_, index) => index * 30 + worker);
      expect([...new Set(mine.map(({ id }) => id))]).toEqual(ids(expected));
    }
  });

  it('answers in time that it is not known, and comes back by itself', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers });
    const writer = harness.writer({ limits: { deadlineMs: 1000 } });
    const consumer = new RecordingConsumer();
    await writer.start();
    await harness.reader().start(consumer);
    await writer.append(sampleEvent(1));
    proxy.hang();
    const startedAt = performance.now();
    const answers = await Promise.allSettled([writer.append(sampleEvent(2)), writer.append(sampleEvent(3))]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { code: 'unavailable', retryAfterMs: expect.any(Number) },
      });
    }
    proxy.flow();
    proxy.cut();
    await appendUntilAcknowledged(writer, sampleEvent(4));
    await eventually(() => firsts(consumer).includes(sampleEvent(4).id), { timeoutMs: 30_000 });
  });
});

describe('when Kafka is killed and started again', () => {
  it('goes on writing and reading in the same processes, and loses nothing that was acknowledged', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions: 3 });
    const writer = harness.writer({ limits: { maxEvents: 20 } });
    const consumer = new RecordingConsumer();
    const revoked: number[] = [];
    await writer.start();
    await harness.reader().start(
      Object.assign(consumer, {
        revoked: (partition: number) => {
          revoked.push(partition);
          return Promise.resolve();
        },
      }),
    );
    let number = 0;
    let stopped = false;
    const work = Array.from({ length: 20 }, async () => {
      while (!stopped) await appendUntilAcknowledged(writer, sampleEvent(number++));
    });
    await eventually(() => firsts(consumer).length > 200, { timeoutMs: 30_000 });
    for (let round = 0; round < 2; round++) {
      await kafka.kill();
      const before = firsts(consumer).length;
      await kafka.restart();
      await eventually(() => firsts(consumer).length > before + 200, { timeoutMs: 60_000 });
    }
    // An outage took nothing away.
    expect(revoked).toEqual([]);
    stopped = true;
    await Promise.all(work);
    await eventually(() => firsts(consumer).length === number, { timeoutMs: 30_000 });
    const positions = consumer.batches.flatMap(({ partition, events }) =>
      events.map(({ position }) => `${partition}/${position}`),
    );
    expect(new Set(positions).size).toBe(positions.length);
  });

  it('starts before Kafka does', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers });
    await kafka.kill();
    const writer = harness.writer();
    const starting = writer.start();
    await kafka.restart();
    await starting;
    await expect(writer.append(sampleEvent(1))).resolves.toEqual({ duplicate: false });
  });

  it('says so when Kafka stays away at the start', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, startPatienceMs: 0 });
    proxy.refuse();
    await expect(harness.writer().start()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining("can't be opened"),
    });
    proxy.accept();
  });
});

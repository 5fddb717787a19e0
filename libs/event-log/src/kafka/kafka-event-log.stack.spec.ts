import { startKafka, type KafkaServer } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { Kafka, logLevel } from 'kafkajs';
import {
  describeEventLog,
  RecordingConsumer,
  sampleEvent,
  type LogUnderTest,
} from '../event-log.contract.ts';
import { createKafkaLogHarness, type KafkaLogHarness } from './kafka-event-log.harness.ts';

let kafka: KafkaServer;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stop());

function logOf(harness: KafkaLogHarness): LogUnderTest {
  const writer = harness.writer();
  const reader = harness.reader();
  let started: Promise<void> | undefined;
  const start = (): Promise<void> => (started ??= writer.start());
  return {
    log: {
      ...reader,
      append: (event) => start().then(() => writer.append(event)),
      drain: () => writer.drain(),
    },
    async restart() {
      await harness.close();
      return logOf(harness);
    },
    close: () => harness.close(),
  };
}

describeEventLog('the log on Kafka', () =>
  Promise.resolve(logOf(createKafkaLogHarness({ brokers: kafka.brokers }))),
);

describe('the log on Kafka', () => {
  let harness: KafkaLogHarness;
  const raw = (): Kafka => new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const open = (partitions = 1): void => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions });
  };
  afterEach(() => harness.close());

  it('keeps what is ordered by a key in one partition and in order, also under load', async () => {
    open(4);
    const writer = harness.writer({ compression: 'gzip', limits: { maxEvents: 20 } });
    const reader = harness.reader();
    const consumer = new RecordingConsumer();
    await writer.start();
    await reader.start(consumer);
    const orderingKey = (number: number): string => `key-${number % 10}`;
    await Promise.all(
      Array.from({ length: 2000 }, (_, number) =>
        writer.append(sampleEvent(number, { orderingKey: orderingKey(number) })),
      ),
    );
    await consumer.until(2000);
    const partitions = new Set<number>();
    for (let key = 0; key < 10; key++) {
      const batches = consumer.batches.filter(({ events }) =>
        events.some(({ event }) => event.orderingKey === `key-${key}`),
      );
      expect(new Set(batches.map(({ partition }) => partition)).size).toBe(1);
      partitions.add(batches[0]!.partition);
      const ids = batches
        .flatMap(({ events }) => events)
        .filter(({ event }) => event.orderingKey === `key-${key}`)
        .map(({ event }) => event.id);
      expect(ids).toEqual(Array.from({ length: 200 }, (_, index) => sampleEvent(index * 10 + key).id));
    }
    expect(partitions.size).toBeGreaterThan(1);
  });

  it('shows other tools the key, the type and the trace context of an event', async () => {
    open();
    const writer = harness.writer();
    await writer.start();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await writer.append(sampleEvent(1, { orderingKey: 'customer', traceparent }));
    const other = raw().consumer({ groupId: `${harness.groupId}-other` });
    const seen: unknown[] = [];
    await other.connect();
    await other.subscribe({ topics: [harness.topic], fromBeginning: true });
    await other.run({
      eachMessage: ({ message: { key, headers } }) => {
        const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
        seen.push([String(key), Object.fromEntries(texts)]);
        return Promise.resolve();
      },
    });
    await eventually(() => seen.length === 1, { timeoutMs: 30_000 });
    await other.disconnect();
    expect(seen).toEqual([['org/customer', { 'event-type': 'order.paid', traceparent }]]);
  });

  it('hands over what holds no event with its bytes, and goes on', async () => {
    open();
    const writer = harness.writer();
    await writer.start();
    await writer.append(sampleEvent(1));
    const producer = raw().producer();
    await producer.connect();
    await producer.send({ topic: harness.topic, messages: [{ value: 'nobody knows' }, { value: null }] });
    await producer.disconnect();
    await writer.append(sampleEvent(2));
    const consumer = new RecordingConsumer();
    await harness.reader().start(consumer);
    await consumer.until(2);
    const dead = consumer.batches.flatMap(({ undecodable = [] }) => undecodable);
    expect(dead.map(({ position, bytes }) => [position, Buffer.from(bytes).toString()])).toEqual([
      [2, 'nobody knows'],
      [3, ''],
    ]);
    expect(consumer.batches.flatMap(({ events }) => events.map(({ position }) => position))).toEqual([1, 4]);
  });

  it('records as a loss what the log forgot before it was read, at the start and while it is paused', async () => {
    open();
    const writer = harness.writer();
    await writer.start();
    const consumer = new RecordingConsumer();
    const forget = async (offset: number): Promise<void> => {
      const admin = raw().admin();
      await admin.connect();
      // Makes kafkajs look the topic up, which deleting doesn't.
      await admin.fetchTopicOffsets(harness.topic);
      await admin.deleteTopicRecords({
        topic: harness.topic,
        partitions: [{ partition: 0, offset: String(offset) }],
      });
      await admin.disconnect();
    };
    for (let number = 1; number <= 10; number++) await writer.append(sampleEvent(number));
    await forget(4);
    const reader = harness.reader();
    await reader.start(consumer);
    await consumer.until(6);
    expect(consumer.losses).toEqual([{ partition: 0, reason: 'expired', from: 1, next: 5 }]);

    reader.pause(0);
    for (let number = 11; number <= 20; number++) await writer.append(sampleEvent(number));
    await forget(15);
    reader.resume(0);
    await consumer.until(11);
    expect(consumer.losses.slice(1)).toEqual([{ partition: 0, reason: 'expired', from: 11, next: 16 }]);
    expect(consumer.events.map(({ id }) => id)).toEqual(
      [5, 6, 7, 8, 9, 10, 16, 17, 18, 19, 20].map((number) => sampleEvent(number).id),
    );
  });

  it('records as a loss that the log has lost its end, and reads everything that is there', async () => {
    open();
    const writer = harness.writer();
    await writer.start();
    for (let number = 1; number <= 3; number++) await writer.append(sampleEvent(number));
    const consumer = new RecordingConsumer();
    consumer.next.set(0, 100);
    await harness.reader().start(consumer);
    await consumer.until(3);
    expect(consumer.losses).toEqual([{ partition: 0, reason: 'truncated', from: 100, next: 1 }]);
    expect(consumer.batches[0]?.mayRepeat).toBe(true);
  });

  it('tells Kafka what is on record, for those who watch the lag', async () => {
    open();
    const writer = harness.writer();
    const reader = harness.reader({ limits: { reportEveryMs: 50 } });
    await writer.start();
    const consumer = new RecordingConsumer();
    await reader.start(consumer);
    for (let number = 1; number <= 5; number++) await writer.append(sampleEvent(number));
    await consumer.until(5);
    reader.recorded(0, 4);
    const admin = raw().admin();
    await admin.connect();
    await eventually(async () => {
      const [offsets] = await admin.fetchOffsets({ groupId: harness.groupId, topics: [harness.topic] });
      return offsets?.partitions[0]?.offset === '3';
    });
    await admin.disconnect();
  });

  it('refuses a record that is larger than the topic allows, and none of those beside it', async () => {
    open();
    const writer = harness.writer();
    await writer.start();
    const large = sampleEvent(2, { payload: Buffer.alloc(5 * 1024 * 1024, 'x') });
    const answers = await Promise.allSettled([
      writer.append(sampleEvent(1)),
      writer.append(large),
      writer.append(sampleEvent(3)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((answers[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'payload_too_large' });
  });

  it('refuses one more than its queue holds at once, and takes everything before it', async () => {
    open();
    const writer = harness.writer({ limits: { maxWaiting: 3 } });
    await writer.start();
    const answers = await Promise.allSettled(
      [1, 2, 3, 4].map((number) => writer.append(sampleEvent(number))),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect((answers[3] as PromiseRejectedResult).reason).toMatchObject({ code: 'unavailable' });
  });
});

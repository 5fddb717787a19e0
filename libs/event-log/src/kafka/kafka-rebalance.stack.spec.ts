import { startKafka, type KafkaServer } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { sampleEvent } from '../event-log.contract.ts';
import type { EventLogReader, LogBatch, LogConsumer } from '../event-log.ts';
import { createKafkaLogHarness, type KafkaLogHarness } from './kafka-event-log.harness.ts';

const noLoss = (): never => {
  throw new Error('nothing may be lost here');
};
const neither: Pick<LogConsumer, 'revoked' | 'lost'> = { revoked: () => Promise.resolve(), lost: noLoss };

/** The books that all readers share, and who may write in them: a partition's lease is taken and given back. */
class SharedBooks {
  readonly next = new Map<number, number>();
  readonly seen: { readonly reader: string; readonly id: string }[] = [];
  /** Each time that a partition came to another reader. */
  readonly moves: string[] = [];
  readonly owners = new Map<number, string>();
  #waiting: (() => void)[] = [];

  consumer(reader: string): LogConsumer {
    return {
      assigned: async (partition) => {
        while (this.owners.has(partition)) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        this.owners.set(partition, reader);
        this.moves.push(`${partition} to ${reader}`);
        return this.next.get(partition) ?? 1;
      },
      deliver: (batch) => this.#record(reader, batch),
      revoked: (partition) => {
        if (this.owners.get(partition) === reader) this.owners.delete(partition);
        for (const wake of this.#waiting.splice(0)) wake();
        return Promise.resolve();
      },
      lost: noLoss,
    };
  }

  #record(reader: string, { partition, events }: LogBatch): void {
    expect(this.owners.get(partition)).toBe(reader);
    for (const { position, event } of events) {
      this.seen.push({ reader, id: event.id });
      this.next.set(partition, position + 1);
    }
  }

  ownedBy(reader: string): number[] {
    return [...this.owners].filter(([, owner]) => owner === reader).map(([partition]) => partition);
  }
}

let kafka: KafkaServer;
let harness: KafkaLogHarness;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka.stop());
afterEach(() => harness.close());

jest.setTimeout(120_000);
const patiently = { timeoutMs: 40_000 };

describe('readers that come and go', () => {
  it('share the partitions evenly, hand nothing over twice, and leave nothing out', async () => {
    const partitions = 6;
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions });
    const writer = harness.writer();
    await writer.start();
    const books = new SharedBooks();
    let number = 0;
    let published = true;
    const publishing = (async () => {
      while (published) {
        await Promise.all(Array.from({ length: 20 }, () => writer.append(sampleEvent(number++))));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const join = async (name: string): Promise<EventLogReader> => {
      const reader = harness.reader();
      await reader.start(books.consumer(name));
      return reader;
    };
    const settled = (names: readonly string[]): Promise<unknown> =>
      eventually(
        () => names.every((name) => books.ownedBy(name).length === partitions / names.length),
        patiently,
      );

    const a = await join('a');
    await settled(['a']);
    const b = await join('b');
    await settled(['a', 'b']);
    const before = books.moves.length;
    const c = await join('c');
    await settled(['a', 'b', 'c']);
    // The newcomer got its third, and nothing went from one of the others to the other.
    expect(books.moves.slice(before).map((move) => move.slice(-1))).toEqual(['c', 'c']);

    const kept = books.ownedBy('c');
    await a.stop();
    await settled(['b', 'c']);
    expect(books.ownedBy('c')).toEqual(expect.arrayContaining(kept));
    await b.stop();
    await settled(['c']);

    published = false;
    await publishing;
    await eventually(() => books.seen.length >= number, patiently);
    await c.stop();
    expect(new Set(books.seen.map(({ id }) => id)).size).toBe(number);
    expect(books.seen).toHaveLength(number);
    expect(new Set(books.seen.map(({ reader }) => reader))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('read the other partitions while one waits for its books, and ask again when these fail', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions: 2 });
    const writer = harness.writer();
    await writer.start();
    await Promise.all(Array.from({ length: 100 }, (_, number) => writer.append(sampleEvent(number))));
    const seen: number[] = [];
    let asked = 0;
    let answer = (_next: number): void => undefined;
    const reader = harness.reader();
    await reader.start({
      assigned(partition) {
        if (partition === 1) return Promise.resolve(1);
        asked += 1;
        if (asked === 1) return Promise.reject(new Error('the books are away'));
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
      deliver: ({ partition, events }) => void seen.push(...events.map(() => partition)),
      ...neither,
    });
    await eventually(() => seen.length > 0 && asked === 2, patiently);
    expect(new Set(seen)).toEqual(new Set([1]));
    answer(1);
    await eventually(() => seen.length === 100, patiently);
  });

  it('use no answer of the books that comes after the partition went to somebody else', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions: 1 });
    const writer = harness.writer();
    await writer.start();
    await writer.append(sampleEvent(1));
    let answer = (_next: number): void => undefined;
    const told: string[] = [];
    const late = harness.reader();
    await late.start({
      assigned: () =>
        new Promise((resolve) => {
          told.push('assigned');
          answer = resolve;
        }),
      deliver: () => void told.push('deliver'),
      revoked: () => {
        told.push('revoked');
        return Promise.resolve();
      },
      lost: noLoss,
    });
    await eventually(() => told.length === 1, patiently);
    await late.stop();
    answer(1);
    const seen: string[] = [];
    await harness.reader().start({
      assigned: () => Promise.resolve(1),
      deliver: ({ events }) => void seen.push(...events.map(({ event }) => event.id)),
      ...neither,
    });
    await eventually(() => seen.length === 1, patiently);
    expect(told).toEqual(['assigned', 'revoked']);
  });

  it('hand a batch over again to a consumer that has failed to take it', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers });
    const writer = harness.writer();
    await writer.start();
    await Promise.all([1, 2, 3].map((number) => writer.append(sampleEvent(number))));
    const seen: string[] = [];
    let attempts = 0;
    await harness.reader().start({
      assigned: () => Promise.resolve(1),
      deliver({ events }) {
        attempts += 1;
        if (attempts === 1) throw new Error('a fault of the consumer');
        seen.push(...events.map(({ event }) => event.id));
      },
      ...neither,
    });
    await eventually(() => seen.length === 3, patiently);
    expect(seen).toEqual([1, 2, 3].map((number) => sampleEvent(number).id));
  });

  it('read a partition that comes back, also when it was paused before it went', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers, partitions: 2 });
    const writer = harness.writer();
    await writer.start();
    const books = new SharedBooks();
    const a = harness.reader();
    await a.start(books.consumer('a'));
    await eventually(() => books.ownedBy('a').length === 2, patiently);
    for (const partition of [0, 1]) a.pause(partition);
    const b = harness.reader();
    await b.start(books.consumer('b'));
    await eventually(() => books.ownedBy('b').length === 1, patiently);
    const [gone] = books.ownedBy('b');
    await b.stop();
    await eventually(() => books.ownedBy('a').length === 2, patiently);
    await Promise.all(Array.from({ length: 20 }, (_, number) => writer.append(sampleEvent(number))));
    await eventually(() => books.next.has(gone!), patiently);
    expect([...books.next.keys()]).toEqual([gone]);
  });

  it('ask for the place again when the consumer has lost it, and hand over nothing before', async () => {
    harness = createKafkaLogHarness({ brokers: kafka.brokers });
    const writer = harness.writer();
    await writer.start();
    await Promise.all([1, 2, 3].map((number) => writer.append(sampleEvent(number))));
    const positions: number[] = [];
    const answers: ((next: number) => void)[] = [];
    const reader = harness.reader();
    await reader.start({
      assigned: () => new Promise((resolve) => answers.push(resolve)),
      deliver: ({ events }) => void positions.push(...events.map(({ position }) => position)),
      ...neither,
    });
    await eventually(() => answers.length === 1, patiently);
    answers[0]?.(1);
    await eventually(() => positions.length === 3, patiently);
    reader.reopen(0);
    await eventually(() => answers.length === 2, patiently);
    await writer.append(sampleEvent(4));
    answers[1]?.(2);
    await eventually(() => positions.length === 6, patiently);
    expect(positions).toEqual([1, 2, 3, 2, 3, 4]);
  });
});

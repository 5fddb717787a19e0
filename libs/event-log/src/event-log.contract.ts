import { plainEvent, type Event } from '@posthorn/models';
import type { EventLogReader, EventLogWriter, LogBatch, LogConsumer, LogLoss } from './event-log.ts';

/** A log under test: what it holds survives `restart`, which forgets everything in memory. */
export interface LogUnderTest {
  readonly log: EventLogReader & EventLogWriter;
  restart(): Promise<LogUnderTest>;
  close(): Promise<void>;
}

export function sampleEvent(number: number, over: Partial<Event> = {}): Event {
  const at = new Date(Date.UTC(2026, 0, 1) + number);
  return plainEvent({
    id: `01900000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    organisationId: 'org',
    type: 'order.paid',
    payload: Buffer.from(`{"n": ${number}.0}`),
    labels: number % 2 === 0 ? {} : { region: 'eu' },
    subject: number % 3 === 0 ? 'someone' : null,
    acceptedAt: at,
    ...over,
  });
}

/** Keeps what it is given and where each partition stands, like the dispatcher's books. */
export class RecordingConsumer implements LogConsumer {
  readonly batches: LogBatch[] = [];
  readonly losses: LogLoss[] = [];
  readonly next = new Map<number, number>();
  #waiters: (() => void)[] = [];

  assigned = (partition: number): Promise<number> => Promise.resolve(this.next.get(partition) ?? 1);
  revoked = (): Promise<void> => Promise.resolve();
  lost = (loss: LogLoss): void => void this.losses.push(loss);

  deliver = (batch: LogBatch): void => {
    this.batches.push(batch);
    for (const wake of this.#waiters.splice(0)) wake();
  };

  get events(): Event[] {
    return this.batches.flatMap((batch) => batch.events.map(({ event }) => event));
  }

  async until(count: number): Promise<void> {
    while (this.events.length < count) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

/** What every adapter of the log guarantees. */
export function describeEventLog(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`${name} keeps the contract of the log`, () => {
    let subject: LogUnderTest;
    let consumer: RecordingConsumer;
    const append = (numbers: readonly number[]): Promise<unknown> =>
      Promise.all(numbers.map((number) => subject.log.append(sampleEvent(number))));
    const ids = (): string[] => consumer.events.map(({ id }) => id);
    const idsOf = (numbers: readonly number[]): string[] => numbers.map((number) => sampleEvent(number).id);

    beforeEach(async () => {
      subject = await open();
      consumer = new RecordingConsumer();
    });
    afterEach(() => subject.close());

    it('hands over what was appended before it was started, and what is appended after, whole and in order', async () => {
      await append(range(0, 300));
      await subject.log.start(consumer);
      await consumer.until(300);
      await append(range(300, 400));
      await consumer.until(400);
      expect(
        consumer.events.map((event) => ({ ...event, payload: Buffer.from(event.payload).toString() })),
      ).toEqual(
        range(0, 400).map((number) => {
          const event = sampleEvent(number);
          return { ...event, payload: Buffer.from(event.payload).toString() };
        }),
      );
      const positions = consumer.batches.flatMap(({ events }) => events.map(({ position }) => position));
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(new Set(positions).size).toBe(400);
    });

    it('hands over nothing while it is paused, and everything afterwards', async () => {
      await subject.log.start(consumer);
      await append(range(0, 10));
      await consumer.until(10);
      subject.log.pause(0);
      await append(range(10, 700));
      await new Promise(setImmediate);
      expect(consumer.events).toHaveLength(10);
      subject.log.resume(0);
      await append(range(700, 710));
      await consumer.until(710);
      expect(ids()).toEqual(idsOf(range(0, 710)));
    });

    it('begins after a restart where the books say, and says that it may repeat', async () => {
      await subject.log.start(consumer);
      await append(range(0, 20));
      await consumer.until(20);
      const tenth = consumer.batches.flatMap(({ events }) => events)[10];
      subject = await subject.restart();
      consumer = new RecordingConsumer();
      consumer.next.set(0, tenth?.position ?? 0);
      await subject.log.start(consumer);
      await consumer.until(10);
      expect(ids()).toEqual(idsOf(range(10, 20)));
      expect(consumer.batches[0]?.mayRepeat).toBe(true);
      await append([20]);
      await consumer.until(11);
      expect(consumer.batches.at(-1)?.mayRepeat).toBe(false);
    });

    it('hands over nothing after it was stopped', async () => {
      await subject.log.start(consumer);
      await append([1]);
      await consumer.until(1);
      await subject.log.stop();
      await append([2]);
      await new Promise(setImmediate);
      expect(consumer.events).toHaveLength(1);
    });
  });
}

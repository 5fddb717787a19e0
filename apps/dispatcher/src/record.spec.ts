import { DomainError } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { DeadRecord } from './intake/dead-record-store.ts';
import type { DeliveryRecord, NextPosition } from './deliveries/delivery-store.ts';
import { createBooks } from './intake/books.ts';
import { createPutAside } from './intake/put-aside.ts';
import { createRecorder } from './record.ts';
import { sampleDelivery, sampleEvent, sampleInsert } from './deliveries/sample-deliveries.ts';

interface Write {
  readonly records: readonly DeliveryRecord[];
  readonly books: readonly NextPosition[];
}

function setUp() {
  const written: Write[] = [];
  const clock = new FakeClock();
  const store = {
    fail: false,
    /** It is never written. */
    refused: undefined as DeliveryRecord | undefined,
    record(records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void> {
      if (store.fail) return Promise.reject(new DomainError('unavailable', 'away'));
      if (store.refused !== undefined && records.includes(store.refused)) {
        return Promise.reject(new Error('too large'));
      }
      written.push({ records, books });
      return Promise.resolve();
    },
  };
  const buried: DeadRecord[] = [];
  const dead = {
    add: (record: DeadRecord) => Promise.resolve(void buried.push(record)),
    addLoss: () => Promise.resolve(),
  };
  const metrics = createMetrics();
  const books = createBooks();
  books.open(0, 3, 1);
  const recorder = createRecorder({
    store,
    books,
    putAside: createPutAside({ store: dead, clock, logger: silentLogger, metrics }),
    clock,
    logger: silentLogger,
    metrics,
  });
  const insertOf = (number: number): DeliveryRecord =>
    sampleInsert({ delivery: sampleDelivery(sampleEvent(number)), epoch: 3 });
  return { written, buried, clock, store, books, recorder, insertOf };
}

describe('recording', () => {
  it('writes what one turn brings as one group, in order, and moves the books with it', async () => {
    const { written, clock, books, recorder, insertOf } = setUp();
    const marks = [1, 2, 3].map((position) => books.progress(0)!.begin(position, 1));
    recorder.add(insertOf(1), marks[0] ?? null);
    recorder.planned(marks[1] ?? { partition: 0, position: 0, open: 0 }, () => undefined);
    recorder.add(insertOf(2), null);
    await clock.advanceAsync(0);
    expect(written).toEqual([
      { records: [insertOf(1), insertOf(2)], books: [{ partition: 0, epoch: 3, next: 3 }] },
    ]);
    expect(recorder.backlog).toBe(0);
  });

  it('tells that something is on record only once it is, and tries until it is', async () => {
    const { written, clock, store, recorder, insertOf } = setUp();
    store.fail = true;
    const recorded: number[] = [];
    recorder.add(insertOf(1), null, () => recorded.push(1));
    await clock.advanceAsync(60_000);
    expect(recorded).toEqual([]);
    recorder.add(insertOf(2), null, () => recorded.push(2));
    expect(recorder.backlog).toBe(2);
    store.fail = false;
    await clock.advanceAsync(5000);
    expect(recorded).toEqual([1, 2]);
    expect(written.flatMap(({ records }) => records)).toEqual([insertOf(1), insertOf(2)]);
  });

  it('drains, or gives up when it is told to', async () => {
    const { clock, store, recorder, insertOf } = setUp();
    store.fail = true;
    recorder.add(insertOf(1), null);
    const impatient = new AbortController();
    const drained = recorder.drain(impatient.signal);
    impatient.abort();
    await drained;
    store.fail = false;
    const patient = recorder.drain(new AbortController().signal);
    await clock.advanceAsync(10_000);
    await patient;
    expect(recorder.backlog).toBe(0);
  });

  it('puts aside what the store refuses for good, and writes the rest', async () => {
    const { written, buried, clock, store, books, recorder, insertOf } = setUp();
    const refused = insertOf(2);
    store.refused = refused;
    const marks = [1, 2, 3].map((position) => books.progress(0)!.begin(position, 1));
    for (const [index, mark] of marks.entries()) {
      recorder.add(index === 1 ? refused : insertOf(index + 1), mark);
    }
    await clock.advanceAsync(5000);
    expect(written.flatMap(({ records }) => records.map(({ delivery }) => delivery.eventId))).toEqual([
      sampleEvent(1).id,
      sampleEvent(3).id,
    ]);
    expect(written.at(-1)?.books).toEqual([{ partition: 0, epoch: 3, next: 4 }]);
    expect(buried).toMatchObject([
      { kind: 'unwritable', deliveryId: refused.delivery.id, partition: 0, position: 2 },
    ]);
  });
});

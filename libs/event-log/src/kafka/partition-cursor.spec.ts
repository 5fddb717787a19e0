import { eventToRecord } from '@posthorn/contracts';
import { sampleEvent } from '../event-log.contract.ts';
import { createPartitionCursor, type Fetched } from './partition-cursor.ts';

const record = (number: number): Buffer => Buffer.from(eventToRecord(sampleEvent(number)));

/** What Kafka has from that offset on: event n at offset n. */
function fetched(offset: number, count: number, over: Partial<Fetched> = {}): Fetched {
  const messages = Array.from({ length: count }, (_, index) => ({
    offset: String(offset + index),
    value: record(offset + index),
  }));
  return {
    messages,
    firstOffset: () => messages[0]?.offset ?? null,
    lastOffset: () => String(offset + count - 1),
    ...over,
  };
}

const ids = (numbers: readonly number[]): string[] => numbers.map((number) => sampleEvent(number).id);

describe('a cursor', () => {
  it('takes nothing before it is open', () => {
    const cursor = createPartitionCursor(3);
    expect(cursor.take(fetched(0, 2)).kind).toBe('nothing');
    expect(cursor.next).toBeUndefined();
  });

  it('hands over what goes on where it stands, and knows what may have been read before', () => {
    const cursor = createPartitionCursor(3);
    expect(cursor.open(1, { first: 1, next: 3 })).toBeUndefined();
    const first = cursor.take(fetched(0, 2));
    expect(first).toMatchObject({ kind: 'batch', batch: { partition: 3, mayRepeat: true }, loss: undefined });
    const second = cursor.take(fetched(2, 1));
    expect(second).toMatchObject({ kind: 'batch', batch: { mayRepeat: false } });
    expect(second.kind === 'batch' && second.batch.events).toEqual([{ position: 3, event: sampleEvent(2) }]);
    expect(cursor.next).toBe(4);
  });

  it('begins behind what was kept for too short, and says what is missing', () => {
    const cursor = createPartitionCursor(0);
    expect(cursor.open(5, { first: 8, next: 20 })).toEqual({
      partition: 0,
      reason: 'expired',
      from: 5,
      next: 8,
    });
    expect(cursor.next).toBe(8);
  });

  it('begins again with what is there when the end was cut off, and says so', () => {
    const cursor = createPartitionCursor(0);
    expect(cursor.open(50, { first: 3, next: 20 })).toEqual({
      partition: 0,
      reason: 'truncated',
      from: 50,
      next: 3,
    });
    expect(cursor.take(fetched(2, 1))).toMatchObject({ kind: 'batch', batch: { mayRepeat: true } });
  });

  it.each([
    ['behind', 5],
    ['before', 1],
  ])('closes and asks for a look when what is fetched begins %s where it stands', (_where, offset) => {
    const cursor = createPartitionCursor(0);
    cursor.open(4, { first: 1, next: 10 });
    expect(cursor.take(fetched(offset, 2)).kind).toBe('unsure');
    expect(cursor.isOpen).toBe(false);
    expect(cursor.next).toBe(4);
    expect(cursor.take(fetched(3, 2)).kind).toBe('nothing');
    cursor.open(4, { first: 1, next: 10 });
    expect(cursor.take(fetched(3, 2))).toMatchObject({ kind: 'batch', loss: undefined });
  });

  it('reports a gap that is still there after a look, before it hands over what stands behind', () => {
    const cursor = createPartitionCursor(0);
    cursor.open(4, { first: 1, next: 10 });
    cursor.take(fetched(6, 1));
    cursor.open(4, { first: 1, next: 10 });
    expect(cursor.take(fetched(6, 1))).toMatchObject({
      kind: 'batch',
      loss: { reason: 'expired', from: 4, next: 7 },
    });
    expect(cursor.next).toBe(8);
  });

  it('hands over nothing a second time', () => {
    const cursor = createPartitionCursor(0);
    cursor.open(4, { first: 1, next: 10 });
    cursor.take(fetched(1, 4));
    cursor.open(4, { first: 1, next: 10 });
    const taken = cursor.take(fetched(1, 4));
    expect(taken.kind === 'batch' && taken.batch.events.map(({ event }) => event.id)).toEqual(ids([3, 4]));
    expect(cursor.take(fetched(1, 4)).kind).toBe('unsure');
  });

  it('hands over what holds no event with its bytes and the reason, and the rest as it is', () => {
    const cursor = createPartitionCursor(0);
    cursor.open(1, { first: 1, next: 4 });
    const messages = [
      { offset: '0', value: record(0) },
      { offset: '1', value: Buffer.from('not ours') },
      { offset: '2', value: null },
      { offset: '3', value: record(3) },
    ];
    const taken = cursor.take(fetched(0, 4, { messages }));
    expect(taken.kind === 'batch' && taken.batch.events.map(({ position }) => position)).toEqual([1, 4]);
    expect(taken.kind === 'batch' && taken.batch.undecodable).toEqual([
      { position: 2, bytes: new Uint8Array(Buffer.from('not ours')), reason: expect.stringMatching(/./) },
      { position: 3, bytes: new Uint8Array(), reason: 'the message is empty' },
    ]);
    expect(cursor.next).toBe(5);
  });

  it("goes on behind what Kafka keeps for itself, which isn't a gap", () => {
    const cursor = createPartitionCursor(0);
    cursor.open(1, { first: 1, next: 9 });
    cursor.take(fetched(0, 2, { lastOffset: () => '2' }));
    expect(cursor.take(fetched(3, 1))).toMatchObject({ kind: 'batch', loss: undefined });
  });
});

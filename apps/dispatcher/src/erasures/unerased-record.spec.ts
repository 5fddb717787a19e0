import { DomainError } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import { sampleAttempt, sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import { mostBehindMs } from './tombstones.ts';
import { createUnerasedRecord } from './unerased-record.ts';

const [erased, kept] = [sampleEvent(1), sampleEvent(2)];
const outcomeOf = (event: typeof erased): DeliveryRecord => {
  const delivery = sampleDelivery(event);
  const attempt = sampleAttempt(delivery);
  return { kind: 'insert', delivery, partition: 0, epoch: 1, order: null, claim: null, attempt, event };
};
const [first, second] = [outcomeOf(erased), outcomeOf(kept)];

/** A dispatcher whose view of tombstones is up to date; `onRead` is what its next read finds. */
function setUp() {
  const clock = new FakeClock();
  const log: string[] = [];
  const world = {
    clock,
    log,
    written: [] as (readonly DeliveryRecord[])[],
    isAway: false,
    writeMs: 0,
    isTombstoneThere: false,
    isTombstoneKnown: false,
  };
  let knownAt = 0;
  const record = createUnerasedRecord({
    store: {
      record(records) {
        log.push('write');
        clock.advance(world.writeMs);
        if (world.isAway) return Promise.reject(new DomainError('unavailable', 'away'));
        world.written.push(records);
        return Promise.resolve();
      },
    },
    tombstones: {
      bringUpToDate() {
        log.push('ask');
        if (world.isAway) return Promise.reject(new DomainError('unavailable', 'away'));
        knownAt = clock.monotonic();
        world.isTombstoneKnown = world.isTombstoneThere;
        return Promise.resolve();
      },
      isErased: ({ id }) => world.isTombstoneKnown && id === erased.id,
      knownAt: () => knownAt,
    },
    eraser: {
      erase(_organisationId, events) {
        log.push(`erase ${events.map(({ id }) => id).join()}`);
        return Promise.resolve({ events: 0, responses: 1, cancelled: [] });
      },
    },
    clock,
  });
  return Object.assign(world, { record: () => record([first, second], []) });
}

const answersOf = (records: readonly DeliveryRecord[] = []) =>
  records.map(({ attempt }) => attempt?.response);

describe('writing outcomes', () => {
  it('asks for nothing and copies nothing while the view is fresh and nothing is erased', async () => {
    const { clock, record, log, written } = setUp();
    clock.advance(mostBehindMs / 2);
    await record();
    expect(log).toEqual(['write']);
    expect(written[0]?.[0]).toBe(first);
  });

  it('asks first where the view is old, and leaves out what turns out to be erased', async () => {
    const world = setUp();
    world.isTombstoneThere = true;
    world.clock.advance(mostBehindMs);
    await world.record();
    expect(world.log).toEqual(['ask', 'write', `erase ${erased.id}`]);
    expect(answersOf(world.written[0])).toEqual([null, second.attempt?.response]);
  });

  it('writes nothing while it cannot ask', async () => {
    const world = setUp();
    world.isAway = true;
    world.clock.advance(mostBehindMs);
    await expect(world.record()).rejects.toThrow('away');
    expect(world.log).toEqual(['ask']);
  });

  it('erases what it wrote when that took so long that the eraser may have looked before', async () => {
    const world = setUp();
    world.isTombstoneThere = true;
    world.writeMs = mostBehindMs + 1;
    await world.record();
    expect(world.log).toEqual(['write', 'ask', `erase ${erased.id}`]);
  });

  it('erases what an earlier try may have written, when the tombstone is found between the two', async () => {
    const world = setUp();
    world.isAway = true;
    await expect(world.record()).rejects.toThrow('away');
    Object.assign(world, { isAway: false, isTombstoneKnown: true });
    await world.record();
    expect(world.log).toEqual(['write', 'write', `erase ${erased.id}`]);
    expect(answersOf(world.written[0])).toEqual([null, second.attempt?.response]);
  });
});

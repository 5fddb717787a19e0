import { DomainError } from '@posthorn/models';
import { sleep } from '@posthorn/runtime';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import fc from 'fast-check';
import { sampleAttempt, sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import { createTombstones, lookForTombstonesMs, settleTombstonesMs } from './tombstones.ts';
import type { NumberedTombstone, Tombstone } from './erasure-store.ts';
import { createUnerasedRecord } from './unerased-record.ts';

/**
 * One dispatcher writes an answer while another one erases its event. Either may be held up before and after each of its steps, for
 * longer than the eraser waits; a write may fail, be done although it failed, and be done long after that.
 */

const event = sampleEvent(1, { subject: 'someone' });
const delivery = sampleDelivery(event);
const outcome: DeliveryRecord = {
  kind: 'insert',
  delivery,
  partition: 0,
  epoch: 1,
  order: null,
  claim: null,
  attempt: sampleAttempt(delivery),
  event,
};

const delayMs = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 3 * settleTombstonesMs }),
);
const writeResults = ['done', 'refused', 'done, and the answer lost', 'done long after it failed'] as const;

const stories = fc.record({
  markAtMs: fc.integer({ min: 0, max: 4 * settleTombstonesMs }),
  readDelays: fc.array(delayMs, { minLength: 1, maxLength: 12 }),
  writeDelays: fc.array(delayMs, { minLength: 1, maxLength: 12 }),
  results: fc.array(fc.constantFrom(...writeResults), { maxLength: 3 }),
  looksMs: fc.constantFrom(lookForTombstonesMs, 10 * settleTombstonesMs),
});
type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never;

/** Answers what is on record in the end of what the receiver has answered. */
async function live(story: Story): Promise<unknown> {
  const clock = new FakeClock();
  const tombstones: NumberedTombstone[] = [];
  const onRecord = new Map<string, unknown>();
  const shared = {
    addTombstone: (tombstone: Tombstone) =>
      Promise.resolve(void tombstones.push({ number: tombstones.length + 1, tombstone })),
    tombstonesAfter: (number: number) => Promise.resolve(tombstones.slice(number)),
    key: (fresh: Uint8Array) => Promise.resolve(fresh),
  };
  const takeTurns = <T>(all: readonly T[], otherwise: T): (() => T) => {
    const left = [...all];
    return () => left.shift() ?? otherwise;
  };
  const readDelay = takeTurns(story.readDelays, 10);
  const writeDelay = takeTurns(story.writeDelays, 10);
  const result = takeTurns<(typeof writeResults)[number]>(story.results, 'done');

  const view = createTombstones({
    store: {
      ...shared,
      async tombstonesAfter(number) {
        await sleep(clock, readDelay());
        const found = await shared.tombstonesAfter(number);
        await sleep(clock, readDelay());
        return found;
      },
    },
    isExclusive: false,
    clock,
    random: createSeededRandom(1),
  });
  const erase = (): void => {
    for (const id of onRecord.keys()) onRecord.set(id, null);
  };
  const write = (records: readonly DeliveryRecord[]): void => {
    for (const { attempt } of records) {
      if (attempt !== null && !onRecord.has(attempt.id)) onRecord.set(attempt.id, attempt.response);
    }
  };
  const record = createUnerasedRecord({
    store: {
      async record(records) {
        await sleep(clock, writeDelay());
        const how = result();
        if (how.startsWith('done long after')) clock.setTimeout(() => write(records), writeDelay());
        else if (how !== 'refused') write(records);
        await sleep(clock, writeDelay());
        if (how !== 'done') throw new DomainError('unavailable', 'The store is away.');
      },
    },
    tombstones: view,
    eraser: {
      async erase() {
        await sleep(clock, writeDelay());
        erase();
        return { events: 0, responses: 1, cancelled: [] };
      },
    },
    clock,
  });

  async function eraseElsewhere(): Promise<void> {
    await sleep(clock, story.markAtMs);
    const { organisationId } = event;
    await shared.addTombstone({ kind: 'event', organisationId, eventId: event.id });
    await sleep(clock, settleTombstonesMs);
    erase();
  }
  async function recordPatiently(): Promise<void> {
    await sleep(clock, 2 * settleTombstonesMs);
    for (;;) {
      try {
        await record([outcome], []);
        return;
      } catch {
        await sleep(clock, 100);
      }
    }
  }
  let isOver = false;
  async function keepLooking(): Promise<void> {
    await view.bringUpToDate();
    while (!isOver) {
      await sleep(clock, story.looksMs);
      await view.bringUpToDate();
    }
  }

  const all = Promise.all([eraseElsewhere(), recordPatiently()]).then(() => (isOver = true));
  void keepLooking();
  while (!isOver) await clock.advanceAsync(1000);
  await all;
  // What fails may be done later still.
  await clock.advanceAsync(4 * settleTombstonesMs);
  expect(onRecord.size).toBe(1);
  return onRecord.get(outcome.attempt?.id ?? '');
}

it('nothing is left of an answer about what was erased, in whichever order things happen', async () => {
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      expect(await live(story)).toBeNull();
    }),
    { numRuns: 300 },
  );
}, 120_000);

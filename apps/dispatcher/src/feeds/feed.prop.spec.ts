/**
 * Random lives of partitions and readers: deliveries go on record early, late, or much later than they were begun, owners are
 * stopped in the middle of it and followed by others, the wall clock jumps. Every reader gets everything, and twice at most what a
 * stopped owner wrote after its time.
 */
import fc from 'fast-check';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { deliveryIdOf, type Delivery } from '@posthorn/models';
import { openFeeds, type FeedsUnderTest, type Owner } from './feed.harness.ts';
import { sampleDelivery, sampleEvent, sampleInsert } from '../deliveries/sample-deliveries.ts';

const partitions = 2;

type Step =
  | { readonly kind: 'write'; readonly partition: number; readonly agoMs: number; readonly isSlow: boolean }
  | { readonly kind: 'finish' | 'publish' | 'advance' | 'jump'; readonly amount: number }
  | { readonly kind: 'takeOver'; readonly partition: number }
  | { readonly kind: 'read'; readonly reader: number; readonly limit: number };

const partition = fc.nat({ max: partitions - 1 });
const amount = fc.nat({ max: 20_000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      partition,
      agoMs: fc.oneof(fc.nat({ max: 5000 }), fc.nat({ max: 100_000 })),
      isSlow: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('finish' as const, 'publish' as const, 'advance' as const),
      amount,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      amount: fc.integer({ min: -60_000, max: 60_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeOver' as const), partition }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      reader: fc.nat({ max: 1 }),
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

/** A write that has begun and goes on when the test says so, also after its owner has been followed by another. */
interface SlowWrite {
  readonly delivery: Delivery;
  readonly partition: number;
  readonly owner: Owner;
  readonly goOn: () => void;
  readonly done: Promise<void>;
}

class Lives {
  readonly #subject: FeedsUnderTest;
  readonly #owners: { owner: Owner; epoch: number }[] = [];
  readonly #writes: SlowWrite[] = [];
  /** What a stopped owner had begun: its successor meets it in the log again. */
  readonly #orphans: SlowWrite[] = [];
  readonly #made: Delivery[] = [];
  readonly #readers = [
    { cursor: '', seen: [] as string[] },
    { cursor: '', seen: [] as string[] },
  ];
  #gate: Promise<undefined> | null = null;

  constructor(subject: FeedsUnderTest) {
    this.#subject = subject;
  }

  async start(): Promise<void> {
    for (let number = 0; number < partitions; number++) await this.#takeOver(number);
  }

  async take(one: Step): Promise<void> {
    const { clock } = this.#subject;
    switch (one.kind) {
      case 'write':
        return this.#write(one);
      case 'finish':
        return this.#finish(this.#writes.splice(one.amount % (this.#writes.length || 1), 1));
      case 'publish':
        for (const { owner } of this.#owners) await owner.publish();
        return;
      case 'advance':
        clock.advance(one.amount);
        return;
      case 'jump':
        clock.jump(one.amount);
        return;
      case 'takeOver':
        return this.#takeOver(one.partition);
      case 'read':
        await this.#read(one.reader, one.limit);
    }
  }

  async #takeOver(number: number): Promise<void> {
    const before = this.#owners[number];
    if (before !== undefined)
      this.#orphans.push(...this.#writes.filter((write) => write.owner === before.owner));
    const epoch = (before?.epoch ?? 0) + 1;
    const owner = this.#subject.createOwner(this.#slowly());
    owner.own(number, epoch);
    this.#owners[number] = { owner, epoch };
    await owner.look();
  }

  #slowly(): DeliveryStore {
    const { store } = this.#subject;
    return {
      ...store,
      record: async (...args) => {
        await this.#gate;
        await store.record(...args);
      },
    };
  }

  async #write({ partition: number, agoMs, isSlow }: Extract<Step, { kind: 'write' }>): Promise<void> {
    const acceptedAt = new Date(this.#subject.clock.now() - agoMs);
    const event = sampleEvent(this.#made.length + 1, { acceptedAt });
    const source = { acceptedAt, organisationId: 'org', eventId: event.id, endpointId: 'endpoint' };
    const delivery = sampleDelivery(event, 'endpoint', { id: deliveryIdOf(source) });
    this.#made.push(delivery);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { owner, epoch } = this.#ownerOf(number);
    this.#gate = isSlow ? promise : null;
    const done = owner.deliveries.record([sampleInsert({ delivery, partition: number, epoch })], []);
    // The wrapper looks at the gate after marking, at the latest in the next turn of the loop.
    await new Promise(setImmediate);
    this.#gate = null;
    if (isSlow)
      this.#writes.push({ delivery, partition: number, owner, goOn: () => resolve(undefined), done });
    else await done;
  }

  async #finish(writes: readonly SlowWrite[]): Promise<void> {
    for (const { goOn, done } of writes) {
      goOn();
      await done;
    }
  }

  async #read(number: number, limit: number): Promise<boolean> {
    const reader = this.#readers[number];
    if (reader === undefined) return false;
    const page = await this.#subject.read({ cursor: reader.cursor, limit });
    reader.cursor = page.nextCursor;
    reader.seen.push(...page.entries.map(({ delivery }) => delivery.id));
    return page.hasMore;
  }

  #ownerOf(number: number): { readonly owner: Owner; readonly epoch: number } {
    const found = this.#owners[number];
    if (found === undefined) throw new Error(`nobody owns ${number}`);
    return found;
  }

  /** Everything begun comes to its end, what was orphaned is met in the log again, and the readers go on to the end. */
  async end(): Promise<void> {
    await this.#finish(this.#writes.splice(0));
    for (const { delivery, partition: number } of this.#orphans) {
      const { owner, epoch } = this.#ownerOf(number);
      const recorded = await owner.deliveries.findRecorded([delivery]);
      if (recorded.size === 0)
        await owner.deliveries.record([sampleInsert({ delivery, partition: number, epoch })], []);
    }
    for (let times = 0; times < 80; times++) {
      this.#subject.clock.advance(2000);
      for (const { owner } of this.#owners) await owner.publish();
    }
    for (const number of this.#readers.keys()) while (await this.#read(number, 3));
  }

  check(): void {
    const all = this.#made.map(({ id }) => id).toSorted();
    const mayRepeat = new Set(this.#orphans.map(({ delivery }) => delivery.id));
    for (const { seen } of this.#readers) {
      expect([...new Set(seen)].toSorted()).toEqual(all);
      const repeated = seen.filter((id, index) => seen.indexOf(id) !== index);
      expect(repeated.filter((id) => !mayRepeat.has(id))).toEqual([]);
    }
  }
}

describe('a feed that is read while deliveries come in any order', () => {
  it('gives every reader everything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const subject = openFeeds();
        try {
          const lives = new Lives(subject);
          await lives.start();
          for (const one of steps) await lives.take(one);
          await lives.end();
          lives.check();
        } finally {
          await subject.close();
        }
      }),
      { numRuns: 30 },
    );
  });
});

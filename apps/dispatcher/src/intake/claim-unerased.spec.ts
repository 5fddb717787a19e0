import type { LogBatch } from '@posthorn/event-log';
import type { Event } from '@posthorn/models';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { claimUnerased } from './claim-unerased.ts';
import type { ErasureStore, NumberedTombstone, Tombstone } from '../erasures/erasure-store.ts';
import type { EventClaim } from '../events/event-store.ts';
import { sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';
import { createTombstones, type Tombstones } from '../erasures/tombstones.ts';

/** Two dispatchers over one store: one erases, the other meets the event in the log (again). */

const event = sampleEvent(1, { subject: 'someone' });
const batch: LogBatch = { partition: 0, mayRepeat: true, events: [{ position: 7, event }] };

function createSharedStore() {
  const tombstones: NumberedTombstone[] = [];
  let key: Uint8Array | null = null;
  const shared = {
    onRecord: new Map<string, Event>(),
    tombstones: {
      addTombstone: (tombstone: Tombstone) =>
        Promise.resolve(void tombstones.push({ number: tombstones.length + 1, tombstone })),
      tombstonesAfter: (number: number) => Promise.resolve(tombstones.slice(number)),
      key: (fresh: Uint8Array) => Promise.resolve((key ??= fresh)),
    } satisfies Pick<ErasureStore, 'addTombstone' | 'tombstonesAfter' | 'key'>,
    erase(ids: readonly string[]) {
      for (const id of ids) shared.onRecord.delete(id);
    },
  };
  return shared;
}
type Shared = ReturnType<typeof createSharedStore>;

const viewOf = (store: Shared['tombstones']): Tombstones =>
  createTombstones({ store, isExclusive: false, clock: new FakeClock(), random: createSeededRandom(1) });

/** The planner's half, with a gate before each of its steps. */
function startPlanner(shared: Shared) {
  const gates = { claim: Promise.withResolvers<undefined>(), read: Promise.withResolvers<undefined>() };
  const view = viewOf({
    ...shared.tombstones,
    async tombstonesAfter(number: number) {
      await gates.read.promise;
      return shared.tombstones.tombstonesAfter(number);
    },
  });
  const claims = claimUnerased(
    {
      async claim({ events }): Promise<readonly EventClaim[]> {
        await gates.claim.promise;
        for (const one of events) shared.onRecord.set(one.event.id, one.event);
        return events.map(() => 'new');
      },
    },
    batch,
    {
      clock: new FakeClock(),
      putAside: Object.assign(() => Promise.resolve(), { loss: () => Promise.resolve() }),
      tombstones: view,
      eraser: {
        erase(_organisationId, wanted) {
          shared.erase(wanted.map(({ id }) => id));
          return Promise.resolve({ events: 1, responses: 0, cancelled: [] });
        },
      },
    },
  );
  return { gates, claims, view };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

const steps = ['mark', 'look', 'claim', 'read'] as const;
type Step = (typeof steps)[number];

/** Every order of the four in which the tombstone is there before the eraser looks. */
const interleavings: readonly (readonly Step[])[] = permutations(steps).filter(
  (order) => order.indexOf('mark') < order.indexOf('look'),
);

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length === 0) return [[]];
  return all.flatMap((one) =>
    permutations(all.filter((other) => other !== one)).map((rest) => [one, ...rest]),
  );
}

describe('two dispatchers, of which one erases what the other reads', () => {
  const targets: readonly Tombstone[] = [
    { kind: 'event', organisationId: 'org', eventId: event.id },
    { kind: 'organisation', organisationId: 'org' },
  ];
  describe.each(targets)('by $kind', (tombstone) => {
    it.each(interleavings.map((order) => [order.join(', '), order] as const))(
      'leaves nothing on record in the order %s',
      async (_name, order) => {
        const shared = createSharedStore();
        const eraser = viewOf(shared.tombstones);
        const { gates, claims } = startPlanner(shared);
        for (const next of order) {
          if (next === 'mark') await eraser.add(tombstone);
          else if (next === 'look') shared.erase([event.id]);
          else gates[next].resolve(undefined);
          await settle();
        }
        await claims;
        expect([...shared.onRecord]).toEqual([]);
      },
    );
  });
});

describe('an erased event that is read again', () => {
  it('is not put on record at all once that is known, and is planned as what was read before', async () => {
    const shared = createSharedStore();
    await viewOf(shared.tombstones).add({ kind: 'event', organisationId: 'org', eventId: event.id });
    const { gates, claims, view } = startPlanner(shared);
    gates.read.resolve(undefined);
    await view.bringUpToDate();
    gates.claim.resolve(undefined);
    expect(await claims).toEqual(new Map([[7, 'repeat']]));
    expect(shared.onRecord.size).toBe(0);
    expect(view.isErased(event)).toBe(true);
  });
});

describe('what a view of tombstones knows', () => {
  it('of a subject is what was accepted until its erasure, in its organisation, and nothing later', async () => {
    const shared = createSharedStore();
    const eraser = viewOf(shared.tombstones);
    const subjectHash = await eraser.hashSubject('org', 'someone');
    expect(subjectHash).not.toContain('someone');
    await eraser.add({ kind: 'subject', organisationId: 'org', subjectHash, before: sampleTime(5) });
    // Another process, whose own key would have been another one.
    const view = createTombstones({
      store: shared.tombstones,
      isExclusive: false,
      clock: new FakeClock(),
      random: createSeededRandom(2),
    });
    await view.bringUpToDate();
    const isErased = (number: number, over: Partial<Event> = {}): boolean =>
      view.isErased(sampleEvent(number, { subject: 'someone', ...over }));

    expect(isErased(1)).toBe(true);
    expect(isErased(5)).toBe(true);
    expect(isErased(6)).toBe(false);
    expect(isErased(1, { subject: 'someone else' })).toBe(false);
    expect(isErased(1, { subject: null })).toBe(false);
    expect(isErased(1, { organisationId: 'other' })).toBe(false);
  });

  it('does not shrink when a subject is erased by two jobs that come in the wrong order', async () => {
    const shared = createSharedStore();
    const view = viewOf(shared.tombstones);
    const subjectHash = await view.hashSubject('org', 'someone');
    for (const before of [sampleTime(9), sampleTime(3)]) {
      await view.add({ kind: 'subject', organisationId: 'org', subjectHash, before });
    }
    expect(view.isErased(sampleEvent(8, { subject: 'someone' }))).toBe(true);
  });

  it('is complete for whoever asked while an older read was under way', async () => {
    const shared = createSharedStore();
    const first = Promise.withResolvers<undefined>();
    let reads = 0;
    const view = viewOf({
      ...shared.tombstones,
      async tombstonesAfter(number: number) {
        const found = await shared.tombstones.tombstonesAfter(number);
        if (reads++ === 0) await first.promise;
        return found;
      },
    });
    const early = view.bringUpToDate();
    await settle();
    await viewOf(shared.tombstones).add({ kind: 'event', organisationId: 'org', eventId: event.id });
    const late = view.bringUpToDate();
    first.resolve(undefined);
    await early;
    expect(view.isErased(event)).toBe(false);
    await late;
    expect(view.isErased(event)).toBe(true);
  });

  it('is as old as the moment at which its last read began', async () => {
    const clock = new FakeClock();
    const shared = createSharedStore();
    const view = createTombstones({
      store: {
        ...shared.tombstones,
        tombstonesAfter(number: number) {
          clock.advance(300);
          return shared.tombstones.tombstonesAfter(number);
        },
      },
      isExclusive: false,
      clock,
      random: createSeededRandom(1),
    });
    expect(view.knownAt()).toBe(-Infinity);
    clock.advance(700);
    await view.bringUpToDate();
    expect(view.knownAt()).toBe(700);
  });
});

import type { EventLogReader, LogBatch } from '@posthorn/event-log';
import { DomainError, type Event } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { EventClaim, EventStore } from '../events/event-store.ts';
import { createBackpressure, type IntakeLimits } from './backpressure.ts';
import { createBooks } from './books.ts';
import type { DeadRecord, RecordedLoss } from './dead-record-store.ts';
import { createIntake } from './intake.ts';
import { directoryOf } from '../lanes/lanes.harness.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { createPutAside } from './put-aside.ts';
import type { QueuedDelivery } from '../lanes/queued-delivery.ts';
import type { Recorder } from '../record.ts';
import { sampleDelivery, sampleEvent } from '../deliveries/sample-deliveries.ts';
import { ownershipOf, sampleHolding } from '../ownership/sample-holding.harness.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

const endpoints = [1, 2].map((number) => simulatedEndpoint({ organisationId: 'org' }, number));
const endpointIds = endpoints.map(({ endpoint }) => endpoint.id);

function setUp(limits: Partial<IntakeLimits> = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const books = createBooks();
  books.open(0, 1, 1);
  const readable = directoryOf(new Map(endpoints.map((one) => [one.endpoint.id, one])));
  const world = {
    offered: [] as QueuedDelivery[],
    /** Calls of the log, in order. */
    log: [] as string[],
    memory: { deliveries: 0, bytes: 0 },
    relieved: [] as unknown[],
    away: new Set<'config' | 'events' | 'deliveries'>(),
    claims: (batch: LogBatch): EventClaim[] => batch.events.map(() => (batch.mayRepeat ? 'repeat' : 'new')),
    recorded: new Set<string>(),
    /** What waits for the recorder: called when it is on record. */
    planned: [] as (() => void)[],
    dead: [] as DeadRecord[],
    losses: [] as RecordedLoss[],
    /** An organisation whose view can't be had. */
    sick: '',
  };
  const unlessAway = <T>(what: 'config' | 'events' | 'deliveries', value: () => T): Promise<T> =>
    world.away.has(what) ? Promise.reject(new DomainError('unavailable', 'away')) : Promise.resolve(value());

  const log: EventLogReader = {
    partitions: 1,
    start: () => Promise.resolve(),
    pause: (partition) => void world.log.push(`pause ${partition}`),
    resume: (partition) => void world.log.push(`resume ${partition}`),
    reopen: () => undefined,
    recorded: () => undefined,
    stop: () => Promise.resolve(),
  };
  const directory: Directory = {
    ...readable,
    bringUpToDate: () => unlessAway('config', () => undefined),
    load: (ids) => ([...ids].includes(world.sick) ? Promise.reject(new Error('a bug')) : Promise.resolve()),
    loadAvailable: (ids) =>
      Promise.resolve(
        new Map([...ids].filter((id) => id === world.sick).map((id) => [id, new Error('a bug')])),
      ),
    organisation: (id) => (id === 'org' || id === 'broken' ? broken(id, readable) : null),
  };
  const lanes = {
    offer: (queued: QueuedDelivery) => void world.offered.push(queued),
    get memory() {
      return world.memory;
    },
    relieve: (bound: unknown) => void world.relieved.push(bound),
  } as Partial<Lanes> as Lanes;
  const backpressure = createBackpressure({
    log,
    lanes,
    books,
    clock,
    metrics,
    limits: { deliveries: 100, bytes: 1_000_000, unrecordedEvents: 100, ...limits },
  });
  const dead = {
    add: (record: DeadRecord) => Promise.resolve(void world.dead.push(record)),
    addLoss: (loss: RecordedLoss) => Promise.resolve(void world.losses.push(loss)),
  };
  const holding = { ...sampleHolding() };
  const intake = createIntake({
    events: {
      claim: (batch: LogBatch) => unlessAway('events', () => world.claims(batch)),
    } as Partial<EventStore> as EventStore,
    deliveries: {
      findRecorded: (wanted: readonly { readonly id: string }[]) =>
        unlessAway(
          'deliveries',
          () => new Set(wanted.map(({ id }) => id).filter((id) => world.recorded.has(id))),
        ),
    } as Partial<DeliveryStore> as DeliveryStore,
    directory,
    ownership: ownershipOf(holding),
    lanes,
    homeward: { mustLookUp: () => false, lookUp: () => Promise.resolve(), put: () => false },
    tombstones: { bringUpToDate: () => Promise.resolve(), isErased: () => false },
    eraser: { erase: () => Promise.reject(new Error('nothing is erased')) },
    recorder: {
      planned: (mark, onRecorded) =>
        void world.planned.push(() => {
          books.settle(mark);
          onRecorded();
        }),
    } as Partial<Recorder> as Recorder,
    books,
    backpressure,
    putAside: createPutAside({ store: dead, clock, logger: silentLogger, metrics }),
    clock,
    logger: silentLogger,
    metrics,
  });
  const deliver = async (events: readonly Event[], from = 1, mayRepeat = false): Promise<void> => {
    const logged = events.map((event, index) => ({ position: from + index, event }));
    intake.deliver({ partition: 0, events: logged, mayRepeat });
    await clock.advanceAsync(0);
  };
  /** As when the partition is handed over, and the process ends. */
  const forget = async (): Promise<void> => {
    holding.state = 'ending';
    await intake.forget(0);
    backpressure.stop();
  };
  return { clock, metrics, books, world, intake, backpressure, deliver, forget, holding };
}

/** An organisation whose matching fails, as on an error of ours. */
function broken(id: string, directory: Directory) {
  const view = directory.organisation(id);
  if (id !== 'broken' || view === null) return view;
  return {
    ...view,
    matcher: {
      match: () => {
        throw new Error('a bug');
      },
    },
  };
}

const events = (from: number, count: number): Event[] =>
  Array.from({ length: count }, (_, index) => sampleEvent(from + index));

describe('taking events from the log', () => {
  it('offers one delivery for each endpoint, which hold the log back until they are on record', async () => {
    const { books, world, deliver } = setUp();
    await deliver(events(1, 2));
    expect(world.offered.map(({ delivery }) => [delivery.eventId, delivery.endpointId])).toEqual(
      events(1, 2).flatMap(({ id }) => endpointIds.map((endpointId) => [id, endpointId])),
    );
    expect(books.unfinished).toBe(2);
    const [first, second, third] = world.offered;
    books.settle(first!.mark!);
    expect(books.progress(0)?.next).toBe(1);
    books.settle(second!.mark!);
    expect(books.progress(0)?.next).toBe(2);
    books.settle(third!.mark!);
    expect(books.moved()).toEqual([{ partition: 0, epoch: 1, next: 2 }]);
  });

  it('moves the books over what no endpoint asked for', async () => {
    const { books, metrics, world, deliver } = setUp();
    await deliver([sampleEvent(1, { organisationId: 'nobody' })]);
    expect(world.offered).toEqual([]);
    for (const recorded of world.planned) recorded();
    expect(books.moved()).toEqual([{ partition: 0, epoch: 1, next: 2 }]);
    expect(await metrics.render()).toContain('posthorn_unmatched_events_total 1');
  });

  it('drops an event that was written twice', async () => {
    const { world, deliver } = setUp();
    world.claims = () => ['duplicate'];
    await deliver(events(1, 1));
    expect([world.offered.length, world.planned.length]).toEqual([0, 1]);
  });

  it('offers of what is read again only what is not on record', async () => {
    const { books, world, deliver } = setUp();
    const [event] = events(1, 1);
    world.recorded.add(sampleDelivery(event!, endpointIds[0]).id);
    await deliver([event!], 1, true);
    expect(world.offered.map(({ delivery }) => delivery.endpointId)).toEqual([endpointIds[1]]);
    books.settle(world.offered[0]!.mark!);
    expect(books.progress(0)?.next).toBe(2);
  });

  it('goes on behind an event that cannot be planned (rule 9: one bad record stops nobody)', async () => {
    const { books, metrics, world, deliver } = setUp();
    await deliver([sampleEvent(1, { organisationId: 'broken' }), sampleEvent(2)]);
    expect(world.offered.map(({ event }) => event.id)).toEqual([sampleEvent(2).id, sampleEvent(2).id]);
    for (const recorded of world.planned) recorded();
    expect(books.progress(0)?.next).toBe(2);
    expect(await metrics.render()).toContain('posthorn_unplannable_events_total 1');
  });

  it.each(['config', 'events', 'deliveries'] as const)(
    'waits while the %s store is away, in order, and offers everything exactly once',
    async (what) => {
      const { clock, world, deliver } = setUp();
      world.away.add(what);
      await deliver(events(1, 2), 1, true);
      await deliver(events(3, 1), 3, true);
      await clock.advanceAsync(60_000);
      expect(world.offered).toEqual([]);
      world.away.clear();
      await clock.advanceAsync(5000);
      const offered = world.offered.map(({ event }) => event.id);
      expect(offered).toEqual(events(1, 3).flatMap(({ id }) => [id, id]));
    },
  );

  it('takes nothing over any more when the partition is given away', async () => {
    const { clock, world, deliver, forget } = setUp();
    world.away.add('config');
    await deliver(events(1, 1));
    const revoked = forget();
    world.away.clear();
    await clock.advanceAsync(10_000);
    await revoked;
    await deliver(events(2, 1), 2);
    expect(world.offered).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('what cannot be worked on', () => {
  it('is put aside with its bytes, and the books move over it when that is durable (rule 9)', async () => {
    const { books, world, intake, clock, holding } = setUp();
    const bytes = Buffer.from([0, 255]);
    intake.deliver({
      partition: 0,
      events: [{ position: 2, event: sampleEvent(2) }],
      undecodable: [{ position: 1, bytes, reason: 'It is not an event.' }],
      mayRepeat: false,
    });
    await clock.advanceAsync(0);
    expect(world.dead).toMatchObject([
      { id: 'undecodable:0:1', kind: 'undecodable', partition: 0, position: 1, bytes },
    ]);
    expect(world.offered.map(({ event }) => event.id)).toEqual([sampleEvent(2).id, sampleEvent(2).id]);
    expect(books.progress(0)?.next).toBe(1);
    for (const recorded of world.planned) recorded();
    expect(books.progress(0)?.next).toBe(2);
    expect(holding.state).toBe('held');
  });

  it('is put aside when the store refuses it for good, and keeps nobody else from being planned', async () => {
    const { clock, world, deliver } = setUp();
    world.claims = (batch) => {
      if (batch.events.some(({ event }) => event.id === sampleEvent(2).id)) throw new Error('too deep');
      return batch.events.map(() => 'new');
    };
    await deliver(events(1, 3));
    await clock.advanceAsync(2000);
    const offered = new Set(world.offered.map(({ event }) => event.id));
    expect(offered).toEqual(new Set([sampleEvent(1).id, sampleEvent(3).id]));
    expect(world.dead).toMatchObject([{ kind: 'unclaimable', eventId: sampleEvent(2).id, position: 2 }]);
  });

  it('is put aside with the payload when planning it fails', async () => {
    const { world, deliver } = setUp();
    const broken = sampleEvent(1, { organisationId: 'broken' });
    await deliver([broken]);
    expect(world.dead).toMatchObject([{ kind: 'unplannable', eventId: broken.id, bytes: broken.payload }]);
  });
});

describe('what the log has lost', () => {
  it('is put on record, and the books go on behind it once that is durable (rule 5)', async () => {
    const { books, clock, world, intake, deliver } = setUp();
    await deliver(events(1, 1));
    for (const { mark } of world.offered) books.settle(mark!);
    intake.lost({ partition: 0, reason: 'expired', from: 2, next: 9 });
    expect(books.progress(0)?.next).toBe(2);
    await clock.advanceAsync(0);
    for (const recorded of world.planned) recorded();
    expect(world.losses).toMatchObject([{ partition: 0, reason: 'expired', from: 2, next: 9 }]);
    expect(books.progress(0)?.next).toBe(9);
  });

  it('has the books go back where the log was cut off', async () => {
    const { books, clock, world, intake, deliver } = setUp();
    await deliver(events(1, 5));
    for (const { mark } of world.offered) books.settle(mark!);
    expect(books.moved()).toEqual([{ partition: 0, epoch: 1, next: 6 }]);
    intake.lost({ partition: 0, reason: 'truncated', from: 6, next: 4 });
    await clock.advanceAsync(0);
    expect(world.losses).toHaveLength(1);
    expect(books.moved()).toEqual([{ partition: 0, epoch: 1, next: 4 }]);
    await deliver(events(6, 1), 4);
    expect(world.offered.at(-1)?.event.id).toBe(sampleEvent(6).id);
  });
});

describe('an organisation whose view cannot be had', () => {
  it('waits alone, and what comes of it later waits behind', async () => {
    const { clock, books, world, deliver } = setUp();
    world.sick = 'sick';
    const sick = (number: number): Event => sampleEvent(number, { organisationId: 'sick' });
    await deliver([sick(1), sampleEvent(2)]);
    await deliver([sick(3), sampleEvent(4)], 3);
    expect(new Set(world.offered.map(({ event }) => event.id))).toEqual(
      new Set([sampleEvent(2).id, sampleEvent(4).id]),
    );
    expect(books.unfinished).toBe(4);
    world.sick = '';
    await clock.advanceAsync(6000);
    expect(world.planned).toHaveLength(2);
  });
});

describe('how much is taken', () => {
  it.each([
    ['deliveries in memory', { deliveries: 101, bytes: 0 }, { deliveries: 51, bytes: 0 }],
    ['bytes in memory', { deliveries: 0, bytes: 1_000_001 }, { deliveries: 0, bytes: 500_001 }],
  ])('pauses above the bound of %s and goes on at half of it', async (_, over, aboveHalf) => {
    const { clock, world, backpressure, deliver, forget } = setUp();
    world.memory = over;
    await deliver(events(1, 1));
    await deliver(events(2, 1), 2);
    expect(world.log).toEqual(['pause 0']);
    world.memory = aboveHalf;
    backpressure.roomMade();
    expect(world.log).toEqual(['pause 0']);
    world.memory = { deliveries: 0, bytes: 0 };
    backpressure.roomMade();
    backpressure.roomMade();
    expect(world.log).toEqual(['pause 0', 'resume 0']);
    await forget();
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not pause at the bound', async () => {
    const { world, deliver } = setUp();
    world.memory = { deliveries: 100, bytes: 999_000 };
    await deliver(events(1, 1));
    expect(world.log).toEqual([]);
  });

  it('pauses above the bound of events that are not on record, and goes on when matchless ones are', async () => {
    const { clock, world, deliver, forget } = setUp({ unrecordedEvents: 4 });
    await deliver(events(1, 5).map((event) => ({ ...event, organisationId: 'nobody' })));
    expect(world.log).toEqual(['pause 0']);
    for (const recorded of world.planned) recorded();
    expect(world.log).toEqual(['pause 0', 'resume 0']);
    await forget();
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['events', { unrecordedEvents: 4 }],
    ['bytes', { bytes: 40 }],
  ])('leaves the backlog in the log while nothing can be planned (bound of %s)', async (_, limits) => {
    const { clock, world, deliver, forget } = setUp(limits);
    world.away.add('config');
    await deliver(events(1, 3));
    expect(world.log).toEqual([]);
    await deliver(events(4, 3), 4);
    expect(world.log).toEqual(['pause 0']);
    world.away.clear();
    await clock.advanceAsync(1000);
    expect(world.offered).toHaveLength(12);
    await forget();
    expect(clock.pendingTimers).toBe(0);
  });

  it('has the lanes make room when reading has stood still for three seconds, and again', async () => {
    const { clock, world, backpressure, deliver } = setUp();
    world.memory = { deliveries: 200, bytes: 0 };
    await deliver(events(1, 1));
    await clock.advanceAsync(2999);
    expect(world.relieved).toEqual([]);
    await clock.advanceAsync(1);
    expect(world.relieved).toEqual([{ deliveries: 50, bytes: 500_000 }]);
    await clock.advanceAsync(3000);
    expect(world.relieved).toHaveLength(2);
    world.memory = { deliveries: 0, bytes: 0 };
    backpressure.roomMade();
    await clock.advanceAsync(10_000);
    expect(world.relieved).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });
});

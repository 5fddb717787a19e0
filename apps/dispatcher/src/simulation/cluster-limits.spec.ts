import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, Event, RateLimit } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { createHomes } from '../homes/homes.ts';
import { leaseTermMs, openCluster, type Cluster, type Member } from './simulated-cluster.harness.ts';
import {
  changeEndpoint,
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  type World,
} from './simulated-life.harness.ts';

// On a busy machine the simulated minutes take real ones.
jest.setTimeout(120_000);

/** Rule 16, with several dispatchers: limits hold for all of them together, and where deliveries wait for that, nothing is lost or overtaken. */

const one = endpointId(1);
const partitions = 5;
const home = createHomes(() => partitions).place(one);
let world: World;
let cluster: Cluster;
let directory: string;

beforeEach(() => {
  world = createWorld(createSeededRandom(1), [1]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-cluster-limits-'));
  cluster = openCluster(world, directory, partitions, { clocksDifferByMs: 0 });
});
afterEach(async () => {
  expect(cluster.violations).toEqual([]);
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

const pass = (ms: number): Promise<void> => world.clock.advanceAsync(ms);

/** Starts so many dispatchers, of which each then has some of the partitions. */
async function start(count: number): Promise<Member[]> {
  const starting = Promise.all(Array.from({ length: count }, () => cluster.start()));
  await pass(500);
  const members = await starting;
  for (let tries = 0; tries < 20; tries += 1) {
    const leases = await Promise.all(
      Array.from({ length: partitions }, (_, one) => cluster.leases.find(one)),
    );
    if (new Set(leases.map(({ owner }) => owner)).size === count) return members;
    cluster.log.rebalance();
    await pass(1500);
  }
  throw new Error('one has no partition');
}

function publish(count: number, over: Partial<Event> = {}): Event[] {
  return Array.from({ length: count }, () => {
    const event = { ...newEvent(world), ...over };
    cluster.log.append(event);
    return event;
  });
}

/** Of three keys, in turns. */
const publishKeys = (count: number): Event[] =>
  Array.from({ length: count }, (_, number) => publish(1, { orderingKey: 'abc'[number % 3] ?? 'a' })).flat();

async function deliveryOf(event: Event): Promise<Delivery | undefined> {
  return (await cluster.deliveries.get(world.organisationId, cluster.deliveryId(event, one)))?.delivery;
}

/** Lets time pass until all of these have ended well; their clocks differ, so that it takes a while. */
async function delivered(events: readonly Event[]): Promise<void> {
  for (let waited = 0; waited < 150_000; waited += 1000) {
    const states = await Promise.all(events.map(deliveryOf));
    if (states.every((delivery) => delivery?.state === 'succeeded')) return;
    await pass(1000);
  }
  throw new Error('something was not delivered');
}

/** All that was published was delivered, each once. */
async function expectOnce(events: readonly Event[]): Promise<void> {
  await delivered(events);
  const received = world.requests.filter(({ succeeded }) => succeeded).map(({ eventId }) => eventId);
  expect(received.sort()).toEqual(events.map(({ id }) => id).sort());
}

function expectWithin({ perSecond, burst }: RateLimit): void {
  const times = cluster.starts.map(({ at }) => at);
  for (const [from, first] of times.entries()) {
    for (const [after, last] of times.slice(from).entries()) {
      expect(after + 1).toBeLessThanOrEqual(burst + (perSecond * (last - first)) / 1000 + 1e-6);
    }
  }
}

describe('16: an endpoint with few places', () => {
  it('has no more than one request under way with one place, whoever plans and however partitions move', async () => {
    changeEndpoint(world, one, { maxInFlight: 1 });
    await start(3);
    const events = publish(20);
    for (let turn = 0; turn < 6; turn += 1) {
      await pass(1500);
      cluster.log.rebalance();
      events.push(...publish(3));
    }
    await expectOnce(events);
    expect(cluster.takePeak(one)).toBe(1);
  });

  it('is sent to from its home within half a second of being published elsewhere', async () => {
    changeEndpoint(world, one, { maxInFlight: 4 });
    await start(3);
    const waits: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      await pass(1000);
      const before = world.clock.monotonic();
      publish(1);
      await pass(900);
      waits.push((cluster.starts.at(-1)?.at ?? Infinity) - before);
    }
    expect(cluster.starts).toHaveLength(12);
    expect(Math.max(...waits)).toBeLessThan(500);
  });

  it('keeps the order of its keys at home, through failures, rebalances and the death of its owner', async () => {
    changeEndpoint(world, one, {
      maxInFlight: 2,
      ordering: 'key',
      retryDelaysMs: Array.from({ length: 50 }, () => 300),
    });
    const members = await start(3);
    world.behaviour = () => (world.random.chance(0.4) ? 'fail' : 'succeed');
    const events = publishKeys(30);
    await pass(2000);
    const { owner } = await cluster.leases.find(home);
    cluster.kill(members.find(({ owners }) => owners.has(owner ?? ''))!);
    events.push(...publishKeys(15));
    await pass(leaseTermMs * 3);
    cluster.log.rebalance();
    events.push(...publishKeys(15));
    await pass(5000);
    world.behaviour = () => 'succeed';
    await delivered(events);
    expect(cluster.takePeak(one)).toBeLessThanOrEqual(2);
  });

  it('gets nothing twice when a planner dies between putting deliveries there and saying that it did', async () => {
    // Nothing is sent as long as the planner lives: what is under way when it dies may be sent again.
    changeEndpoint(world, one, { rateLimit: { perSecond: 0.01, burst: 1 } });
    const [first] = await start(1);
    await pass(leaseTermMs);
    const events = publish(20);
    await pass(300);
    cluster.kill(first!);
    // The books of some partitions say less than what is on record.
    for (let partition = 0; partition < partitions; partition += 1) {
      const { epoch } = await cluster.leases.find(partition);
      await cluster.deliveries.record([], [{ partition, epoch, next: 1 }]);
    }
    await start(2);
    changeEndpoint(world, one, { rateLimit: null, maxInFlight: 1 });
    await expectOnce(events);
  });

  it('gets what someone asks for through a dispatcher that is not its home', async () => {
    changeEndpoint(world, one, { maxInFlight: 1, retryDelaysMs: [] });
    const members = await start(3);
    world.behaviour = () => 'fail';
    const [event] = publish(1);
    await pass(3000);
    expect((await deliveryOf(event!))?.state).toBe('exhausted');
    world.behaviour = () => 'succeed';
    const { owner } = await cluster.leases.find(home);
    const other = members.find(({ owners }) => !owners.has(owner ?? ''))!;
    const asking = clientsOf(world, other).deliveries.retryDelivery(
      { organisationId: world.organisationId, id: cluster.deliveryId(event!, one) },
      keyOf(world.organisationId),
    );
    await pass(1000);
    await asking;
    await delivered([event!]);
  });
});

describe('16: an endpoint with a rate limit', () => {
  const rateLimit = { perSecond: 5, burst: 3 };

  it('is never sent to faster, however partitions move and processes die', async () => {
    changeEndpoint(world, one, { rateLimit });
    await start(3);
    const events = publish(40);
    await pass(3000);
    cluster.log.rebalance();
    await pass(2000);
    const { owner } = await cluster.leases.find(home);
    cluster.kill([...cluster.members].find(({ owners }) => owners.has(owner ?? ''))!);
    await pass(leaseTermMs * 3);
    cluster.log.rebalance();
    await delivered(events);
    expectWithin(rateLimit);
  });
});

describe('16: an endpoint with many places', () => {
  it('has no more than its places under way over all dispatchers, though some hand partitions over while it hangs', async () => {
    changeEndpoint(world, one, { maxInFlight: 9, timeoutMs: 4000, retryDelaysMs: [1000, 1000, 1000, 1000] });
    await start(2);
    let events = publish(30);
    // Its window has to open.
    await delivered(events);
    world.behaviour = () => 'hang';
    events = [...events, ...publish(40)];
    for (let turn = 0; turn < 6; turn += 1) {
      await pass(1100);
      cluster.log.rebalance();
      if (turn === 2) void cluster.start();
    }
    world.behaviour = () => 'succeed';
    await delivered(events);
    const peak = cluster.takePeak(one);
    expect(peak).toBeGreaterThan(3);
    expect(peak).toBeLessThanOrEqual(9);
  });
});

describe('16: limits that change while deliveries wait', () => {
  it.each(['none', 'key'] as const)(
    'lose nothing, double nothing and overtake nobody (ordering %s)',
    async (ordering) => {
      changeEndpoint(world, one, {
        ordering,
        maxInFlight: 9,
        retryDelaysMs: Array.from({ length: 80 }, () => 500),
      });
      await start(3);
      const events: Event[] = [];
      for (const maxInFlight of [1, 9, 2, 9, 1]) {
        world.behaviour = () => (world.random.chance(0.5) ? 'fail' : 'succeed');
        events.push(...publishKeys(9), ...publish(3));
        await pass(700);
        changeEndpoint(world, one, { maxInFlight });
        events.push(...publishKeys(9), ...publish(3));
        await pass(2500);
      }
      // They have noticed by now, and what was under way has ended: from here on there is one at a time.
      await pass(5000);
      cluster.takePeak(one);
      events.push(...publishKeys(6));
      world.behaviour = () => 'succeed';
      await expectOnce(events);
      expect(cluster.takePeak(one)).toBeLessThanOrEqual(1);
    },
  );

  it('takes a backlog along that is older than the limit', async () => {
    changeEndpoint(world, one, { maxInFlight: 9, state: 'paused' });
    await start(2);
    const events = publish(25);
    await pass(2000);
    changeEndpoint(world, one, { maxInFlight: 1, state: 'enabled' });
    await expectOnce(events);
    expect(cluster.takePeak(one)).toBe(1);
  });
});

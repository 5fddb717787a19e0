import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError, type Delivery, type Endpoint, type Event } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { leaseTermMs, openCluster, type Cluster, type Member } from './simulated-cluster.harness.ts';
import {
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  type World,
} from './simulated-life.harness.ts';

/** The interleavings of several dispatchers that lose, double or overtake events where they are built without the rules, one by one. */

const one = endpointId(1);
let world: World;
let cluster: Cluster;
let directory: string;

beforeEach(() => {
  world = createWorld(createSeededRandom(1), [1]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-cluster-rules-'));
  cluster = openCluster(world, directory, 1);
});
afterEach(async () => {
  expect(cluster.violations).toEqual([]);
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

const pass = (ms: number): Promise<void> => world.clock.advanceAsync(ms);

async function start(): Promise<Member> {
  const starting = cluster.start();
  await pass(200);
  return starting;
}

function publish(count = 1, over: Partial<Event> = {}): Event[] {
  return Array.from({ length: count }, () => {
    const event = { ...newEvent(world), ...over };
    cluster.log.append(event);
    return event;
  });
}

function change(over: Partial<Endpoint>): void {
  const known = world.endpoints.get(one);
  if (known === undefined) throw new Error('there is no endpoint');
  world.endpoints.set(one, { ...known, endpoint: { ...known.endpoint, ...over } });
  world.revision += 1n;
}

async function deliveryOf(event: Event): Promise<Delivery | undefined> {
  return (await cluster.deliveries.get(world.organisationId, cluster.deliveryId(event, one)))?.delivery;
}

const states = async (events: readonly Event[]): Promise<(string | undefined)[]> =>
  (await Promise.all(events.map(deliveryOf))).map((delivery) => delivery?.state);
const sent = (): string[] => world.requests.map(({ eventId }) => eventId);
const idsOf = (events: readonly Event[]): string[] => events.map(({ id }) => id);

describe('rule 5: from the beginning, and from our own books', () => {
  it('goes on where the last owner stood, and begins at the first event where there was none', async () => {
    const before = publish(3);
    const first = await start();
    await pass(1000);
    const stopping = cluster.stop(first);
    await pass(2000);
    await stopping;
    expect((await cluster.leases.find(0)).next).toBe(4);
    const after = publish(2);
    await start();
    await pass(2000);
    expect(sent().sort()).toEqual(idsOf([...before, ...after]).sort());
  });
});

describe('rule 6: the insert of an event is its claim', () => {
  it('drops what the producer wrote twice, also when the other one is read by another owner', async () => {
    const [event] = publish();
    const first = await start();
    await pass(1000);
    cluster.kill(first);
    cluster.log.append(event!);
    await start();
    await pass(leaseTermMs * 3);
    expect(sent()).toEqual([event!.id]);
    expect((await cluster.leases.find(0)).next).toBe(3);
  });
});

describe('rule 11: leases with epochs, on monotonic clocks', () => {
  it('lets nobody in while the owner lives, and another one within two terms of its death', async () => {
    const members = [await start(), await start()];
    await pass(leaseTermMs * 4);
    const { owner, epoch } = await cluster.leases.find(0);
    const first = members.find(({ owners }) => owners.has(owner ?? ''));
    expect(epoch).toBeLessThanOrEqual(2);
    cluster.kill(first!);
    const events = publish(3);
    await pass(leaseTermMs * 2 + 3000);
    expect((await cluster.leases.find(0)).epoch).toBe(epoch + 1);
    expect(sent().sort()).toEqual(idsOf(events).sort());
  });

  it('has an owner that was frozen for longer than its lease start nothing and overwrite nothing', async () => {
    world.behaviour = () => 'hang';
    const first = await start();
    const events = publish(6);
    await pass(300);
    const underWay = sent().length;
    expect(underWay).toBeGreaterThan(0);
    cluster.freeze(first);
    await start();
    world.behaviour = () => 'succeed';
    await pass(leaseTermMs * 3 + 3000);
    expect(await states(events)).toEqual(events.map(() => 'succeeded'));
    const stored = await Promise.all(events.map(deliveryOf));
    const requests = world.requests.length;
    // It wakes with attempts that have timed out, and with deliveries that wait in its memory.
    world.behaviour = () => 'fail';
    cluster.thaw(first);
    await pass(20_000);
    expect(world.requests).toHaveLength(requests);
    const after = await Promise.all(events.map(deliveryOf));
    expect(after.map((delivery) => delivery?.state)).toEqual(stored.map((delivery) => delivery?.state));
  });

  it('starts nothing while its lease cannot be renewed, and goes on when it can', async () => {
    await start();
    cluster.weather.away.add('renew');
    await pass(leaseTermMs + 100);
    const events = publish(2);
    await pass(2000);
    expect(sent()).toEqual([]);
    cluster.weather.away.clear();
    await pass(leaseTermMs);
    expect(sent().sort()).toEqual(idsOf(events).sort());
  });
});

describe('rule 12: rebalancing moves little and repeats nothing', () => {
  it('hands over in a moment what receivers keep hanging, which nobody sends again meanwhile', async () => {
    world.behaviour = () => 'hang';
    const first = await start();
    const hanging = publish(3);
    await pass(500);
    const stopping = cluster.stop(first);
    await start();
    world.behaviour = () => 'succeed';
    const fresh = publish(3);
    await pass(3500);
    // The new owner works, and leaves alone what is still under way.
    expect(new Set(await states(fresh))).toEqual(new Set(['succeeded']));
    for (const { id } of hanging) expect(sent().filter((one) => one === id)).toHaveLength(1);
    await pass(3500);
    await stopping;
    // Their clocks differ by up to half a minute, and due times with them.
    await pass(45_000);
    for (const { id } of fresh) expect(sent().filter((one) => one === id)).toHaveLength(1);
    expect(new Set(await states([...hanging, ...fresh]))).toEqual(new Set(['succeeded']));
    // Each once that timed out, and once again by its schedule.
    for (const { id } of hanging) expect(sent().filter((one) => one === id)).toHaveLength(2);
  });
});

describe('rule 14: order is (partition, position)', () => {
  const orderingKey = 'customer-1';

  it('holds through failures, a kill and a pause', async () => {
    change({ ordering: 'key', retryDelaysMs: Array.from({ length: 50 }, () => 300) });
    const first = await start();
    world.behaviour = () => 'fail';
    const events = publish(5, { orderingKey });
    await pass(1500);
    expect(new Set(sent())).toEqual(new Set([events[0]!.id]));
    cluster.kill(first);
    events.push(...publish(5, { orderingKey }));
    await start();
    await pass(leaseTermMs * 2);
    setState(world, one, 'paused');
    await pass(1000);
    events.push(...publish(5, { orderingKey }));
    world.behaviour = () => 'succeed';
    await pass(1000);
    setState(world, one, 'enabled');
    // Their clocks differ by up to half a minute, and due times with them.
    await pass(40_000);
    const succeeded = world.requests.filter((request) => request.succeeded).map(({ eventId }) => eventId);
    expect(succeeded).toEqual(idsOf(events));
  });

  it('goes on behind one that is exhausted (skip)', async () => {
    change({ ordering: 'key', onExhausted: 'skip', retryDelaysMs: [200] });
    await start();
    const events = publish(3, { orderingKey });
    world.behaviour = () => (new Set(sent()).size === 0 ? 'fail' : sent().length < 2 ? 'fail' : 'succeed');
    await pass(3000);
    expect(await states(events)).toEqual(['exhausted', 'succeeded', 'succeeded']);
  });

  it('holds what is behind one that is exhausted until that is retried with success (hold)', async () => {
    change({ ordering: 'key', onExhausted: 'hold', retryDelaysMs: [200] });
    const member = await start();
    world.behaviour = () => 'fail';
    const events = publish(3, { orderingKey });
    await pass(3000);
    events.push(...publish(1, { orderingKey }));
    const others = publish(1, { orderingKey: 'customer-2' });
    world.behaviour = () => 'succeed';
    await pass(3000);
    expect(await states(events)).toEqual(['exhausted', 'held', 'held', 'held']);
    expect((await deliveryOf(events[3]!))?.reason).toBe('order_blocked');
    expect(await states(others)).toEqual(['succeeded']);
    // The next owner knows that it is blocked.
    cluster.kill(member);
    const next = await start();
    await pass(leaseTermMs * 2);
    expect(await states(events)).toEqual(['exhausted', 'held', 'held', 'held']);
    const { deliveries } = clientsOf(world, next);
    const id = cluster.deliveryId(events[0]!, one);
    const retrying = deliveries.retryDelivery(
      { organisationId: world.organisationId, id },
      keyOf(world.organisationId),
    );
    await pass(3000);
    await retrying;
    expect(await states(events)).toEqual(events.map(() => 'succeeded'));
    const succeeded = world.requests.filter((request) => request.succeeded).map(({ eventId }) => eventId);
    expect(succeeded.filter((eventId) => idsOf(events).includes(eventId))).toEqual(idsOf(events));
  });

  it('lets what is held go when its owner no longer wants that', async () => {
    change({ ordering: 'key', onExhausted: 'hold', retryDelaysMs: [] });
    await start();
    world.behaviour = () => 'fail';
    const [first, second] = publish(2, { orderingKey });
    await pass(2000);
    world.behaviour = () => 'succeed';
    change({ onExhausted: 'skip' });
    await pass(3000);
    expect(await states([first!, second!])).toEqual(['exhausted', 'succeeded']);
  });
});

describe('what someone asks for at a dispatcher that does not have it', () => {
  it('is refused, and not lost, while its endpoint is disabled; its owner makes the attempt', async () => {
    change({ retryDelaysMs: [] });
    const members = [await start(), await start()];
    world.behaviour = () => 'fail';
    const [event] = publish();
    await pass(1000);
    expect(await states([event!])).toEqual(['exhausted']);
    change({ state: 'disabled' });
    world.behaviour = () => 'succeed';
    const { owner } = await cluster.leases.find(0);
    const ask = async (member: Member | undefined): Promise<unknown> => {
      const asking = clientsOf(world, member!).deliveries.retryDelivery(
        { organisationId: world.organisationId, id: cluster.deliveryId(event!, one) },
        keyOf(world.organisationId),
      );
      const asked = asking.then(
        () => 'taken',
        (error: unknown) => DomainError.from(error).code,
      );
      await pass(1000);
      return asked;
    };
    expect(await ask(members.find(({ owners }) => !owners.has(owner ?? '')))).toBe('unavailable');
    expect(await ask(members.find(({ owners }) => owners.has(owner ?? '')))).toBe('taken');
    expect(await states([event!])).toEqual(['succeeded']);
  });
});

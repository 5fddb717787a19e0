import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliveryIdOf, idTimeMs, type Delivery, type Event } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import {
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  simulatedEndpoint,
  startLife,
  type Life,
  type World,
} from './simulated-life.harness.ts';

/** The interleavings that lose, double or delay events where the pipeline is built without its rules, one by one. */

const [one, two] = [endpointId(1), endpointId(2)];
let world: World;
let life: Life;
let directory: string;
let lives: number;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1, 2]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-rules-'));
  lives = 0;
  life = await startLife(world, join(directory, 'life-0'));
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

async function publish(count = 1, type = 'order.paid'): Promise<Event[]> {
  const events = Array.from({ length: count }, () => ({ ...newEvent(world), type }));
  await Promise.all(events.map((event) => life.log.append(event)));
  await world.clock.advanceAsync(0);
  return events;
}

async function deliveryOf({ id: eventId, acceptedAt }: Event, to: string): Promise<Delivery | undefined> {
  const { organisationId } = world;
  const id = deliveryIdOf({ acceptedAt, organisationId, eventId, endpointId: to });
  return (await life.deliveries.get(organisationId, id))?.delivery;
}

const requestsTo = (to: string): string[] =>
  world.requests.filter((request) => request.endpointId === to).map(({ eventId }) => eventId);

/** Kills the dispatcher as it is, and starts the next one on what it leaves. */
async function crash(): Promise<void> {
  lives += 1;
  const place = life.crash(join(directory, `life-${lives}`));
  await life.bury();
  life = await startLife(world, place);
}

describe('rule 6: the insert of an event is its claim', () => {
  it('plans an event once, however often it is appended', async () => {
    const [event] = await publish();
    await world.clock.advanceAsync(1000);
    expect(await life.log.append(event!)).toEqual({ duplicate: true });
    await crash();
    expect(await life.log.append(event!)).toEqual({ duplicate: true });
    await world.clock.advanceAsync(5000);
    expect(world.requests).toHaveLength(2);
  });

  it('plans of an event that is read again after a crash only what is missing, under the same ids', async () => {
    world.behaviour = (id) => (id === one ? 'succeed' : 'hang');
    const [event] = await publish();
    // The one is on record; the other is under way and isn't.
    await world.clock.advanceAsync(200);
    life.away.add('record');
    await world.clock.advanceAsync(100);
    await crash();
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(2000);
    expect(requestsTo(two)).toEqual([event!.id, event!.id]);
    expect(await deliveryOf(event!, two)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(await deliveryOf(event!, one)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });
});

describe('rule 7: reading only hands over', () => {
  it('is not stopped by a receiver that hangs: others get everything, and the log moves on', async () => {
    world.behaviour = (id) => (id === one ? 'hang' : 'succeed');
    const events: Event[] = [];
    for (let round = 0; round < 30; round += 1) {
      events.push(...(await publish(3)));
      await world.clock.advanceAsync(100);
    }
    await world.clock.advanceAsync(2500);
    expect(requestsTo(two)).toHaveLength(events.length);
    expect((await life.leases.find(0)).next).toBe(events.length + 1);
    expect(requestsTo(one).length).toBeLessThan(20);
    for (const event of events) expect((await deliveryOf(event, one))?.state).toMatch(/pending|retrying/);
  });
});

describe('rule 8: after 250 ms, what is not final is on record', () => {
  it('survives a crash that way: it is due at once in the next life, and no event is read again', async () => {
    world.behaviour = () => 'hang';
    const [event] = await publish();
    await world.clock.advanceAsync(350);
    expect((await life.leases.find(0)).next).toBe(2);
    world.behaviour = () => 'succeed';
    await crash();
    await world.clock.advanceAsync(500);
    expect(await deliveryOf(event!, one)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(requestsTo(one)).toEqual([event!.id, event!.id]);
  });

  it('lets no outcome overtake that record, though both wait for the store', async () => {
    world.behaviour = () => 'hang';
    const [event] = await publish();
    life.away.add('record');
    await world.clock.advanceAsync(5500);
    expect(await deliveryOf(event!, one)).toBeUndefined();
    life.away.clear();
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(10_000);
    expect(await deliveryOf(event!, one)).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(await life.deliveries.waitingLanes([0])).toEqual([]);
  });
});

describe('rule 9: one bad record stops nobody', () => {
  it('goes on behind an event whose payload cannot be read, and moves the books over it', async () => {
    const known = simulatedEndpoint(world, 1);
    const filterJson = '{"amount":{"$gt":0}}';
    world.endpoints.set(one, { ...known, endpoint: { ...known.endpoint, filterJson } });
    world.revision += 1n;
    await world.clock.advanceAsync(600);
    await life.log.append({ ...newEvent(world), payload: Buffer.from('{"amount":') });
    const [next] = await publish();
    await world.clock.advanceAsync(1000);
    expect(requestsTo(one)).toEqual([next!.id]);
    expect((await life.leases.find(0)).next).toBe(3);
  });
});

describe('rule 13: what may be repeated', () => {
  it('is after a crash what was under way and not on record as ended, under the same id, and nothing else', async () => {
    const ended = await publish(3);
    await world.clock.advanceAsync(1000);
    world.behaviour = (id) => (id === one ? 'hang' : 'succeed');
    const underWay = await publish(3);
    await world.clock.advanceAsync(1000);
    world.behaviour = () => 'succeed';
    await crash();
    await world.clock.advanceAsync(20_000);
    const times = (event: Event, to: string): number => requestsTo(to).filter((id) => id === event.id).length;
    for (const event of ended) expect([times(event, one), times(event, two)]).toEqual([1, 1]);
    for (const event of underWay) expect([times(event, one), times(event, two)]).toEqual([2, 1]);
  });

  it('is nothing when the dispatcher is stopped and started again', async () => {
    const events = await publish(20);
    const stopping = life.dispatcher.stop(new AbortController().signal);
    await world.clock.advanceAsync(2000);
    await stopping;
    await life.bury();
    life = await startLife(world, join(directory, 'life-0'));
    await world.clock.advanceAsync(20_000);
    expect(world.requests).toHaveLength(events.length * 2);
  });
});

describe('rule 14: order by key, in one process', () => {
  it('holds through failures, a crash and a replay, and only for who asks for it', async () => {
    const known = simulatedEndpoint(world, 1);
    const retryDelaysMs = Array.from({ length: 20 }, () => 300);
    const ordered = { ...known.endpoint, ordering: 'key' as const, retryDelaysMs };
    world.endpoints.set(one, { ...known, endpoint: ordered });
    world.revision += 1n;
    await world.clock.advanceAsync(600);
    world.behaviour = (id) => (id === one ? 'fail' : 'succeed');
    const events = Array.from({ length: 12 }, () => ({ ...newEvent(world), orderingKey: 'customer-1' }));
    for (const event of events) await life.log.append(event);
    await world.clock.advanceAsync(1000);
    expect(new Set(requestsTo(one))).toEqual(new Set([events[0]!.id]));
    expect(requestsTo(two)).toHaveLength(12);
    await crash();
    await world.clock.advanceAsync(500);
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(5000);
    const delivered = (): string[] =>
      world.requests
        .filter((made) => made.endpointId === one && made.succeeded)
        .map(({ eventId }) => eventId);
    expect(delivered()).toEqual(events.map(({ id }) => id));

    const { deliveries } = clientsOf(world, life);
    const before = requestsTo(one).length;
    // The first one asked for keeps the key; the others come in the order of their places, whatever order they were asked for in.
    world.behaviour = () => 'hang';
    for (const event of [events[5]!, events[4]!, events[3]!]) {
      const { id } = (await deliveryOf(event, one))!;
      void deliveries.retryDelivery(
        { organisationId: world.organisationId, id },
        keyOf(world.organisationId),
      );
      await world.clock.advanceAsync(200);
    }
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(20_000);
    expect(requestsTo(one).slice(before)).toEqual([5, 3, 4].map((place) => events[place]!.id));
  });
});

describe('rule 15: storage is asked per lane, never what is due', () => {
  it("delays nobody's retry behind the rows of a dead endpoint", async () => {
    const known = simulatedEndpoint(world, 2);
    world.endpoints.set(two, { ...known, endpoint: { ...known.endpoint, eventTypes: ['order.paid'] } });
    setState(world, one, 'paused');
    await world.clock.advanceAsync(600);
    for (let n = 0; n < 20; n += 1) await publish(50, 'order.created');
    await world.clock.advanceAsync(1000);
    expect((await life.deliveries.health(world.organisationId, one)).waiting).toBe(1000);
    // Resumed, but dead: all of these are due, and wait for places that never come free.
    world.behaviour = (id) => (id === one ? 'hang' : 'fail');
    setState(world, one, 'enabled');
    const [event] = await publish();
    await world.clock.advanceAsync(600);
    world.behaviour = (id) => (id === one ? 'hang' : 'succeed');
    await world.clock.advanceAsync(1300);
    expect(await deliveryOf(event!, two)).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(requestsTo(one).length).toBeLessThanOrEqual(8);
  });

  it('rewrites nothing in storage for a pause', async () => {
    world.behaviour = () => 'fail';
    const events = await publish(4);
    await world.clock.advanceAsync(700);
    const stored = async () => Promise.all(events.map((event) => deliveryOf(event, one)));
    const before = await stored();
    expect(new Set(before.map((delivery) => delivery?.state))).toEqual(new Set(['retrying']));
    setState(world, one, 'paused');
    await world.clock.advanceAsync(20_000);
    expect(await stored()).toEqual(before);
    world.behaviour = () => 'succeed';
    setState(world, one, 'enabled');
    await world.clock.advanceAsync(3000);
    expect(new Set((await stored()).map((delivery) => delivery?.state))).toEqual(new Set(['succeeded']));
  });
});

describe('rule 15: a breaker', () => {
  it('rewrites nothing in storage while it is open, and spends no attempt', async () => {
    world.behaviour = (id) => (id === one ? 'fail' : 'succeed');
    const events = await publish(30);
    await world.clock.advanceAsync(1500);
    const stored = async () => Promise.all(events.map((event) => deliveryOf(event, one)));
    const before = await stored();
    const requested = requestsTo(one).length;
    expect(requested).toBeLessThan(10);
    // The retries that are due by their schedule wait, too.
    await world.clock.advanceAsync(2000);
    expect(await stored()).toEqual(before);
    expect(requestsTo(one)).toHaveLength(requested);
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(20_000);
    expect(new Set((await stored()).map((delivery) => delivery?.state))).toEqual(new Set(['succeeded']));
  });
});

describe('rule 18: the events table is the log', () => {
  it("moves the reader's cursor with the record, never before it", async () => {
    life.away.add('record');
    const [event] = await publish();
    await world.clock.advanceAsync(2000);
    expect(requestsTo(one)).toEqual([event!.id]);
    expect((await life.leases.find(0)).next).toBe(1);
    life.away.clear();
    await world.clock.advanceAsync(5000);
    expect((await life.leases.find(0)).next).toBe(2);
    expect((await deliveryOf(event!, one))?.state).toBe('succeeded');
  });

  it('has deliveries whose ids begin with the time of their event', async () => {
    const [event] = await publish();
    await world.clock.advanceAsync(1000);
    const delivery = await deliveryOf(event!, one);
    expect(idTimeMs(delivery!.id)).toBe(event!.acceptedAt.getTime());
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1, replayFromMessage } from '@posthorn/contracts';
import { deliveryIdOf, DomainError, type Delivery, type Event, type Replay } from '@posthorn/models';
import { createSeededRandom, eventually } from '@posthorn/testing';
import { exhaustedEvents } from '../troubles/exhausted-deliveries.harness.ts';
import {
  changeEndpoint,
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  simulatedEndpoint,
  startLife,
  type DispatcherClients,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

/** Replays through the dispatcher's services, on a whole dispatcher. */

const [one, two] = [endpointId(1), endpointId(2)];
const { DELIVERY_STATE_SUCCEEDED, DELIVERY_STATE_HELD } = dispatchV1.DeliveryState;

let world: World;
let life: Life;
let directory: string;
let clients: DispatcherClients;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-replays-'));
  life = await startLife(world, directory);
  clients = clientsOf(world, life);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

const caller = () => keyOf(world.organisationId);

async function publish(count: number, over: Partial<Event> = {}): Promise<Event[]> {
  const events = Array.from({ length: count }, () => ({ ...newEvent(world), ...over }));
  for (const event of events) await life.log.append(event);
  await pass(0);
  return events;
}

/** Time goes on, and what the database still writes has its turns. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed <= ms; passed += 250) {
    await world.clock.advanceAsync(Math.min(250, ms));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
}

async function create(
  selection: Partial<dispatchV1.ReplaySelection> = {},
  over: Partial<dispatchV1.CreateReplayRequest> = {},
): Promise<Replay> {
  const call = clients.replays.createReplay(
    dispatchV1.CreateReplayRequest.create({
      organisationId: world.organisationId,
      selection: dispatchV1.ReplaySelection.create(selection),
      ...over,
    }),
    caller(),
  );
  call.catch(() => undefined);
  await pass(over.dryRun === true ? 1000 : 0);
  const { replay } = await call;
  if (replay === undefined) throw new Error('no replay was answered');
  return replayFromMessage(replay);
}

async function read({ id }: Pick<Replay, 'id'>): Promise<Replay> {
  const { replay } = await clients.replays.getReplay({ organisationId: world.organisationId, id }, caller());
  if (replay === undefined) throw new Error('no replay was answered');
  return replayFromMessage(replay);
}

/** Lets time pass until the replay has ended. */
async function ended(replay: Replay): Promise<Replay> {
  for (let tries = 0; tries < 200; tries++) {
    const now = await read(replay);
    if (now.finishedAt !== null) return now;
    await pass(250);
  }
  throw new Error(`it has not ended: ${JSON.stringify(await read(replay))}`);
}

async function deliveryOf(event: Event, to = one): Promise<Delivery | undefined> {
  const { organisationId } = world;
  const id = deliveryIdOf({
    acceptedAt: event.acceptedAt,
    organisationId,
    eventId: event.id,
    endpointId: to,
  });
  return (await life.deliveries.get(organisationId, id))?.delivery;
}

async function triggersOf(event: Event, to = one): Promise<string[]> {
  const { organisationId } = world;
  const deliveryId = deliveryIdOf({
    acceptedAt: event.acceptedAt,
    organisationId,
    eventId: event.id,
    endpointId: to,
  });
  const { items } = await life.deliveries.listAttempts(
    { organisationId, deliveryId },
    { limit: 9, cursor: '' },
  );
  return items.map(({ trigger }) => trigger).reverse();
}

const receivedBy = (id: string): string[] =>
  world.requests.filter((request) => request.endpointId === id).map(({ eventId }) => eventId);

const exhausted = (count: number, over: Partial<Event> = {}): Promise<Event[]> =>
  exhaustedEvents({ world, life, settle: () => pass(1000) }, count, over);

function addEndpoint(number: number, over: Parameters<typeof changeEndpoint>[2] = {}): void {
  world.endpoints.set(endpointId(number), simulatedEndpoint(world, number));
  changeEndpoint(world, endpointId(number), over);
}

describe('a replay', () => {
  it('attempts once more what was exhausted, and nothing that was delivered', async () => {
    const delivered = await publish(3);
    await pass(1000);
    const events = await exhausted(5);
    world.requests.length = 0;
    const replay = await ended(await create({ endpoint: one }));
    await pass(5000);

    expect(replay).toMatchObject({
      state: 'succeeded',
      trigger: 'replay',
      progress: { total: 5, done: 5, skipped: 0, remaining: 0 },
    });
    expect(receivedBy(one).sort()).toEqual(events.map(({ id }) => id).sort());
    for (const event of events) {
      expect(await deliveryOf(event)).toMatchObject({ state: 'succeeded' });
      expect(await triggersOf(event)).toEqual(['schedule', 'replay']);
    }
    for (const event of delivered) expect(await triggersOf(event)).toEqual(['schedule']);
  });

  it('counts in a dry run what it would send, and sends nothing', async () => {
    await exhausted(5);
    const dry = await create({ endpoint: one }, { dryRun: true });

    expect(dry).toMatchObject({
      state: 'succeeded',
      dryRun: true,
      progress: { total: 5, done: 0, skipped: 0, remaining: 5 },
    });
    await pass(5000);
    expect(receivedBy(one)).toEqual([]);
    const real = await ended(await create({ endpoint: one }));
    expect(real.progress.done).toBe(dry.progress.remaining);
  });

  it('sends what was held while the endpoint was disabled', async () => {
    setState(world, one, 'disabled');
    const events = await publish(4);
    await pass(5000);
    for (const event of events) expect(await deliveryOf(event)).toMatchObject({ state: 'held' });
    setState(world, one, 'enabled');
    await pass(5000);
    expect(receivedBy(one)).toEqual([]);

    await ended(await create({ endpoint: one }));
    await pass(5000);
    expect(receivedBy(one).sort()).toEqual(events.map(({ id }) => id).sort());
    for (const event of events) expect(await deliveryOf(event)).toMatchObject({ state: 'succeeded' });
  });

  it('gives an endpoint what is older than it, as far as it wants it, and under the id that planning would have given', async () => {
    const events = await publish(3);
    const unwanted = await publish(2, { type: 'invoice.paid' });
    await pass(1000);
    addEndpoint(2, { eventTypes: ['order.*'] });
    const without = await ended(await create({ endpoint: two }));
    expect(without.progress).toMatchObject({ total: 0, done: 0 });

    const replay = await ended(await create({ endpoint: two, includeUnmatched: true }));
    await pass(5000);
    expect(replay.progress).toMatchObject({ total: 3, done: 3, remaining: 0 });
    expect(receivedBy(two).sort()).toEqual(events.map(({ id }) => id).sort());
    for (const event of events) {
      expect(await deliveryOf(event, two)).toMatchObject({ state: 'succeeded', attempts: 1 });
      expect(await triggersOf(event, two)).toEqual(['replay']);
    }
    for (const event of unwanted) expect(await deliveryOf(event, two)).toBeUndefined();
    // Now they have deliveries, which were delivered.
    const again = await ended(await create({ endpoint: two, includeUnmatched: true }));
    expect(again.progress).toMatchObject({ total: 0 });
  });

  it('leaves alone an event that is still to be planned, which planning gives to the endpoint anyway', async () => {
    // While nothing can be recorded, nothing of it is planned for good.
    life.away.add('record');
    const [event] = await publish(1);
    if (event === undefined) throw new Error('nothing was published');
    const dry = await create({ endpoint: one, includeUnmatched: true }, { dryRun: true });
    expect(dry.progress).toMatchObject({ total: 1, remaining: 0, skippedBecause: { not_planned: 1 } });
    const call = clients.events.replayEvent(
      { organisationId: world.organisationId, id: event.id, endpoints: [one] },
      caller(),
    );
    call.catch(() => undefined);
    await pass(4000);
    await expect(call).rejects.toMatchObject({ code: 'unavailable' });
    life.away.delete('record');
    await pass(70_000);

    expect(receivedBy(one)).toEqual([event.id]);
  });

  it('goes over everything that the selection says, and nothing else', async () => {
    addEndpoint(2);
    const early = await exhausted(2);
    await pass(60_000);
    const since = new Date(world.clock.now());
    const orders = await exhausted(2);
    const invoices = await exhausted(2, { type: 'invoice.paid' });
    await pass(60_000);
    const until = new Date(world.clock.now());
    const late = await exhausted(1);

    const count = async (selection: Partial<dispatchV1.ReplaySelection>): Promise<number | null> =>
      (await create(selection, { dryRun: true })).progress.total;
    expect(await count({})).toBe(2 * 7);
    expect(await count({ endpoint: one })).toBe(7);
    expect(await count({ since })).toBe(2 * 5);
    expect(await count({ until })).toBe(2 * 6);
    expect(await count({ since, until, eventTypes: ['order.*'] })).toBe(2 * orders.length);
    expect(await count({ eventTypes: ['invoice.paid', 'nothing'] })).toBe(2 * invoices.length);
    expect(await count({ eventId: early[0]?.id })).toBe(2);
    expect(await count({ eventId: late[0]?.id, endpoint: two })).toBe(1);
    expect(await count({ eventId: 'unknown' })).toBe(0);
    expect(await count({ states: [DELIVERY_STATE_SUCCEEDED, DELIVERY_STATE_HELD] })).toBe(0);
    expect(await count({ statusClass: 5 })).toBe(14);
    expect(await count({ statusClass: 4 })).toBe(0);
    expect(await count({ createdAfter: new Date(until.getTime() - 1) })).toBe(2);
    expect(await count({ createdBefore: since })).toBe(4);
  });

  it('never turns a success back, also when the attempt that it asked for fails', async () => {
    const [event] = await publish(1);
    await pass(1000);
    world.behaviour = () => 'fail';
    await ended(await create({ endpoint: one, states: [DELIVERY_STATE_SUCCEEDED] }));
    await pass(5000);

    if (event === undefined) throw new Error('nothing was published');
    expect(await triggersOf(event)).toEqual(['schedule', 'replay']);
    expect(await deliveryOf(event)).toMatchObject({ state: 'succeeded', attempts: 2 });
  });

  it('sends the events of a key one after the other, in their order', async () => {
    changeEndpoint(world, one, { ordering: 'key' });
    const events = await exhausted(6, { orderingKey: 'customer' });
    await ended(await create({ endpoint: one }));
    await pass(10_000);

    expect(receivedBy(one)).toEqual(events.map(({ id }) => id));
  });

  it('keeps that order among events of one millisecond, whose ids don’t tell it, however slow it is', async () => {
    changeEndpoint(world, one, { ordering: 'key' });
    const events = await exhausted(12, { orderingKey: 'customer' });
    expect(new Set(events.map(({ acceptedAt }) => acceptedAt.getTime())).size).toBe(1);
    await ended(await create({ endpoint: one }, { perSecond: 4 }));
    await pass(10_000);

    expect(receivedBy(one)).toEqual(events.map(({ id }) => id));
  });

  it('keeps it too among events that are older than the endpoint', async () => {
    changeEndpoint(world, one, { ordering: 'key', eventTypes: ['nothing'] });
    const events = await publish(12, { orderingKey: 'customer' });
    await pass(1000);
    changeEndpoint(world, one, { eventTypes: null });
    await ended(await create({ endpoint: one, includeUnmatched: true }, { perSecond: 4 }));
    await pass(10_000);

    expect(receivedBy(one)).toEqual(events.map(({ id }) => id));
  });

  it('skips and counts what has no payload any more', async () => {
    const [gone, kept] = await exhausted(2);
    if (gone === undefined || kept === undefined) throw new Error('nothing was published');
    await life.events.sweep(world.organisationId, new Date(gone.acceptedAt.getTime() + 1), 1);
    const replay = await ended(await create({ endpoint: one }));
    await pass(5000);

    expect(replay.progress).toMatchObject({
      total: 2,
      done: 1,
      skipped: 1,
      skippedBecause: { payload_expired: 1 },
      remaining: 0,
    });
    expect(receivedBy(one)).toHaveLength(1);
  });

  it('keeps to its rate, tells when it will end, and adds nothing once it is cancelled', async () => {
    const events = await exhausted(40);
    const replay = await create({ endpoint: one }, { perSecond: 2 });
    await pass(8000);
    const seen = await read(replay);
    expect(seen.state).toBe('running');
    expect(seen.progress.done).toBeGreaterThanOrEqual(10);
    expect(seen.progress.done).toBeLessThanOrEqual(20);
    expect(seen.progress.estimatedEndAt?.getTime()).toBeGreaterThan(world.clock.now());

    const call = clients.replays.cancelReplay(
      { organisationId: world.organisationId, id: replay.id },
      caller(),
    );
    await pass(0);
    expect((await call).replay?.state).toBe(dispatchV1.ReplayState.REPLAY_STATE_CANCELLED);
    await pass(30_000);
    const { state, progress } = await read(replay);
    expect(state).toBe('cancelled');
    expect(receivedBy(one)).toHaveLength(progress.done);
    expect(progress.done + (progress.remaining ?? 0)).toBe(events.length);
    const again = clients.replays.cancelReplay(
      { organisationId: world.organisationId, id: replay.id },
      caller(),
    );
    await expect(again).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('adds no more while a good deal is due to its endpoint, and goes on as that takes it', async () => {
    await exhausted(1300);
    world.behaviour = () => 'hang';
    const replay = await create({ endpoint: one });
    await pass(3000);
    const { state, progress } = await read(replay);
    expect({ state, total: progress.total }).toEqual({ state: 'running', total: 1300 });
    const { waiting } = await life.deliveries.health(world.organisationId, one);
    expect(waiting).toBeGreaterThanOrEqual(1000);
    expect(waiting).toBeLessThan(1300);
    world.behaviour = () => 'succeed';
    await eventually(
      async () => {
        await pass(1000);
        expect((await read(replay)).progress.done).toBeGreaterThan(progress.done);
      },
      { timeoutMs: 50_000 },
    );
  }, 60_000);

  it('waits while its endpoint is paused, and fails with the reason when that is disabled', async () => {
    await exhausted(30);
    const replay = await create({ endpoint: one }, { perSecond: 2 });
    await pass(3000);
    setState(world, one, 'paused');
    await pass(3000);
    const { done } = (await read(replay)).progress;
    await pass(20_000);
    expect(await read(replay)).toMatchObject({ state: 'running', progress: { done } });
    setState(world, one, 'enabled');
    await pass(5000);
    expect((await read(replay)).progress.done).toBeGreaterThan(done);
    setState(world, one, 'disabled');

    expect(await ended(replay)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('The endpoint is disabled'),
    });
  });

  it('makes every attempt that it has set going, also when its endpoint is paused meanwhile', async () => {
    const events = await exhausted(20);
    changeEndpoint(world, one, { maxInFlight: 1 });
    world.behaviour = () => 'hang';
    const replay = await create({ endpoint: one });
    expect(await ended(replay)).toMatchObject({ progress: { done: 20, remaining: 0 } });
    setState(world, one, 'paused');
    await pass(10_000);
    world.behaviour = () => 'succeed';
    setState(world, one, 'enabled');
    await pass(30_000);

    for (const event of events) expect(await triggersOf(event)).toEqual(['schedule', 'replay']);
  });

  it('passes over endpoints that take nothing when it is not about one of them', async () => {
    addEndpoint(2);
    await exhausted(3);
    setState(world, two, 'disabled');
    const replay = await ended(await create());
    await pass(5000);

    expect(replay.progress).toMatchObject({ total: 6, done: 3, skippedBecause: { endpoint_disabled: 3 } });
    expect(receivedBy(one)).toHaveLength(3);
    expect(receivedBy(two)).toEqual([]);
  });

  it('says what is wrong with a request, all of it at once', async () => {
    const now = new Date(world.clock.now());
    const wrong = create({ endpoint: 'unknown', since: now, until: now }, { perSecond: 0 });
    const refused = await wrong.then(
      () => undefined,
      (error: unknown) => DomainError.from(error),
    );
    expect(refused?.code).toBe('invalid_argument');
    expect(refused?.violations.map(({ field }) => field)).toEqual(['/endpoint', '/until', '/perSecond']);
    await expect(create({ includeUnmatched: true })).rejects.toMatchObject({ code: 'invalid_argument' });
    setState(world, one, 'disabled');
    await expect(create({ endpoint: one })).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('lets an organisation have ten unfinished ones at a time', async () => {
    await exhausted(3);
    setState(world, one, 'paused');
    const replays = [];
    for (let number = 0; number < 10; number++) replays.push(await create({ endpoint: one }));
    await expect(create()).rejects.toMatchObject({ code: 'failed_precondition' });
    setState(world, one, 'enabled');
    for (const replay of replays) await ended(replay);
    expect((await ended(await create())).state).toBe('succeeded');
  });

  it("is listed with its organisation's others, newest first, and nobody else sees it", async () => {
    await exhausted(1);
    const [first, second] = [await create(), await create()];
    await ended(first);
    const { replays } = await clients.replays.listReplays(
      { organisationId: world.organisationId, limit: 10, cursor: '', states: [] },
      caller(),
    );
    expect(replays.map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    const other = '01900000-0000-4000-8000-0000000000ff';
    const seen = clients.replays.getReplay({ organisationId: other, id: first.id }, keyOf(other));
    await expect(seen).rejects.toMatchObject({ code: 'not_found' });
    const foreign = clients.replays.getReplay(
      { organisationId: world.organisationId, id: first.id },
      keyOf(other),
    );
    await expect(foreign).rejects.toMatchObject({
      code: expect.stringMatching(/not_found|permission_denied/),
    });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1 } from '@posthorn/contracts';
import { deliveryIdOf, DomainError, type Delivery, type DeliveryState, type Event } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
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
} from './simulation/simulated-life.harness.ts';

/** Retries, replays and cancels through the dispatcher's services, on a whole dispatcher. */

const [one, two] = [endpointId(1), endpointId(2)];
const other = '01900000-0000-4000-8000-0000000000ff';

let world: World;
let life: Life;
let directory: string;
let clients: DispatcherClients;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-on-demand-'));
  life = await startLife(world, directory);
  clients = clientsOf(world, life);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

async function publish(over: Partial<Event> = {}): Promise<Event> {
  const event = { ...newEvent(world), ...over };
  await life.log.append(event);
  await world.clock.advanceAsync(0);
  return event;
}

function idOf({ id: eventId, acceptedAt }: Event, to = one): string {
  return deliveryIdOf({ acceptedAt, organisationId: world.organisationId, eventId, endpointId: to });
}

async function deliveryOf(event: Event, to = one): Promise<Delivery> {
  const found = await life.deliveries.get(world.organisationId, idOf(event, to));
  if (found === null) throw new Error('the delivery is not on record');
  return found.delivery;
}

/** While it waits for its answer, time goes on. */
async function whileTimePasses<T>(call: Promise<T>, ms = 2500): Promise<T> {
  const settled = call.then(
    () => undefined,
    () => undefined,
  );
  await world.clock.advanceAsync(ms);
  await settled;
  return call;
}

const retry = (id: string) =>
  whileTimePasses(
    clients.deliveries.retryDelivery(
      { organisationId: world.organisationId, id },
      keyOf(world.organisationId),
    ),
  );
const cancel = (id: string) =>
  whileTimePasses(
    clients.deliveries.cancelDelivery(
      { organisationId: world.organisationId, id },
      keyOf(world.organisationId),
    ),
    100,
  );
const replay = (event: Event, endpoints: string[] = []) =>
  whileTimePasses(
    clients.events.replayEvent(
      { organisationId: world.organisationId, id: event.id, endpoints },
      keyOf(world.organisationId),
    ),
  );
const attemptsOf = async (event: Event, to = one) =>
  (
    await life.deliveries.listAttempts(
      { organisationId: world.organisationId, deliveryId: idOf(event, to) },
      { limit: 50, cursor: '' },
    )
  ).items.map(({ number, trigger, outcome }) => `${number} ${trigger} ${outcome}`);

/** Brings an event's delivery into a state, and makes everybody well again. */
async function eventThatIs(state: DeliveryState, over: Partial<Event> = {}): Promise<Event> {
  if (state === 'held') setState(world, one, 'disabled');
  if (state === 'exhausted' || state === 'retrying') world.behaviour = () => 'fail';
  const event = await publish(over);
  await world.clock.advanceAsync(state === 'retrying' ? 500 : 20_000);
  if (state === 'cancelled') throw new Error('cancel it yourself');
  expect((await deliveryOf(event)).state).toBe(state);
  world.behaviour = () => 'succeed';
  return event;
}

describe('a retry', () => {
  it.each(['exhausted', 'held', 'retrying'] as const)(
    'of what is %s is made at once and can succeed',
    async (state) => {
      const event = await eventThatIs(state);
      const before = world.requests.length;
      const answer = clients.deliveries.retryDelivery(
        { organisationId: world.organisationId, id: idOf(event) },
        keyOf(world.organisationId),
      );
      await world.clock.advanceAsync(0);
      await answer;
      expect(world.requests).toHaveLength(before + 1);
      await world.clock.advanceAsync(20_000);
      expect(world.requests).toHaveLength(before + 1);
      expect((await deliveryOf(event)).state).toBe('succeeded');
      expect((await attemptsOf(event))[0]).toMatch(/^\d+ manual success$/);
    },
  );

  it('of what has succeeded makes another attempt, and a failure of that turns nothing back', async () => {
    const event = await eventThatIs('succeeded');
    world.behaviour = () => 'fail';
    await retry(idOf(event));
    await world.clock.advanceAsync(20_000);
    expect(await deliveryOf(event)).toMatchObject({ state: 'succeeded', attempts: 2, nextAttemptAt: null });
    expect(await attemptsOf(event)).toEqual(['2 manual http_error', '1 schedule success']);
  });

  it.each(['paused', 'disabled'] as const)('goes to an endpoint that is %s', async (state) => {
    setState(world, one, state);
    const event = await publish();
    await world.clock.advanceAsync(1000);
    expect(await deliveryOf(event)).toMatchObject({ state: 'held', reason: `endpoint_${state}` });
    await retry(idOf(event));
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });

  it.each([
    ['that is disabled', 'disabled', ['1 schedule', '2 manual']],
    ['when that is resumed', 'paused', ['1 schedule']],
  ] as const)('goes to an endpoint that wants order %s', async (_, state, made) => {
    changeEndpoint(world, one, { ordering: 'key', retryDelaysMs: [] });
    const event = await eventThatIs('exhausted', { orderingKey: 'customer' });
    setState(world, one, state);
    await world.clock.advanceAsync(1000);
    await retry(idOf(event));
    const triggers = async () =>
      (await attemptsOf(event)).map((attempt) => attempt.split(' ').slice(0, 2).join(' ')).reverse();
    expect(await triggers()).toEqual(made);
    setState(world, one, 'enabled');
    await world.clock.advanceAsync(5000);
    expect(await triggers()).toEqual(['1 schedule', '2 manual']);
  });

  it('is refused while the endpoint is disabled, of what blocks a key of it', async () => {
    changeEndpoint(world, one, { ordering: 'key', retryDelaysMs: [], onExhausted: 'hold' });
    const event = await eventThatIs('exhausted', { orderingKey: 'customer' });
    setState(world, one, 'disabled');
    await expect(retry(idOf(event))).rejects.toMatchObject({ code: 'failed_precondition' });
    setState(world, one, 'enabled');
    await retry(idOf(event));
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });

  it('of what is under way is that attempt', async () => {
    world.behaviour = () => 'hang';
    const event = await publish();
    await world.clock.advanceAsync(600);
    world.behaviour = () => 'succeed';
    await retry(idOf(event));
    expect(world.requests).toHaveLength(1);
    await world.clock.advanceAsync(10_000);
    expect(await attemptsOf(event)).toEqual(['2 schedule success', '1 schedule timeout']);
  });

  it('of what waits for its turn goes first, once, and holds the log back no longer', async () => {
    world.behaviour = () => 'hang';
    const events: Event[] = [];
    for (let n = 0; n < 8; n += 1) events.push(await publish());
    await world.clock.advanceAsync(600);
    expect(world.requests).toHaveLength(4);
    const last = events.at(-1)!;
    world.behaviour = () => 'succeed';
    await retry(idOf(last));
    expect(world.requests[4]?.eventId).toBe(last.id);
    await world.clock.advanceAsync(20_000);
    expect(world.requests.filter(({ eventId }) => eventId === last.id)).toHaveLength(1);
    expect((await life.leases.find(0)).next).toBe(9);
  });

  it('that is asked for twice at once is one attempt', async () => {
    const event = await eventThatIs('exhausted');
    const before = world.requests.length;
    await Promise.all([retry(idOf(event)), retry(idOf(event)), replay(event)]);
    await world.clock.advanceAsync(5000);
    expect(world.requests).toHaveLength(before + 1);
    expect(await attemptsOf(event)).toHaveLength(5);
    expect(await life.metrics.render()).toContain('posthorn_dispatcher_queued 0');
  });

  it('waits while the outcome before it is being recorded, and is made then', async () => {
    const event = await eventThatIs('exhausted');
    await retry(idOf(event));
    world.behaviour = () => 'fail';
    const before = world.requests.length;
    life.away.add('record');
    await retry(idOf(event));
    await world.clock.advanceAsync(500);
    expect(world.requests).toHaveLength(before + 1);
    const again = clients.deliveries.retryDelivery(
      { organisationId: world.organisationId, id: idOf(event) },
      keyOf(world.organisationId),
    );
    await world.clock.advanceAsync(100);
    expect(world.requests).toHaveLength(before + 1);
    life.away.clear();
    await whileTimePasses(again, 5000).catch(() => undefined);
    if ((await again.catch((error: unknown) => error)) instanceof Error) await retry(idOf(event));
    expect(world.requests).toHaveLength(before + 2);
    expect((await deliveryOf(event)).attempts).toBe(7);
  });

  it('gives the delivery back to its lane when it cannot be recorded', async () => {
    world.behaviour = () => 'hang';
    const events: Event[] = [];
    for (let n = 0; n < 5; n += 1) events.push(await publish());
    await world.clock.advanceAsync(600);
    const last = events.at(-1)!;
    life.away.add('claimNow');
    world.behaviour = () => 'succeed';
    await expect(retry(idOf(last))).rejects.toMatchObject({ code: 'unavailable' });
    life.away.clear();
    await world.clock.advanceAsync(10_000);
    expect(await deliveryOf(last)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('is refused when the payload is not kept any more', async () => {
    const event = await eventThatIs('succeeded');
    await life.events.sweep(world.organisationId, new Date(world.clock.now()), 10);
    await expect(retry(idOf(event))).rejects.toMatchObject({ code: 'failed_precondition' });
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });

  it('is refused when the endpoint is no more', async () => {
    const event = await eventThatIs('exhausted');
    world.endpoints.delete(one);
    world.revision += 1n;
    await expect(retry(idOf(event))).rejects.toMatchObject({ code: 'failed_precondition' });
    expect((await deliveryOf(event)).state).toBe('exhausted');
  });

  it('survives a crash before its attempt', async () => {
    const event = await eventThatIs('succeeded');
    world.behaviour = () => 'hang';
    await retry(idOf(event));
    world.behaviour = () => 'succeed';
    const before = world.requests.length;
    const place = life.crash(join(directory, 'next'));
    await life.bury();
    life = await startLife(world, place);
    await world.clock.advanceAsync(1000);
    expect(world.requests).toHaveLength(before + 1);
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });
});

describe('a replay', () => {
  it('sends the event again to every endpoint that had it, on the same deliveries', async () => {
    world.endpoints.set(two, simulatedEndpoint(world, 2));
    world.revision += 1n;
    const event = await publish();
    await world.clock.advanceAsync(1000);
    const { deliveries } = await replay(event);
    expect(deliveries.map(({ id }) => id).sort()).toEqual([idOf(event), idOf(event, two)].sort());
    for (const to of [one, two]) {
      expect(await attemptsOf(event, to)).toEqual(['2 replay success', '1 schedule success']);
    }
  });

  it('reaches an endpoint that was created later, when it is named, once', async () => {
    const event = await publish();
    await world.clock.advanceAsync(1000);
    world.endpoints.set(two, simulatedEndpoint(world, 2));
    world.revision += 1n;
    expect((await replay(event)).deliveries).toHaveLength(1);
    const before = world.requests.length;
    const { deliveries } = await replay(event, [two, two]);
    expect(deliveries.map(({ endpointId: to }) => to)).toEqual([two]);
    expect(world.requests.slice(before)).toMatchObject([{ endpointId: two, eventId: event.id }]);
    expect(await deliveryOf(event, two)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('of what waits unrecorded puts it on record, and the log need not wait for its attempt', async () => {
    world.behaviour = () => 'hang';
    const events: Event[] = [];
    for (let n = 0; n < 6; n += 1) events.push(await publish());
    const last = events.at(-1)!;
    await Promise.all([
      world.clock.advanceAsync(100),
      clients.events.replayEvent(
        { organisationId: world.organisationId, id: last.id, endpoints: [one] },
        keyOf(world.organisationId),
      ),
    ]);
    await world.clock.advanceAsync(500);
    expect(world.requests.at(-1)?.eventId).toBe(last.id);
    expect((await life.leases.find(0)).next).toBe(7);
  });

  it('names each endpoint that there is not, by its place, and sends nothing then', async () => {
    const event = await publish();
    await world.clock.advanceAsync(1000);
    const before = world.requests.length;
    await expect(replay(event, [one, one, 'nobody', other])).rejects.toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '/endpoints/2' }, { field: '/endpoints/3' }],
    });
    expect(world.requests).toHaveLength(before);
  });
});

describe('a cancel', () => {
  it('ends what waits, which is then not sent', async () => {
    world.behaviour = () => 'hang';
    const events: Event[] = [];
    for (let n = 0; n < 6; n += 1) events.push(await publish());
    await world.clock.advanceAsync(600);
    const last = events.at(-1)!;
    await cancel(idOf(last));
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(20_000);
    expect(world.requests.some(({ eventId }) => eventId === last.id)).toBe(false);
    expect(await deliveryOf(last)).toMatchObject({ state: 'cancelled', reason: 'cancelled', attempts: 0 });
  });

  it.each(['succeed', 'fail', 'hang'] as const)(
    'stands although the attempt under way comes to an end (%s)',
    async (behaviour) => {
      world.behaviour = () => 'hang';
      world.endpoints.set(one, {
        ...simulatedEndpoint(world, 1),
        endpoint: { ...simulatedEndpoint(world, 1).endpoint, timeoutMs: 3000 },
      });
      world.revision += 1n;
      await world.clock.advanceAsync(600);
      const event = await publish();
      await world.clock.advanceAsync(600);
      expect(world.requests).toHaveLength(1);
      await cancel(idOf(event));
      world.behaviour = () => behaviour;
      await world.clock.advanceAsync(20_000);
      expect(world.requests).toHaveLength(1);
      expect(await deliveryOf(event)).toMatchObject({ state: 'cancelled', nextAttemptAt: null });
      expect(await attemptsOf(event)).toEqual(['1 schedule timeout']);
    },
  );

  it.each(['succeeded', 'exhausted'] as const)('is refused for what is %s', async (state) => {
    const event = await eventThatIs(state);
    await expect(cancel(idOf(event))).rejects.toMatchObject({ code: 'failed_precondition' });
    expect((await deliveryOf(event)).state).toBe(state);
  });

  it('can be undone by a retry', async () => {
    const event = await eventThatIs('held');
    await cancel(idOf(event));
    expect((await deliveryOf(event)).state).toBe('cancelled');
    await retry(idOf(event));
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });
});

describe("another tenant's ids", () => {
  it('answer exactly like unknown ones, and take as long', async () => {
    const event = await publish();
    await world.clock.advanceAsync(1000);
    const delivery = idOf(event);
    const young = { event: newEvent(world), delivery: '' };
    young.delivery = idOf(young.event);

    async function answer(call: Promise<unknown>, ids: readonly string[]) {
      const startedAt = world.clock.monotonic();
      let tookMs = -1;
      const said = call.then(
        () => 'found',
        (error: unknown) => {
          tookMs = world.clock.monotonic() - startedAt;
          const { code, message } = DomainError.from(error);
          let text = `${code}: ${message}`;
          for (const id of ids) text = text.replaceAll(id, '…');
          return text;
        },
      );
      await world.clock.advanceAsync(3000);
      return { said: await said, tookMs };
    }

    const asOther = keyOf(other);
    const organisationId = other;
    for (const call of [
      (id: string) => clients.deliveries.getDelivery({ organisationId, id }, asOther),
      (id: string) => clients.deliveries.retryDelivery({ organisationId, id }, asOther),
      (id: string) => clients.deliveries.cancelDelivery({ organisationId, id }, asOther),
    ]) {
      const ids = [delivery, young.delivery];
      const [theirs, nobodys] = [await answer(call(ids[0]!), ids), await answer(call(ids[1]!), ids)];
      expect(theirs.said).toMatch(/^not_found/);
      expect(theirs).toEqual(nobodys);
    }
    for (const call of [
      (id: string) => clients.events.getEvent({ organisationId, id }, asOther),
      (id: string) => clients.events.replayEvent({ organisationId, id, endpoints: [] }, asOther),
    ]) {
      const ids = [event.id, young.event.id];
      const [theirs, nobodys] = [await answer(call(ids[0]!), ids), await answer(call(ids[1]!), ids)];
      expect(theirs.said).toMatch(/^not_found/);
      expect(theirs).toEqual(nobodys);
    }
  });

  it('are not found in the name of another organisation', async () => {
    const event = await publish();
    await world.clock.advanceAsync(1000);
    const request = { organisationId: world.organisationId, id: idOf(event) };
    await expect(clients.deliveries.getDelivery(request, keyOf(other))).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(clients.deliveries.retryDelivery(request, keyOf(other))).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(world.requests).toHaveLength(1);
  });
});

describe('a delivery that is not on record yet', () => {
  it('is waited for', async () => {
    world.behaviour = () => 'hang';
    const event = await publish();
    const found = clients.deliveries.getDelivery(
      { organisationId: world.organisationId, id: idOf(event) },
      keyOf(world.organisationId),
    );
    await world.clock.advanceAsync(400);
    expect((await found).delivery).toMatchObject({
      state: dispatchV1.DeliveryState.DELIVERY_STATE_PENDING,
      attempts: 0,
    });
  });
});

import { compileMatcher, type Attempt, type Endpoint, type OperationalEvent } from '@posthorn/models';
import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { EndedAttempt } from '../deliveries/delivery-search.ts';
import type { DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { OrganisationView } from '../directory.ts';
import { createEndpointTroubles } from './endpoint-troubles.ts';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleInsert } from '../deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';
import type { EndpointTrouble, TroubleStore } from './trouble-store.ts';

const dayMs = 86_400_000;
const organisationId = 'org';
const failing = simulatedEndpoint({ organisationId }, 1);
const { id } = failing.endpoint;
const listening = simulatedEndpoint({ organisationId }, 2);

/** A store in memory that any number of dispatchers share, and can be away. */
function createWorld() {
  const stored = new Map<string, EndpointTrouble>();
  const world = { clock: new FakeClock(), stored, isAway: false, endpoint: failing.endpoint };
  const unlessAway = <T>(answer: () => T): Promise<T> =>
    world.isAway ? Promise.reject(new Error('away')) : Promise.resolve(answer());
  const store: TroubleStore = {
    begin: (trouble) =>
      unlessAway(() => {
        const known = stored.get(trouble.endpointId);
        const { openUntil } = trouble;
        const now = known === undefined ? trouble : { ...known, ...(openUntil !== null && { openUntil }) };
        stored.set(trouble.endpointId, now);
        return { trouble: now, isNew: known === undefined };
      }),
    end: ({ endpointId, failingSince }) =>
      unlessAway(
        () =>
          stored.get(endpointId)?.failingSince.getTime() === failingSince.getTime() &&
          stored.delete(endpointId),
      ),
    find: (_organisationId, ids) => unlessAway(() => ids.flatMap((one) => stored.get(one) ?? [])),
    list: (after) => unlessAway(() => (after === null ? [...stored.values()] : [])),
    forget: () => unlessAway(() => stored.clear()),
  };
  return {
    ...world,
    store,
    set: (over: Partial<typeof world>) => Object.assign(world, over),
    get: () => world,
  };
}
type World = ReturnType<typeof createWorld>;

function startDispatcher(world: World, latest: readonly EndedAttempt[] = [], disableAfterMs = 5 * dayMs) {
  const told: OperationalEvent[] = [];
  const disabled: string[] = [];
  const listener = { ...listening, endpoint: { ...listening.endpoint, eventTypes: ['posthorn.*'] } };
  const view = (): Pick<OrganisationView, 'endpoints' | 'matcher'> => {
    const endpoints = [{ ...failing, endpoint: world.get().endpoint }, listener];
    return {
      endpoints: new Map(endpoints.map((one) => [one.endpoint.id, one])),
      matcher: compileMatcher(endpoints),
    };
  };
  const troubles = createEndpointTroubles({
    store: world.store,
    search: {
      async *latestAttempts() {
        await Promise.resolve();
        yield latest;
      },
    },
    directory: {
      organisation: () => view() as OrganisationView,
      endpoint: (_organisationId, one) => view().endpoints.get(one),
      isLoaded: () => true,
      loadAvailable: () => Promise.resolve(new Map()),
    },
    disable({ endpoint }, reason) {
      disabled.push(`${endpoint.id} ${reason}`);
      world.set({ endpoint: { ...endpoint, state: 'disabled' } });
      return Promise.resolve();
    },
    publish: (event) => told.push(event),
    disableAfterMs,
    clock: world.clock,
    logger: silentLogger,
  });

  async function ends(outcome: Attempt['outcome'], over: Partial<Attempt> = {}, times = 1): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      world.clock.advance(1000);
      const delivery = sampleDelivery(sampleEvent(n), id);
      const startedAt = new Date(world.clock.now());
      const record: DeliveryRecord = sampleInsert({
        delivery,
        epoch: 0,
        attempt: sampleAttempt(delivery, 1, { outcome, startedAt, ...over }),
      });
      troubles.observe([record]);
      await troubles.idle();
    }
  }
  return { troubles, ends, told, disabled, types: () => told.map(({ type }) => type) };
}

describe('an endpoint that fails', () => {
  it('is told of with its fifth failure in a row, once, and of having recovered with its next success, once', async () => {
    const world = createWorld();
    const { ends, told, types } = startDispatcher(world);
    await ends('http_error', {}, 4);
    await ends('success');
    await ends('timeout', {}, 4);
    expect(told).toEqual([]);
    await ends('http_error', {}, 30);
    expect(types()).toEqual(['posthorn.endpoint.failing']);
    await ends('success', {}, 3);
    expect(types()).toEqual(['posthorn.endpoint.failing', 'posthorn.endpoint.recovered']);
    expect(world.stored.size).toBe(0);
    // It fails since the first of the four.
    const since = new Date(world.clock.now() - 36_000);
    expect(told.map(({ data }) => data)).toMatchObject([{ failingSince: since }, { failingSince: since }]);
    await ends('refused', {}, 5);
    expect(types()).toHaveLength(3);
    expect(told[2]?.id).not.toBe(told[0]?.id);
  });

  it('is told of once by two dispatchers, and of having recovered by the one that notes it', async () => {
    const world = createWorld();
    const [one, other] = [startDispatcher(world), startDispatcher(world)];
    await Promise.all([one.ends('http_error', {}, 6), other.ends('http_error', {}, 6)]);
    await other.troubles.refresh();
    await Promise.all([one.ends('success'), other.ends('success')]);
    expect([...one.types(), ...other.types()].sort()).toEqual([
      'posthorn.endpoint.failing',
      'posthorn.endpoint.recovered',
    ]);
  });

  it('is known to have recovered by a dispatcher that has seen none of its failures', async () => {
    const world = createWorld();
    await startDispatcher(world).ends('http_error', {}, 5);
    const other = startDispatcher(world);
    await other.troubles.refresh();
    await other.ends('success');
    expect(other.types()).toEqual(['posthorn.endpoint.recovered']);
  });

  it('is not told of for our own faults, nor for tests', async () => {
    const { ends, told } = startDispatcher(createWorld());
    await ends('internal', {}, 10);
    await ends('http_error', { trigger: 'test' }, 10);
    expect(told).toEqual([]);
  });

  it('is told of later when the store is away', async () => {
    const world = createWorld();
    const { ends, types } = startDispatcher(world);
    world.set({ isAway: true });
    await ends('timeout', {}, 6);
    expect(types()).toEqual([]);
    world.set({ isAway: false });
    await ends('timeout');
    expect(types()).toEqual(['posthorn.endpoint.failing']);
  });

  it('ends its trouble without a word when it is paused, and has a new one afterwards', async () => {
    const world = createWorld();
    const { ends, types, troubles } = startDispatcher(world);
    await ends('timeout', {}, 5);
    world.set({ endpoint: { ...failing.endpoint, state: 'paused' } });
    troubles.changed(organisationId);
    await troubles.idle();
    expect(world.stored.size).toBe(0);
    world.set({ endpoint: failing.endpoint });
    await ends('success');
    await ends('timeout', {}, 5);
    expect(types()).toEqual(['posthorn.endpoint.failing', 'posthorn.endpoint.failing']);
  });

  it('begins to count anew when it was paused, without having recovered', async () => {
    const world = createWorld();
    const { ends, types, troubles } = startDispatcher(world);
    await ends('timeout', {}, 4);
    world.set({ endpoint: { ...failing.endpoint, state: 'paused' } });
    troubles.changed(organisationId);
    world.set({ endpoint: failing.endpoint });
    await ends('timeout', {}, 4);
    expect(types()).toEqual([]);
    await ends('timeout');
    expect(types()).toEqual(['posthorn.endpoint.failing']);
  });

  it('puts on record until when its breaker is open, also when that was first known', async () => {
    const world = createWorld();
    const { ends, troubles } = startDispatcher(world);
    await ends('timeout', {}, 4);
    troubles.opened(id, 5000);
    const first = world.clock.now() + 5000;
    await ends('timeout');
    expect(world.stored.get(id)?.openUntil?.getTime()).toBeGreaterThanOrEqual(first);
    troubles.opened(id, 300_000);
    await troubles.idle();
    expect(world.stored.get(id)?.openUntil?.getTime()).toBeGreaterThanOrEqual(world.clock.now() + 300_000);
  });
});

describe('an endpoint that fails for days', () => {
  const attempt = (over: Partial<EndedAttempt>): EndedAttempt => ({
    deliveryId: 'd',
    deliveryState: 'retrying',
    startedAt: new Date(new FakeClock().now() + dayMs),
    succeeded: false,
    ...over,
  });

  async function failForDays(days: number, over: Partial<Endpoint>, ...rest: [EndedAttempt[]?, number?]) {
    const world = createWorld();
    world.set({ endpoint: { ...failing.endpoint, ...over } });
    const dispatcher = startDispatcher(world, ...rest);
    await dispatcher.ends('timeout', {}, 5);
    world.clock.advance(days * dayMs);
    await dispatcher.ends('timeout');
    return { world, ...dispatcher };
  }

  it('is disabled with the first failure after five days without a success', async () => {
    expect((await failForDays(4.9, {}, [attempt({})])).disabled).toEqual([]);
    const { disabled, world } = await failForDays(5, {}, [attempt({})]);
    expect(disabled).toEqual([`${id} failing`]);
    expect(world.stored.size).toBe(0);
  });

  it('is left on when the records know of a success that nobody else has noted', async () => {
    const { disabled, types } = await failForDays(6, {}, [attempt({}), attempt({ succeeded: true })]);
    expect(disabled).toEqual([]);
    expect(types()).toEqual(['posthorn.endpoint.failing', 'posthorn.endpoint.recovered']);
  });

  it('is left on where that is not to be, and in a dialect with rules of its own', async () => {
    expect((await failForDays(60, {}, [attempt({})], 0)).disabled).toEqual([]);
    expect((await failForDays(60, { dialect: 'xurrent' }, [attempt({})])).disabled).toEqual([]);
  });
});

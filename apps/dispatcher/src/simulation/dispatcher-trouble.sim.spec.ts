import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliveryIdOf, isFinal, type Delivery, type Event } from '@posthorn/models';
import { withSeed, type SeededRandom } from '@posthorn/testing';
import {
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  simulatedLimits,
  startLife,
  type Life,
  type World,
} from './simulated-life.harness.ts';

/**
 * Random events × retries and cancels by hand × endpoints that are paused, disabled and enabled × a store that refuses for a while, as
 * on a full disk × a clock that jumps, or crashes. Whatever happens: nothing is lost, no success and no cancel is turned back
 * unasked, nobody gets anything twice without a reason, and memory stays within its bounds.
 */

const numbers = [1, 2, 3, 4];
const endpoints = numbers.map(endpointId);
const storeCalls = ['record', 'claimDue', 'claimNow', 'settleWaiting', 'findRecorded', 'cancel'] as const;
/** The longest wait of whoever tries again at a store that was away. */
const recoveryMs = 6000;

interface Story {
  readonly accepted: Event[];
  /** How often each delivery was asked for by hand. */
  readonly retried: Map<string, number>;
  /** Retries that haven't been answered: they may come before or after a cancel. */
  readonly unanswered: Map<string, number>;
  /** Cancelled, and not asked for since. */
  readonly cancelled: Set<string>;
  readonly succeeded: Set<string>;
  readonly buried: Life[];
  life: Life;
  crashes: number;
}

interface Trouble {
  readonly crashes: boolean;
  readonly clockJumps: boolean;
}

function deliveryId(world: World, { id: eventId, acceptedAt }: Event, to: string): string {
  return deliveryIdOf({ acceptedAt, organisationId: world.organisationId, eventId, endpointId: to });
}

async function deliveriesOf(world: World, { accepted, life }: Story): Promise<Delivery[]> {
  const found: Delivery[] = [];
  for (const event of accepted) {
    for (const to of endpoints) {
      const known = await life.deliveries.get(world.organisationId, deliveryId(world, event, to));
      if (known !== null) found.push(known.delivery);
    }
  }
  return found;
}

async function queuedIn(life: Life): Promise<number> {
  return Number(/^posthorn_dispatcher_queued (\d+)$/m.exec(await life.metrics.render())?.[1]);
}

/** Asks for a retry or a cancel of some delivery; what is refused has no effect. */
function act(world: World, story: Story, random: SeededRandom): void {
  const id = deliveryId(world, random.pick(story.accepted), random.pick(endpoints));
  const request = { organisationId: world.organisationId, id };
  const { life } = story;
  const { deliveries } = clientsOf(world, life);
  if (random.chance(0.6)) {
    // It may have an effect although its answer never comes.
    story.retried.set(id, (story.retried.get(id) ?? 0) + 1);
    story.cancelled.delete(id);
    const count = (change: 1 | -1): void =>
      void story.unanswered.set(id, (story.unanswered.get(id) ?? 0) + change);
    count(1);
    deliveries.retryDelivery(request, keyOf(world.organisationId)).then(
      () => count(-1),
      () => count(-1),
    );
  } else {
    const asked = story.retried.get(id);
    const isSure = (story.unanswered.get(id) ?? 0) === 0;
    deliveries.cancelDelivery(request, keyOf(world.organisationId)).then(
      () => {
        // A life that was killed meanwhile answers for a database of its own.
        if (isSure && life === story.life && story.retried.get(id) === asked) story.cancelled.add(id);
      },
      () => undefined,
    );
  }
}

async function live(world: World, directory: string, trouble: Trouble): Promise<Story> {
  const { random, clock } = world;
  const story: Story = {
    accepted: [],
    retried: new Map(),
    unanswered: new Map(),
    cancelled: new Set(),
    succeeded: new Set(),
    buried: [],
    life: await startLife(world, join(directory, 'life-0')),
    crashes: 0,
  };
  const moods = new Map<string, ReturnType<World['behaviour']>>();
  world.behaviour = (id) => moods.get(id) ?? 'succeed';
  let awayAt = -Infinity;

  for (let step = 0; step < 60; step += 1) {
    const dice = random.number();
    if (dice < 0.35) {
      const events = Array.from({ length: random.integer(1, 8) }, () => newEvent(world));
      await Promise.all(
        events.map((event) => story.life.log.append(event).then(() => story.accepted.push(event))),
      );
    } else if (dice < 0.45) {
      moods.set(random.pick(endpoints), random.pick(['succeed', 'fail', 'hang']));
    } else if (dice < 0.55) {
      setState(world, random.pick(endpoints), random.pick(['paused', 'disabled', 'enabled'] as const));
    } else if (dice < 0.63) {
      for (const call of storeCalls) if (random.chance(0.5)) story.life.away.add(call);
    } else if (dice < 0.7) {
      story.life.away.clear();
    } else if (dice < 0.74 && trouble.clockJumps) {
      clock.jump(random.integer(-3_600_000, 3_600_000));
    } else if (dice < 0.78 && trouble.crashes) {
      story.crashes += 1;
      const place = story.life.crash(join(directory, `life-${story.crashes}`));
      story.buried.push(story.life);
      story.life = await startLife(world, place);
    } else if (story.accepted.length > 0) {
      for (let n = random.integer(1, 4); n > 0; n -= 1) act(world, story, random);
    }
    await clock.advanceAsync(random.integer(0, 700));

    if (story.life.away.size > 0) awayAt = clock.monotonic();
    if (clock.monotonic() - awayAt > recoveryMs) await expectBoundedMemory(story.life);
    for (const { id, state } of await deliveriesOf(world, story)) {
      if (state === 'succeeded') story.succeeded.add(id);
      else if (story.succeeded.has(id)) throw new Error(`a success was turned back to ${state}`);
    }
  }
  story.life.away.clear();
  for (const id of endpoints) {
    moods.set(id, 'succeed');
    setState(world, id, 'enabled');
  }
  // What the store refused to settle is found by the next look over all lanes, within a minute.
  await clock.advanceAsync(130_000);
  return story;
}

/** What waits stays within the bound of all lanes; beyond it is only what is under way, or on its way to storage. */
async function expectBoundedMemory(life: Life): Promise<void> {
  const { totalDeliveries, slots } = simulatedLimits;
  expect(await queuedIn(life)).toBeLessThanOrEqual(totalDeliveries + slots * 2);
}

async function expectGoodEnd(world: World, story: Story): Promise<void> {
  const deliveries = await deliveriesOf(world, story);
  expect(deliveries).toHaveLength(story.accepted.length * endpoints.length);
  const received = new Map<string, number>();
  for (const { eventId, endpointId: to, succeeded } of world.requests) {
    if (succeeded) received.set(`${eventId} ${to}`, (received.get(`${eventId} ${to}`) ?? 0) + 1);
  }
  for (const delivery of deliveries) {
    const { id, state, reason, eventId, endpointId: to } = delivery;
    const times = received.get(`${eventId} ${to}`) ?? 0;
    const asked = story.retried.get(id) ?? 0;
    const hasItsEnd = isFinal(state) || (state === 'held' && reason === 'endpoint_disabled');
    if (!hasItsEnd) throw new Error(`it has not ended: ${JSON.stringify(delivery)}`);
    expect(delivery.nextAttemptAt).toBeNull();
    if (story.cancelled.has(id)) expect(state).toBe('cancelled');
    if (state === 'succeeded') expect(times).toBeGreaterThanOrEqual(1);
    if (story.crashes === 0) expect(times).toBeLessThanOrEqual(1 + asked);
  }
  expect(await story.life.deliveries.waitingLanes([0])).toEqual([]);
  expect(await queuedIn(story.life)).toBe(0);
  expect((await story.life.leases.find(0)).next).toBe(story.accepted.length + 1);
}

async function expectPromisesKept(trouble: Trouble): Promise<void> {
  await withSeed(async (random) => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-trouble-'));
    try {
      const world = createWorld(random, numbers);
      const story = await live(world, directory, trouble);
      await expectGoodEnd(world, story);
      await Promise.all([...story.buried, story.life].map((life) => life.bury()));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

describe('the dispatcher, in trouble', () => {
  it.each([1, 2, 3, 4])(
    'keeps its promises while people act, the store refuses and the clock jumps (story %#)',
    async () => {
      await expectPromisesKept({ crashes: false, clockJumps: true });
    },
  );

  it.each([1, 2, 3, 4])(
    'keeps its promises while people act, the store refuses and it is killed (story %#)',
    async () => {
      await expectPromisesKept({ crashes: true, clockJumps: false });
    },
  );
});

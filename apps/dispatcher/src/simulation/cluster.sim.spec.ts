import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFinal, type Event } from '@posthorn/models';
import { withSeed } from '@posthorn/testing';
import { openCluster, type Cluster, type Member } from './simulated-cluster.harness.ts';
import {
  changeEndpoint,
  createWorld,
  endpointId,
  newEvent,
  setState,
  type World,
} from './simulated-life.harness.ts';

// On a busy machine the simulated minutes take real ones.
jest.setTimeout(120_000);

/**
 * Two or three dispatchers over one partitioned log and shared stores: random events × rebalances × stops and starts × kills ×
 * freezes for longer than a lease × stores that are slow or away × clocks that differ × receivers that fail, hang and recover × limits that change. Three
 * of the four endpoints want order by key, one has a single place, and one a rate limit. The receivers watch that nobody sends without
 * the lease, nor out of order, nor more than the limits allow.
 */

const numbers = [1, 2, 3, 4];
const endpoints = numbers.map(endpointId);
const [, second = '', third = '', fourth = ''] = endpoints;
const rateLimit = { perSecond: 20, burst: 4 };
const partitions = 5;
const storeCalls = ['record', 'claimDue', 'claim', 'findRecorded', 'releaseClaims', 'waitingLanes', 'renew'];

interface Trouble {
  /** Kills and freezes: what was under way may be repeated. */
  readonly violent: boolean;
  readonly weather: boolean;
}

interface Story {
  readonly accepted: Event[];
  readonly succeeded: Set<string>;
}

async function live(world: World, cluster: Cluster, trouble: Trouble): Promise<Story> {
  const { random, clock } = world;
  const story: Story = { accepted: [], succeeded: new Set() };
  const moods = new Map<string, ReturnType<World['behaviour']>>();
  const frozen = new Set<Member>();
  world.behaviour = (id) => {
    const mood = moods.get(id) ?? 'succeed';
    return mood === 'fail' && random.chance(0.3) ? 'succeed' : mood;
  };
  const running = (): Member[] => [...cluster.members].filter((member) => !frozen.has(member));
  const thaw = (member: Member): void => {
    frozen.delete(member);
    cluster.thaw(member);
  };
  await Promise.all([cluster.start(), cluster.start()].map((start) => alongside(clock, start)));

  for (let step = 0; step < 35; step += 1) {
    const dice = random.number();
    if (dice < 0.45) {
      for (let n = random.integer(1, 10); n > 0; n -= 1) {
        const orderingKey = random.chance(0.7) ? random.pick(['a', 'b', 'c', 'd']) : null;
        const event = { ...newEvent(world), orderingKey };
        cluster.log.append(event);
        story.accepted.push(event);
        // A producer that got no answer writes again.
        if (random.chance(0.05)) cluster.log.append(event);
      }
    } else if (dice < 0.55) {
      moods.set(random.pick(endpoints), random.pick(['succeed', 'fail', 'hang']));
    } else if (dice < 0.57) {
      changeEndpoint(world, second, { maxInFlight: random.pick([2, 5, 9]) });
    } else if (dice < 0.6) {
      setState(world, random.pick(endpoints), random.pick(['paused', 'enabled'] as const));
    } else if (dice < 0.7) {
      cluster.log.rebalance();
    } else if (dice < 0.75 && cluster.members.size < 3) {
      await alongside(clock, cluster.start());
    } else if (dice < 0.8 && running().length > 1) {
      // While outcomes can't be written, a stop waits for that.
      cluster.weather.away.clear();
      await alongside(clock, cluster.stop(random.pick(running())));
    } else if (dice < 0.85 && trouble.violent && running().length > 1) {
      cluster.kill(random.pick(running()));
    } else if (dice < 0.9 && trouble.violent && running().length > 1) {
      const member = random.pick(running());
      frozen.add(member);
      cluster.freeze(member);
    } else if (dice < 0.95 && frozen.size > 0) {
      thaw(random.pick([...frozen]));
    } else if (trouble.weather) {
      if (random.chance(0.5)) cluster.weather.away.clear();
      else cluster.weather.away.add(random.pick(storeCalls));
      cluster.weather.slowMs = random.pick([0, 0, 30, 300]);
    }
    await clock.advanceAsync(random.integer(0, 900));
    expectNoSuccessTurnedBack(cluster, story);
  }
  cluster.weather.away.clear();
  cluster.weather.slowMs = 0;
  for (const member of [...frozen]) thaw(member);
  for (const id of endpoints) {
    moods.set(id, 'succeed');
    setState(world, id, 'enabled');
  }
  // What was left, or missed, is found within a minute and a half; a breaker that is open by then waits for less than a minute.
  await clock.advanceAsync(150_000);
  return story;
}

/** Lets time pass until something that needs it has ended. */
async function alongside<T>(clock: World['clock'], work: Promise<T>): Promise<T> {
  let ended = false;
  void work.finally(() => {
    ended = true;
  });
  while (!ended) await clock.advanceAsync(50);
  return work;
}

function expectNoSuccessTurnedBack(cluster: Cluster, story: Story): void {
  for (const [id, state] of cluster.states()) {
    if (state === 'succeeded') story.succeeded.add(id);
    else if (story.succeeded.has(id)) throw new Error(`a success was turned back to ${state}`);
  }
}

async function expectGoodEnd(world: World, cluster: Cluster, story: Story, trouble: Trouble): Promise<void> {
  const received = new Map<string, number>();
  for (const { eventId, endpointId: to, succeeded } of world.requests) {
    if (succeeded) received.set(`${eventId} ${to}`, (received.get(`${eventId} ${to}`) ?? 0) + 1);
  }
  expect(cluster.violations).toEqual([]);
  // While leases can't be renewed, what their owners left under way stands beside the next owners'.
  if (!trouble.weather) expect(cluster.takePeak(third)).toBeLessThanOrEqual(1);
  expectWithinRate(cluster.starts.flatMap(({ endpointId: to, at }) => (to === fourth ? [at] : [])));
  for (const event of story.accepted) {
    for (const to of endpoints) {
      const found = await cluster.deliveries.get(world.organisationId, cluster.deliveryId(event, to));
      if (found === null) throw new Error(`no delivery of ${event.id} to ${to} is on record`);
      const { delivery } = found;
      if (!isFinal(delivery.state)) throw new Error(`it has not ended: ${JSON.stringify(delivery)}`);
      const times = received.get(`${event.id} ${to}`) ?? 0;
      if (delivery.state === 'succeeded') expect(times).toBeGreaterThanOrEqual(1);
      if (!trouble.violent && times > 1) throw new Error(`${event.id} was delivered ${times} times to ${to}`);
    }
  }
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  expect(await cluster.deliveries.waitingLanes(all)).toEqual([]);
  for (const partition of all) {
    const { next } = await cluster.leases.find(partition);
    expect(next).toBe((cluster.log.partitions[partition]?.length ?? 0) + 1);
  }
}

/** In no stretch of time did more attempts begin than the limit allows for it. */
function expectWithinRate(times: readonly number[]): void {
  let worst = -Infinity;
  for (const [from, first] of times.entries()) {
    for (const [after, last] of times.slice(from).entries()) {
      worst = Math.max(worst, after + 1 - (rateLimit.burst + (rateLimit.perSecond * (last - first)) / 1000));
    }
  }
  expect(worst).toBeLessThanOrEqual(1e-6);
}

async function expectPromisesKept(trouble: Trouble): Promise<void> {
  await withSeed(async (random) => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-cluster-'));
    const world = createWorld(random, numbers);
    for (const id of endpoints.slice(1)) changeEndpoint(world, id, { ordering: 'key' });
    changeEndpoint(world, third, { maxInFlight: 1 });
    changeEndpoint(world, fourth, { rateLimit });
    const cluster = openCluster(world, directory, partitions);
    try {
      const story = await live(world, cluster, trouble);
      await expectGoodEnd(world, cluster, story, trouble);
    } finally {
      await cluster.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

describe('several dispatchers, simulated', () => {
  it.each([1, 2])(
    'lose nothing and repeat nothing while partitions move and processes come and go (story %#)',
    async () => {
      await expectPromisesKept({ violent: false, weather: false });
    },
  );

  it.each([1, 2, 3])(
    'lose nothing and overwrite nothing when they are killed, or frozen for longer than a lease (story %#)',
    async () => {
      await expectPromisesKept({ violent: true, weather: false });
    },
  );

  it.each([1, 2, 3])(
    'lose nothing and overwrite nothing while stores are slow or away as well (story %#)',
    async () => {
      await expectPromisesKept({ violent: true, weather: true });
    },
  );
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1, erasureFromMessage } from '@posthorn/contracts';
import type { Erasure, Event } from '@posthorn/models';
import { withSeed } from '@posthorn/testing';
import { openCluster, type Cluster, type Member } from './simulated-cluster.harness.ts';
import { clientsOf, createWorld, endpointId, keyOf, newEvent, type World } from './simulated-life.harness.ts';

// On a busy machine the simulated minutes take real ones.
jest.setTimeout(600_000);

/**
 * Three dispatchers that share their stores: random events × erasures by event and by subject × freezes for longer than the eraser waits ×
 * stores that are slow or away × receivers that fail and hang. Every answer names its event. Nobody is killed: a process that dies
 * right after a write that took too long is where the guarantee stops (unerased-record.ts).
 */

const endpoints = [1, 2].map(endpointId);
const subjects = ['a', 'b', 'c'];
const storeCalls = ['record', 'claim', 'tombstonesAfter', 'erase', 'renew'];

interface Asked {
  readonly erasure: Erasure;
  /** Null: one event. */
  readonly subject: string | null;
}

interface Story {
  readonly accepted: Event[];
  readonly asked: Asked[];
}

async function live(world: World, cluster: Cluster): Promise<Story> {
  const { random, clock } = world;
  const story: Story = { accepted: [], asked: [] };
  const frozen = new Set<Member>();
  const running = (): Member[] => [...cluster.members].filter((member) => !frozen.has(member));
  world.behaviour = () => random.pick(['succeed', 'succeed', 'fail', 'hang']);
  for (const start of [cluster.start(), cluster.start(), cluster.start()]) {
    await clock.advanceAsync(5000);
    await start;
  }
  for (let step = 0; step < 40; step += 1) {
    const dice = random.number();
    if (dice < 0.4) {
      for (let n = random.integer(1, 6); n > 0; n -= 1) {
        const event = { ...newEvent(world), subject: random.pick(subjects) };
        cluster.log.append(event);
        story.accepted.push(event);
      }
    } else if (dice < 0.6 && story.accepted.length > 0) {
      ask(world, random.pick(running()), story);
    } else if (dice < 0.75 && running().length > 1) {
      const member = random.pick(running());
      frozen.add(member);
      cluster.freeze(member);
    } else if (dice < 0.85 && frozen.size > 0) {
      const member = random.pick([...frozen]);
      frozen.delete(member);
      cluster.thaw(member);
    } else {
      if (random.chance(0.5)) cluster.weather.away.clear();
      else cluster.weather.away.add(random.pick(storeCalls));
      cluster.weather.slowMs = random.pick([0, 30, 300, 3000]);
    }
    await clock.advanceAsync(random.pick([10, 300, 900, 4000]));
  }
  cluster.weather.away.clear();
  cluster.weather.slowMs = 0;
  for (const member of frozen) cluster.thaw(member);
  world.behaviour = () => 'succeed';
  await clock.advanceAsync(150_000);
  return story;
}

/** Asks for the erasure of an event or of a subject; one that is refused may be carried out all the same. */
function ask(world: World, member: Member, { accepted, asked }: Story): void {
  const { random, organisationId } = world;
  const subject = random.chance(0.3) ? random.pick(subjects) : null;
  const target = subject === null ? { eventId: random.pick(accepted).id } : { subject };
  const request = dispatchV1.CreateErasureRequest.create({ organisationId, ...target });
  void clientsOf(world, member)
    .erasures.createErasure(request, keyOf(organisationId))
    .then(({ erasure }) => {
      if (erasure !== undefined) asked.push({ erasure: erasureFromMessage(erasure), subject });
    })
    .catch(() => undefined);
}

function isErased(event: Event, { asked }: Story): boolean {
  return asked.some(({ erasure: { target, createdAt }, subject }) =>
    target.kind === 'event'
      ? target.eventId === event.id
      : event.subject === subject && event.acceptedAt <= createdAt,
  );
}

async function expectErased(world: World, cluster: Cluster, story: Story): Promise<void> {
  const { organisationId } = world;
  const [member] = cluster.members;
  if (member === undefined) throw new Error('nobody is left');
  const { erasures } = clientsOf(world, member);
  for (const { erasure } of story.asked) {
    const read = erasures.getErasure({ organisationId, id: erasure.id }, keyOf(organisationId));
    await world.clock.advanceAsync(1000);
    const { erasure: now } = await read;
    expect(now?.state).toBe(dispatchV1.ErasureState.ERASURE_STATE_SUCCEEDED);
  }
  for (const event of story.accepted.filter((one) => isErased(one, story))) {
    expect(await cluster.events.get(organisationId, event.id)).toBeNull();
    for (const to of endpoints) {
      const deliveryId = cluster.deliveryId(event, to);
      const page = { limit: 100, cursor: '' };
      const { items } = await cluster.deliveries.listAttempts({ organisationId, deliveryId }, page);
      expect(items.map(({ response }) => response)).toEqual(items.map(() => null));
    }
  }
}

it.each([1, 2, 3])(
  'several dispatchers leave nothing of what was erased while some were frozen and stores slow or away (story %#)',
  async () => {
    await withSeed(async (random) => {
      const directory = mkdtempSync(join(tmpdir(), 'posthorn-erasures-'));
      const world = createWorld(random, [1, 2]);
      const cluster = openCluster(world, directory, 4, { clocksDifferByMs: 0 });
      try {
        await expectErased(world, cluster, await live(world, cluster));
      } finally {
        await cluster.close();
        rmSync(directory, { recursive: true, force: true });
      }
    });
  },
);

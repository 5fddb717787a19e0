import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1, replayFromMessage } from '@posthorn/contracts';
import { deliveryIdOf, type Event, type Replay } from '@posthorn/models';
import { withSeed, type SeededRandom } from '@posthorn/testing';
import { exhaustedEvents } from '../troubles/exhausted-deliveries.harness.ts';
import {
  changeEndpoint,
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  startLife,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

/** Replays × crashes × receivers that fail and hang × pauses × what is published meanwhile, on a clock that the test moves. */

const numbers = [1, 2];
const endpoints = numbers.map(endpointId);
const missed = 30;

interface Story {
  readonly world: World;
  readonly missedEvents: readonly Event[];
  readonly fresh: readonly Event[];
  readonly replay: Replay;
  readonly life: Life;
  readonly crashes: number;
}

async function pass(world: World, ms: number): Promise<void> {
  await world.clock.advanceAsync(ms);
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

async function readReplay(world: World, life: Life, id: string): Promise<Replay> {
  const { organisationId } = world;
  const { replay } = await clientsOf(world, life).replays.getReplay(
    { organisationId, id },
    keyOf(organisationId),
  );
  if (replay === undefined) throw new Error('no replay was answered');
  return replayFromMessage(replay);
}

async function live(world: World, directory: string, buried: Life[]): Promise<Story> {
  const { random, organisationId } = world;
  let crashes = 0;
  let life = await startLife(world, join(directory, 'life-0'));
  changeEndpoint(world, endpoints[0] ?? '', { ordering: 'key' });
  const settle = () => pass(world, 1000);
  const missedEvents = await exhaustedEvents({ world, life, settle }, missed, { orderingKey: 'key' });

  const call = clientsOf(world, life).replays.createReplay(
    dispatchV1.CreateReplayRequest.create({
      organisationId,
      selection: dispatchV1.ReplaySelection.create({ since: new Date(0) }),
      perSecond: random.chance(0.5) ? random.integer(5, 40) : undefined,
    }),
    keyOf(organisationId),
  );
  await pass(world, 0);
  const { replay: made } = await call;
  if (made === undefined) throw new Error('no replay was answered');

  const fresh: Event[] = [];
  for (let step = 0; step < 20; step += 1) {
    const dice = random.number();
    if (dice < 0.3) {
      crashes += 1;
      const where = life.crash(join(directory, `life-${crashes}`));
      buried.push(life);
      life = await startLife(world, where);
    } else if (dice < 0.5) {
      const event = newEvent(world);
      await life.log.append(event).then(() => fresh.push(event));
    } else if (dice < 0.6) {
      // Nothing else is held for long, or what is replayed to all would pass over it.
      const id = random.pick(endpoints);
      world.behaviour = (asked) => (asked === id && random.chance(0.3) ? 'hang' : 'succeed');
    }
    await pass(world, random.integer(0, 600));
  }
  world.behaviour = () => 'succeed';
  for (const id of endpoints) setState(world, id, 'enabled');
  let replay = await readReplay(world, life, made.id);
  for (let tries = 0; tries < 400 && replay.finishedAt === null; tries += 1) {
    await pass(world, 500);
    replay = await readReplay(world, life, made.id);
  }
  // The longest that a breaker can have come to wait for, and more.
  for (let passed = 0; passed < 70_000; passed += 5000) await pass(world, 5000);
  return { world, missedEvents, fresh, replay, life, crashes };
}

/** What isn't as it should be: a delivery that was selected without its attempt, or books that don't say so. */
async function problemsOf(story: Story): Promise<readonly string[]> {
  const { world, missedEvents, fresh, replay, life, crashes } = story;
  const { organisationId } = world;
  const problems: string[] = [];
  const total = missed * endpoints.length;
  const { done, skipped, remaining } = replay.progress;
  const isCounted = replay.progress.total === total && remaining === 0 && done + skipped <= total;
  if (replay.state !== 'succeeded' || !isCounted || (crashes === 0 && done !== total)) {
    problems.push(`after ${crashes} crashes it is ${JSON.stringify(replay)}`);
  }
  for (const event of [...missedEvents, ...fresh]) {
    for (const id of endpoints) {
      const source = { acceptedAt: event.acceptedAt, organisationId, eventId: event.id, endpointId: id };
      const deliveryId = deliveryIdOf(source);
      const found = await life.deliveries.get(organisationId, deliveryId);
      const { items } = await life.deliveries.listAttempts(
        { organisationId, deliveryId },
        { limit: 50, cursor: '' },
      );
      const isDone = missedEvents.includes(event)
        ? items.some(({ trigger }) => trigger === 'replay')
        : found?.delivery.state === 'succeeded';
      if (!isDone) problems.push(`not sent: ${JSON.stringify(found?.delivery)}`);
    }
  }
  const waiting = await life.deliveries.waitingLanes([0]);
  if (waiting.length > 0) problems.push(`left waiting: ${JSON.stringify(waiting)}`);
  return problems;
}

describe('a replay, simulated', () => {
  it.each([1, 2, 3, 4])(
    'attempts everything that was selected, through crashes, and counts it (story %#)',
    async () => {
      await withSeed(async (random: SeededRandom) => {
        const directory = mkdtempSync(join(tmpdir(), 'posthorn-replay-sim-'));
        const buried: Life[] = [];
        try {
          const world = createWorld(random, numbers);
          const story = await live(world, directory, buried);
          buried.push(story.life);
          expect(await problemsOf(story)).toEqual([]);
        } finally {
          await Promise.all(buried.map((one) => one.bury()));
          rmSync(directory, { recursive: true, force: true });
        }
      });
    },
    60_000,
  );
});

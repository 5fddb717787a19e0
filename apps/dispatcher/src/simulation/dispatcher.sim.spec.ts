import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliveryIdOf, isFinal, type Event } from '@posthorn/models';
import { withSeed } from '@posthorn/testing';
import {
  createWorld,
  endpointId,
  newEvent,
  setState,
  startLife,
  type Life,
  type World,
} from './simulated-life.harness.ts';

/** Random events × crashes × receivers that fail, hang and recover × pauses, on a clock that the test moves. */

const numbers = [1, 2, 3, 4];
const endpoints = numbers.map(endpointId);

interface Run {
  readonly accepted: Event[];
  readonly crashes: number;
  readonly life: Life;
  readonly buried: Life[];
}

/** A random story; at its end everybody is well again and time enough has passed for what is waiting. */
async function live(world: World, directory: string): Promise<Run> {
  const { random, clock } = world;
  const accepted: Event[] = [];
  const buried: Life[] = [];
  let crashes = 0;
  let where = join(directory, 'life-0');
  let life = await startLife(world, where);

  const moods = new Map<string, ReturnType<World['behaviour']>>();
  world.behaviour = (id) => {
    const mood = moods.get(id) ?? 'succeed';
    return mood === 'fail' && random.chance(0.2) ? 'succeed' : mood;
  };
  for (let step = 0; step < 40; step += 1) {
    const dice = random.number();
    if (dice < 0.55) {
      const events = Array.from({ length: random.integer(1, 12) }, () => newEvent(world));
      const appended = events.map((event) => life.log.append(event).then(() => accepted.push(event)));
      await Promise.all(appended);
    } else if (dice < 0.7) {
      moods.set(random.pick(endpoints), random.pick(['succeed', 'fail', 'hang']));
    } else if (dice < 0.8) {
      setState(world, random.pick(endpoints), random.pick(['paused', 'enabled'] as const));
    } else if (dice < 0.88) {
      crashes += 1;
      where = life.crash(join(directory, `life-${crashes}`));
      buried.push(life);
      life = await startLife(world, where);
    }
    await clock.advanceAsync(random.integer(0, 700));
  }
  for (const id of endpoints) {
    moods.set(id, 'succeed');
    setState(world, id, 'enabled');
  }
  // The longest that a breaker can have come to wait for, and more.
  await clock.advanceAsync(70_000);
  return { accepted, crashes, life, buried };
}

async function inTemporaryDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-sim-'));
  try {
    await test(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('the dispatcher, simulated', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'loses nothing, repeats only after a crash, and ends every delivery (story %#)',
    async () => {
      await withSeed((random) =>
        inTemporaryDirectory(async (directory) => {
          const world = createWorld(random, numbers);
          const { accepted, crashes, life, buried } = await live(world, directory);

          const successes = new Map<string, number>();
          for (const { eventId, endpointId: id, succeeded } of world.requests) {
            if (succeeded) successes.set(`${eventId} ${id}`, (successes.get(`${eventId} ${id}`) ?? 0) + 1);
          }
          let repeated = 0;
          for (const event of accepted) {
            for (const id of endpoints) {
              const deliveryId = deliveryIdOf({
                acceptedAt: event.acceptedAt,
                organisationId: world.organisationId,
                eventId: event.id,
                endpointId: id,
              });
              const found = await life.deliveries.get(world.organisationId, deliveryId);
              if (found === null) throw new Error(`no delivery of ${event.id} to ${id} is on record`);
              const { delivery } = found;
              if (!isFinal(delivery.state)) throw new Error(`it has not ended: ${JSON.stringify(delivery)}`);
              const received = successes.get(`${event.id} ${id}`) ?? 0;
              if (delivery.state === 'succeeded') expect(received).toBeGreaterThanOrEqual(1);
              // What the receiver confirmed just before a crash may be on record as a failure of the attempt after it.
              else if (crashes === 0) expect(received).toBe(0);
              expect(delivery.attempts).toBeGreaterThanOrEqual(1);
              repeated += Math.max(0, received - 1);
            }
          }
          if (crashes === 0) expect(repeated).toBe(0);
          // At most what was in the lanes and under way at each crash.
          expect(repeated).toBeLessThanOrEqual(crashes * 36);
          expect(await life.deliveries.waitingLanes([0])).toEqual([]);
          await Promise.all([...buried, life].map((one) => one.bury()));
        }),
      );
    },
  );

  it('repeats nothing when it is stopped and started again', async () => {
    await withSeed((random) =>
      inTemporaryDirectory(async (directory) => {
        const world = createWorld(random, numbers);
        const accepted: Event[] = [];
        let life = await startLife(world, join(directory, 'life'));
        for (let round = 0; round < 4; round += 1) {
          for (let index = 0; index < 30; index += 1) {
            const event = newEvent(world);
            await life.log.append(event);
            accepted.push(event);
            if (random.chance(0.3)) await world.clock.advanceAsync(random.integer(0, 100));
          }
          const stopping = life.dispatcher.stop(new AbortController().signal);
          await world.clock.advanceAsync(2000);
          await stopping;
          await life.bury();
          life = await startLife(world, join(directory, 'life'));
        }
        await world.clock.advanceAsync(20_000);
        expect(world.requests.length).toBe(accepted.length * endpoints.length);
        await life.bury();
      }),
    );
  });
});

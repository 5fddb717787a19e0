import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deliveryIdOf, newId, plainEvent, type Event } from '@posthorn/models';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { endpointId, simulatedEndpoint, startLife, type Life, type World } from './simulated-life.harness.ts';

const hourMs = 3_600_000;
const organisationId = '01900000-0000-4000-8000-00000000bbbb';

let world: World;
let life: Life;
let directory: string;

beforeEach(async () => {
  world = {
    clock: new FakeClock(),
    random: createSeededRandom(1),
    organisationId,
    endpoints: new Map(),
    behaviour: () => 'fail',
    requests: [],
    revision: 1n,
  };
  world.endpoints.set(endpointId(1), simulatedEndpoint(world, 1));
  directory = mkdtempSync(join(tmpdir(), 'posthorn-clock-'));
  life = await startLife(world, directory);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

async function publish(deliverAt: Date | null = null): Promise<Event> {
  const { clock, random } = world;
  const now = new Date(clock.now());
  const event = plainEvent({
    id: newId(clock.now(), (count) => random.bytes(count)),
    organisationId,
    type: 'order.paid',
    payload: Buffer.from('{}'),
    deliverAt,
    acceptedAt: now,
  });
  await life.log.append(event);
  await clock.advanceAsync(900);
  return event;
}

async function deliveryOf({ acceptedAt, id: eventId }: Event) {
  const id = deliveryIdOf({ acceptedAt, organisationId, eventId, endpointId: endpointId(1) });
  const found = await life.deliveries.get(organisationId, id);
  if (found === null) throw new Error('the delivery is not on record');
  return found.delivery;
}

describe('a wall clock that jumps', () => {
  it('delays no retry when it is set back by an hour', async () => {
    const event = await publish();
    expect((await deliveryOf(event)).state).toBe('retrying');
    world.behaviour = () => 'succeed';
    world.clock.jump(-hourMs);
    await world.clock.advanceAsync(3000);
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });

  it('schedules retries as ever after it was set back, and ends them by the wall clock', async () => {
    world.clock.jump(-hourMs);
    const event = await publish();
    await world.clock.advanceAsync(12_000);
    const delivery = await deliveryOf(event);
    expect(delivery).toMatchObject({ state: 'exhausted', attempts: 4 });
    expect(delivery.finishedAt?.getTime()).toBeLessThanOrEqual(world.clock.now());
    expect(delivery.finishedAt?.getTime()).toBeGreaterThan(event.acceptedAt.getTime());
  });

  it('delays no event that is to be delivered later when it is set back, and delivers it at its time otherwise', async () => {
    world.behaviour = () => 'succeed';
    const event = await publish(new Date(world.clock.now() + 10 * 60_000));
    expect(await deliveryOf(event)).toMatchObject({ state: 'pending', attempts: 0 });
    world.clock.jump(-hourMs);
    await world.clock.advanceAsync(10 * 60_000 - 2000);
    expect(world.requests).toHaveLength(0);
    await world.clock.advanceAsync(2000);
    expect(await deliveryOf(event)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('attempts nothing twice when it goes forth by an hour and back while attempts are under way', async () => {
    world.behaviour = () => 'hang';
    const event = await publish();
    expect(world.requests).toHaveLength(1);
    world.clock.jump(hourMs);
    await world.clock.advanceAsync(1000);
    world.clock.jump(-hourMs);
    await world.clock.advanceAsync(1000);
    expect(world.requests).toHaveLength(1);
    world.behaviour = () => 'succeed';
    await world.clock.advanceAsync(8000);
    expect(world.requests).toHaveLength(2);
    expect((await deliveryOf(event)).state).toBe('succeeded');
  });
});

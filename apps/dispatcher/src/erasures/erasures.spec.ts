import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1, erasureFromMessage } from '@posthorn/contracts';
import { deliveryIdOf, type Erasure, type Event } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import {
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  setState,
  startLife,
  type DispatcherClients,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

/** Erasures through the dispatcher's services, on a whole dispatcher. */

const endpoint = endpointId(1);

let world: World;
let life: Life;
let directory: string;
let clients: DispatcherClients;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-erasures-'));
  life = await startLife(world, directory);
  clients = clientsOf(world, life);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

const caller = () => keyOf(world.organisationId);

async function publish(over: Partial<Event> = {}): Promise<Event> {
  const event = { ...newEvent(world), ...over };
  await life.log.append(event);
  await pass(0);
  return event;
}

/** Time goes on, and what the database still writes has its turns. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed <= ms; passed += 250) {
    await world.clock.advanceAsync(Math.min(250, ms));
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
}

async function erase(over: Partial<dispatchV1.CreateErasureRequest>): Promise<Erasure> {
  const { organisationId } = world;
  const request = dispatchV1.CreateErasureRequest.create({ organisationId, ...over });
  const { erasure: created } = await clients.erasures.createErasure(request, caller());
  for (let tries = 0; tries < 200; tries++) {
    const { erasure } = await clients.erasures.getErasure(
      { organisationId, id: created?.id ?? '' },
      caller(),
    );
    if (erasure?.finishedAt !== undefined) return erasureFromMessage(erasure);
    await pass(250);
  }
  throw new Error('it has not ended');
}

async function recordOf(event: Event) {
  const { organisationId } = world;
  const id = deliveryIdOf({ ...event, organisationId, eventId: event.id, endpointId: endpoint });
  return life.deliveries.get(organisationId, id);
}

const requestsOf = (event: Event): number =>
  world.requests.filter(({ eventId }) => eventId === event.id).length;

describe('an erasure', () => {
  it('of an event removes it, and nothing of it is sent any more', async () => {
    world.behaviour = () => 'fail';
    const [event, other] = [await publish(), await publish()];
    await pass(600);
    const sent = requestsOf(event);
    expect(sent).toBeGreaterThan(0);
    const erasure = await erase({ eventId: event.id });

    expect(erasure).toMatchObject({
      state: 'succeeded',
      target: { kind: 'event', eventId: event.id },
      progress: { events: 1, deliveries: 1 },
      createdBy: caller().principal.id,
    });
    await pass(20_000);
    expect(requestsOf(event)).toBe(sent);
    expect(requestsOf(other)).toBeGreaterThan(sent);
    expect((await recordOf(event))?.delivery).toMatchObject({ state: 'cancelled', reason: 'erased' });
    expect(await life.events.get(world.organisationId, event.id)).toBeNull();
    expect(await life.events.get(world.organisationId, other.id)).not.toBeNull();
  });

  it('of a subject removes what was accepted until then, and keeps what comes later', async () => {
    const before = await publish({ subject: 'someone' });
    const other = await publish({ subject: 'someone else' });
    await pass(1000);
    const { target, progress } = await erase({ subject: 'someone' });
    expect(JSON.stringify(target)).not.toContain('someone');
    expect(progress).toMatchObject({ examined: 2, events: 1 });
    await pass(1000);
    const after = await publish({ subject: 'someone' });
    await pass(1000);

    expect(await life.events.get(world.organisationId, before.id)).toBeNull();
    expect(await life.events.get(world.organisationId, other.id)).not.toBeNull();
    expect(await life.events.get(world.organisationId, after.id)).not.toBeNull();
    expect(requestsOf(after)).toBe(1);
  });

  it('ends what waits in memory behind a slow receiver, and what it is sent again by hand', async () => {
    world.behaviour = () => 'hang';
    const events = [];
    for (let number = 0; number < 8; number++) events.push(await publish({ subject: 'someone' }));
    await pass(0);
    const sent = world.requests.length;
    expect(sent).toBeLessThan(8);
    await erase({ subject: 'someone' });
    world.behaviour = () => 'succeed';
    await pass(30_000);

    expect(world.requests.length).toBe(sent);
    for (const event of events) {
      expect((await recordOf(event))?.delivery).toMatchObject({ state: 'cancelled', nextAttemptAt: null });
    }
  });

  it('cancels what is held for an endpoint that is disabled', async () => {
    setState(world, endpoint, 'disabled');
    const event = await publish();
    await pass(1000);
    expect((await recordOf(event))?.delivery.state).toBe('held');
    await erase({ eventId: event.id });
    expect((await recordOf(event))?.delivery).toMatchObject({ state: 'cancelled', reason: 'erased' });
  });

  it('of an event that is not there yet keeps it from being sent when it comes, with its end on record', async () => {
    const event = newEvent(world);
    await erase({ eventId: event.id });
    await life.log.append(event);
    await pass(2000);
    expect(requestsOf(event)).toBe(0);
    expect(await life.events.get(world.organisationId, event.id)).toBeNull();
    expect((await recordOf(event))?.delivery).toMatchObject({ state: 'cancelled', reason: 'erased' });
  });

  it('of a whole organisation leaves nothing of it but its own record, and is for operators', async () => {
    const event = await publish();
    await pass(2000);
    await expect(erase({ wholeOrganisation: true })).rejects.toMatchObject({ code: 'permission_denied' });
    const { organisationId } = world;
    const operator = keyOf(null);
    const request = dispatchV1.CreateErasureRequest.create({ organisationId, wholeOrganisation: true });
    await clients.erasures.createErasure(request, operator);
    await pass(5000);

    const { erasures } = await clients.erasures.listErasures(
      { organisationId, limit: 10, cursor: '' },
      operator,
    );
    expect(erasures.map(erasureFromMessage)).toEqual([
      expect.objectContaining({
        state: 'succeeded',
        target: { kind: 'organisation' },
        progress: { examined: 1, events: 1, deliveries: 1, responses: 0 },
      }),
    ]);
    expect(await recordOf(event)).toBeNull();
    expect(await life.events.organisations('', 10)).toEqual([]);
  });

  it('names exactly one thing', async () => {
    await expect(erase({})).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(erase({ eventId: 'a', subject: 'b' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('erasing a payload', () => {
  it('is done when it is answered, and is on record', async () => {
    const { organisationId } = world;
    const event = await publish();
    await pass(1000);
    await clients.erasures.erasePayload({ organisationId, id: event.id }, caller());
    expect(await life.events.get(organisationId, event.id)).toBeNull();
    await pass(1000);
    const { erasures } = await clients.erasures.listErasures(
      { organisationId, limit: 10, cursor: '' },
      caller(),
    );
    expect(erasures.map(erasureFromMessage)).toEqual([
      expect.objectContaining({ target: { kind: 'event', eventId: event.id }, state: 'succeeded' }),
    ]);
    const again = clients.erasures.erasePayload({ organisationId, id: event.id }, caller());
    again.catch(() => undefined);
    await pass(3000);
    await expect(again).rejects.toMatchObject({ code: 'not_found' });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1 } from '@posthorn/contracts';
import { deliveryIdOf, type Event } from '@posthorn/models';
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

/** What is shown of events, deliveries and attempts, and to whom. */

const [one, two] = [endpointId(1), endpointId(2)];
const { DELIVERY_STATE_HELD, DELIVERY_STATE_PENDING, DELIVERY_STATE_RETRYING, DELIVERY_STATE_SUCCEEDED } =
  dispatchV1.DeliveryState;

let world: World;
let life: Life;
let directory: string;
let clients: DispatcherClients;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1, 2]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-rpc-'));
  life = await startLife(world, directory);
  clients = clientsOf(world, life);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

const owner = () => keyOf(world.organisationId);
const everything = () => ({
  organisationId: world.organisationId,
  limit: 0,
  cursor: '',
  after: undefined,
  before: undefined,
});
const deliveryFilter = () => ({ ...everything(), states: [] });
const eventFilter = () => ({ ...everything(), labels: {} });
const idOf = ({ id: eventId, acceptedAt }: Event, to = one) =>
  deliveryIdOf({ acceptedAt, organisationId: world.organisationId, eventId, endpointId: to });

async function publish(count: number, over: Partial<Event> = {}): Promise<Event[]> {
  const published: Event[] = [];
  for (let n = 0; n < count; n += 1) {
    const event = { ...newEvent(world), ...over };
    await life.log.append(event);
    published.push(event);
    await world.clock.advanceAsync(10);
  }
  await world.clock.advanceAsync(1500);
  return published;
}

describe('a list', () => {
  it('of deliveries is newest first, page by page, each with its last attempt', async () => {
    const events = await publish(3);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await clients.deliveries.listDeliveries(
        { ...deliveryFilter(), limit: 4, cursor },
        owner(),
      );
      for (const { id, lastAttempt } of page.deliveries) {
        seen.push(id);
        expect(lastAttempt).toMatchObject({ number: 1, status: 200 });
      }
      cursor = page.nextCursor;
      if (cursor === '') break;
    }
    expect(seen).toHaveLength(6);
    expect(seen).toEqual([...seen].sort().reverse());
    expect(seen).toContain(idOf(events[2]!, two));
  });

  it('of deliveries can be of an event, an endpoint, a state, or all of these', async () => {
    setState(world, two, 'disabled');
    await world.clock.advanceAsync(600);
    const [first] = await publish(3);
    const list = async (over: Partial<dispatchV1.ListDeliveriesRequest>) =>
      (await clients.deliveries.listDeliveries({ ...deliveryFilter(), ...over }, owner())).deliveries;
    expect(await list({ eventId: first!.id })).toHaveLength(2);
    expect(await list({ endpointId: two })).toHaveLength(3);
    expect(await list({ states: [DELIVERY_STATE_HELD] })).toHaveLength(3);
    expect(
      await list({ eventId: first!.id, endpointId: one, states: [DELIVERY_STATE_SUCCEEDED] }),
    ).toMatchObject([{ id: idOf(first!) }]);
    expect(await list({ eventId: 'unknown' })).toEqual([]);
  });

  it('of attempts can be of a delivery, an event, an outcome', async () => {
    world.behaviour = (id) => (id === two ? 'fail' : 'succeed');
    const [first] = await publish(2);
    await world.clock.advanceAsync(1000);
    const list = async (over: Partial<dispatchV1.ListAttemptsRequest>) =>
      (await clients.deliveries.listAttempts({ ...everything(), ...over }, owner())).attempts;
    const failures = await list({ outcome: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_HTTP_ERROR });
    expect(failures.length).toBeGreaterThanOrEqual(4);
    expect(new Set(failures.map(({ endpointId: to }) => to))).toEqual(new Set([two]));
    expect(await list({ deliveryId: idOf(first!) })).toMatchObject([{ number: 1, status: 200 }]);
    const ofEvent = await list({ eventId: first!.id });
    expect(new Set(ofEvent.map(({ eventId }) => eventId))).toEqual(new Set([first!.id]));
    expect(await list({ eventId: 'unknown' })).toEqual([]);
  });

  it('of events can be of a type, labels, a subject, a time', async () => {
    const [paid] = await publish(1, { labels: { region: 'eu' }, subject: 'customer-1' });
    const [refunded] = await publish(1, { type: 'order.refunded' });
    const list = async (over: Partial<dispatchV1.ListEventsRequest>) =>
      (await clients.events.listEvents({ ...eventFilter(), ...over }, owner())).events.map(({ id }) => id);
    expect(await list({})).toEqual([refunded!.id, paid!.id]);
    expect(await list({ type: 'order.paid' })).toEqual([paid!.id]);
    expect(await list({ labels: { region: 'eu' } })).toEqual([paid!.id]);
    expect(await list({ labels: { region: 'us' } })).toEqual([]);
    expect(await list({ subject: 'customer-1' })).toEqual([paid!.id]);
    expect(await list({ after: paid!.acceptedAt })).toEqual([refunded!.id]);
  });

  it.each([-1, 251])('of %d is refused', async (limit) => {
    const refused = { code: 'invalid_argument', violations: [{ field: '?limit' }] };
    const { deliveries, events } = clients;
    await expect(deliveries.listDeliveries({ ...deliveryFilter(), limit }, owner())).rejects.toMatchObject(
      refused,
    );
    await expect(deliveries.listAttempts({ ...everything(), limit }, owner())).rejects.toMatchObject(refused);
    await expect(events.listEvents({ ...eventFilter(), limit }, owner())).rejects.toMatchObject(refused);
  });

  it('shows an organisation nothing of another, and is refused in its name', async () => {
    await publish(2);
    const other = keyOf('another');
    const ofOther = { organisationId: 'another' };
    const { deliveries, events } = clients;
    expect((await deliveries.listDeliveries({ ...deliveryFilter(), ...ofOther }, other)).deliveries).toEqual(
      [],
    );
    expect((await deliveries.listAttempts({ ...everything(), ...ofOther }, other)).attempts).toEqual([]);
    expect((await events.listEvents({ ...eventFilter(), ...ofOther }, other)).events).toEqual([]);
    for (const call of [
      deliveries.listDeliveries(deliveryFilter(), other),
      deliveries.listAttempts(everything(), other),
      events.listEvents(eventFilter(), other),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});

describe('a delivery', () => {
  it('that waits shows when it is due; one in hand is due now; a held or ended one has no next attempt', async () => {
    world.behaviour = (id) => (id === one ? 'fail' : 'hang');
    const [event] = await publish(1);
    const show = async (id: string) =>
      (await clients.deliveries.getDelivery({ organisationId: world.organisationId, id }, owner())).delivery!;
    await world.clock.advanceAsync(1000);
    const retrying = await show(idOf(event!));
    expect(retrying.state).toBe(DELIVERY_STATE_RETRYING);
    expect(retrying.nextAttemptAt!.getTime()).toBeGreaterThan(world.clock.now() - 400);
    expect(retrying.nextAttemptAt!.getTime()).toBeLessThan(world.clock.now() + 5000);
    const underWay = await show(idOf(event!, two));
    expect(underWay.state).toBe(DELIVERY_STATE_PENDING);
    expect(underWay.nextAttemptAt).toEqual(new Date(world.clock.now()));

    setState(world, one, 'paused');
    await world.clock.advanceAsync(600);
    const [second] = await publish(1);
    expect(await show(idOf(second!))).toMatchObject({
      state: DELIVERY_STATE_HELD,
      reason: 'endpoint_paused',
      nextAttemptAt: undefined,
    });
  });
});

describe('an event', () => {
  it('is shown with its payload as it was published, to its owner only', async () => {
    const payload = Buffer.from('{"b":1.0,"a":12345678901234567890}');
    const [event] = await publish(1, { payload });
    const request = { organisationId: world.organisationId, id: event!.id };
    const { event: shown } = await clients.events.getEvent(request, owner());
    expect(Buffer.from(shown!.data)).toEqual(payload);
    await expect(clients.events.getEvent(request, keyOf('another'))).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispatchV1 } from '@posthorn/contracts';
import { deliveryIdOf, type Event } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { sampleSecret } from '../envelope/occasion.harness.ts';
import {
  changeEndpoint,
  clientsOf,
  createWorld,
  endpointId,
  keyOf,
  newEvent,
  startLife,
  type DispatcherClients,
  type Life,
  type World,
} from '../simulation/simulated-life.harness.ts';

/** What the searches show, and what a redelivery to an endpoint that is switched off does. */

const [one, two] = [endpointId(1), endpointId(2)];
let world: World;
let life: Life;
let directory: string;
let clients: DispatcherClients;

beforeEach(async () => {
  world = createWorld(createSeededRandom(1), [1, 2]);
  directory = mkdtempSync(join(tmpdir(), 'posthorn-search-rpc-'));
  life = await startLife(world, directory);
  clients = clientsOf(world, life);
});
afterEach(async () => {
  await life.bury();
  rmSync(directory, { recursive: true, force: true });
});

const owner = () => keyOf(world.organisationId);
const stranger = keyOf('01900000-0000-4000-8000-00000000bbbb');
const deliveriesOf = (over: Partial<dispatchV1.SearchDeliveriesRequest> = {}, caller = owner()) =>
  clients.deliveries.searchDeliveries(
    dispatchV1.SearchDeliveriesRequest.fromPartial({
      organisationIds: [world.organisationId],
      limit: 100,
      ...over,
    }),
    caller,
  );
const attemptsOf = (over: Partial<dispatchV1.SearchAttemptsRequest> = {}, caller = owner()) =>
  clients.deliveries.searchAttempts(
    dispatchV1.SearchAttemptsRequest.fromPartial({
      organisationIds: [world.organisationId],
      limit: 100,
      ...over,
    }),
    caller,
  );

async function publish(over: Partial<Event> = {}): Promise<Event> {
  const event = { ...newEvent(world), ...over };
  await life.log.append(event);
  await world.clock.advanceAsync(1500);
  return event;
}

const idOf = ({ id: eventId, acceptedAt }: Event, to = one) =>
  deliveryIdOf({ acceptedAt, organisationId: world.organisationId, eventId, endpointId: to });

describe('a search', () => {
  it('shows deliveries with their last attempt, when they changed last, event and body', async () => {
    const event = await publish();
    const { items, total, hasMore } = await deliveriesOf({
      endpointIds: [one],
      includeEvent: true,
      includeBody: true,
    });

    expect([total, hasMore]).toEqual([1n, false]);
    const [{ delivery, event: shown, body }] = items as [dispatchV1.FoundDelivery];
    expect(delivery).toMatchObject({
      id: idOf(event),
      state: dispatchV1.DeliveryState.DELIVERY_STATE_SUCCEEDED,
      lastAttempt: { number: 1 },
    });
    expect(delivery?.modifiedAt?.getTime()).toBeGreaterThan(event.acceptedAt.getTime());
    expect(shown).toMatchObject({ id: event.id, data: event.payload });
    // Endpoints of the simulation want the payload alone.
    expect(Buffer.from(body ?? [])).toEqual(Buffer.from(event.payload));
  });

  it("shows the body in the endpoint's dialect, and none where the endpoint is no more", async () => {
    changeEndpoint(world, one, { dialect: 'preo', format: 'preo', signing: [] });
    world.endpoints.set(one, { ...world.endpoints.get(one)!, secrets: [sampleSecret] });
    const event = await publish({ labels: { edition_id: 'e1' } });
    world.endpoints.delete(two);
    world.revision += 1n;
    const { items } = await deliveriesOf({ includeBody: true });
    const bodies = new Map(items.map(({ delivery, body }) => [delivery?.endpointId, body]));

    expect(JSON.parse(Buffer.from(bodies.get(one) ?? []).toString())).toMatchObject({
      event: event.type,
      edition_id: 'e1',
      data: JSON.parse(Buffer.from(event.payload).toString()),
    });
    expect(bodies.get(two)).toBeUndefined();
  });

  it('shows neither event nor body unless they are asked for', async () => {
    await publish();
    const [found] = (await deliveriesOf()).items;

    expect(found).toMatchObject({ event: undefined, body: undefined });
  });

  it('answers with what fits into a message, and says that there is more', async () => {
    const payload = Buffer.from(JSON.stringify('x'.repeat(3 * 1024 * 1024)));
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push(idOf(await publish({ payload })));
    const first = await deliveriesOf({ ids, includeBody: true });
    expect([first.items.length, first.hasMore, first.total]).toEqual([2, true, 3n]);
    const known = first.items.map(({ delivery }) => delivery?.id ?? '');
    const rest = await deliveriesOf({ ids: ids.filter((id) => !known.includes(id)), includeBody: true });
    expect([rest.items.length, rest.hasMore]).toEqual([1, false]);
    expect((await deliveriesOf({ ids })).items).toHaveLength(3);
  });

  it('shows attempts each with their delivery', async () => {
    world.behaviour = (id) => (id === one ? 'fail' : 'succeed');
    const event = await publish();
    await world.clock.advanceAsync(60_000);
    const { items, total } = await attemptsOf({ endpointIds: [one], succeeded: false, includeBody: true });

    expect(total).toBe(4n);
    expect(items.map(({ attempt }) => attempt?.number)).toEqual([4, 3, 2, 1]);
    for (const { attempt, delivery } of items) {
      expect(attempt).toMatchObject({ status: 500, deliveryId: idOf(event) });
      expect(delivery?.delivery).toMatchObject({ id: idOf(event), attempts: 4 });
      expect(Buffer.from(delivery?.body ?? [])).toEqual(Buffer.from(event.payload));
    }
  });

  it('is for the own organisation only, unless who asks belongs to none', async () => {
    await publish();

    await expect(deliveriesOf({}, stranger)).rejects.toMatchObject({ code: 'not_found' });
    await expect(attemptsOf({}, stranger)).rejects.toMatchObject({ code: 'not_found' });
    await expect(deliveriesOf({ organisationIds: [] })).rejects.toMatchObject({ code: 'permission_denied' });
    await expect(attemptsOf({ organisationIds: [] })).rejects.toMatchObject({ code: 'permission_denied' });
    const operator = {
      principal: { kind: 'key', id: 'operator', organisationId: null, scopes: ['*'] },
    } as const;
    expect(
      (
        await clients.deliveries.searchDeliveries(
          dispatchV1.SearchDeliveriesRequest.fromPartial({ limit: 10 }),
          operator,
        )
      ).total,
    ).toBe(2n);
  });

  it.each([{ limit: -1 }, { limit: 1001 }, { offset: -1 }])('with %j is refused', async (page) => {
    await expect(deliveriesOf(page)).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(attemptsOf(page)).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

describe('a redelivery that is to be left out where the endpoint is disabled', () => {
  const redeliver = (id: string) =>
    clients.deliveries.retryDelivery(
      { organisationId: world.organisationId, id, skipWhenDisabled: true },
      owner(),
    );

  it('sends nothing and says so, until it is sent after all', async () => {
    const event = await publish();
    changeEndpoint(world, one, { state: 'disabled' });
    const { delivery } = await redeliver(idOf(event));
    await world.clock.advanceAsync(5000);

    expect(delivery).toMatchObject({
      state: dispatchV1.DeliveryState.DELIVERY_STATE_SUCCEEDED,
      reason: 'endpoint_disabled',
    });
    expect(world.requests.filter(({ endpointId: to }) => to === one)).toHaveLength(1);

    changeEndpoint(world, one, { state: 'enabled' });
    world.behaviour = () => 'fail';
    await redeliver(idOf(event));
    await world.clock.advanceAsync(5000);
    const found = await life.deliveries.get(world.organisationId, idOf(event));
    expect(found?.delivery).toMatchObject({ state: 'succeeded', reason: null, attempts: 2 });
  });

  it('goes out where the endpoint is enabled', async () => {
    const event = await publish();
    await redeliver(idOf(event));
    await world.clock.advanceAsync(5000);

    expect(world.requests.filter(({ endpointId: to }) => to === one)).toHaveLength(2);
  });
});

import type { QueryPlan } from '@posthorn/mongo';
import { describeDeliverySearch } from './deliveries/delivery-search.contract.ts';
import { describeDeliveryStore } from './deliveries/delivery-store.contract.ts';
import type { DeliveryRecord } from './deliveries/delivery-store.ts';
import { describeEventClaims } from './events/event-claims.contract.ts';
import { describeEventStore } from './events/event-store.contract.ts';
import {
  sampleAttempt,
  sampleDelivery,
  sampleEvent,
  sampleInsert,
  sampleTime,
  sampleUpdate,
  succeeded,
} from './deliveries/sample-deliveries.ts';
import { createMongoDispatcherStores } from './stores.mongo.ts';
import type { DispatcherStores } from './stores.ts';
import { openTemporaryMongo } from './deliveries/temporary-mongo.harness.ts';

async function openStores(): Promise<DispatcherStores & Awaited<ReturnType<typeof openTemporaryMongo>>> {
  const temporary = await openTemporaryMongo();
  return { ...(await createMongoDispatcherStores(temporary.database)), ...temporary };
}

describeDeliveryStore('MongoDB', async () => {
  const { deliveries, events, recordTestEvent, close } = await openStores();
  return { deliveries, events, recordEvent: recordTestEvent, close };
});

describeEventStore('MongoDB', async () => {
  const { deliveries, events, recordTestEvent, close } = await openStores();
  return { deliveries, events, recordEvent: recordTestEvent, close };
});

describeEventClaims('MongoDB', openStores);

describeDeliverySearch('MongoDB', async () => {
  const { deliveries, search, close } = await openStores();
  return {
    search,
    close,
    record: (delivery, attempt) =>
      deliveries.record(
        [
          attempt === null
            ? sampleInsert({ delivery, epoch: 0 })
            : sampleUpdate({ delivery, expectedClaim: '', attempt }),
        ],
        [],
      ),
  };
});

describe('the stores of the dispatcher on MongoDB', () => {
  let stores: Awaited<ReturnType<typeof openStores>>;
  beforeEach(async () => {
    stores = await openStores();
  });
  afterEach(() => stores.close());

  const page = { limit: 10, cursor: '' };
  const delivery = sampleDelivery(sampleEvent(1), 'endpoint', { nextAttemptAt: sampleTime(5) });
  const attempt = sampleAttempt(delivery);
  const lane = { organisationId: 'org', endpointId: 'endpoint' };
  const buckets = [{ partition: 0, claim: 'me', inHands: ['me'] }];
  const claimDue = (verificationOnly: boolean) => ({
    ...lane,
    buckets,
    now: sampleTime(9),
    claimedUntil: sampleTime(99),
    verificationOnly,
    limit: 10,
    maxBytes: 1000,
  });
  const settle = { ...lane, state: 'held', reason: 'endpoint_disabled', now: sampleTime(9) } as const;
  const key = { ...lane, partition: 0, key: 'a' };
  const inOrder = sampleInsert({
    delivery: sampleDelivery(sampleEvent(2)),
    order: { key: 'a', position: 2 },
  });

  /** Every index of a collection that a step's commands use. */
  async function indexesOf(run: () => Promise<unknown>): Promise<readonly string[]> {
    await stores.recordTestEvent(sampleEvent(1));
    await stores.leases.take(await stores.leases.find(0), 'me');
    await stores.deliveries.record([{ ...inOrder, delivery, order: null }, inOrder], []);
    const plans = await stores.database.explain(run);
    const unindexed = (plan: QueryPlan): boolean => plan.isUnindexed || plan.indexes.length === 0;
    expect(plans.filter(unindexed)).toEqual([]);
    const used = plans.flatMap(({ collection, indexes }) => indexes.map((index) => `${collection}.${index}`));
    return [...new Set(used)].map((name) => name.replace('dispatcher_', '')).sort();
  }

  const steps: readonly (readonly [string, () => Promise<unknown>, readonly string[]])[] = [
    ['lanes with something waiting', () => stores.deliveries.waitingLanes([0]), ['deliveries.waiting']],
    [
      'what is due of a lane',
      () => stores.deliveries.claimDue(claimDue(false)),
      ['deliveries._id_', 'deliveries.waiting', 'events._id_'],
    ],
    [
      'what asks a receiver to show itself',
      () => stores.deliveries.claimDue(claimDue(true)),
      ['deliveries.verifying'],
    ],
    [
      'what others have put into a partition',
      () => stores.deliveries.takeArrivals([0], 10),
      ['deliveries.arrived'],
    ],
    [
      'what goes home',
      () => stores.deliveries.moveWaiting({ ...lane, from: [0, 1], to: 2, limit: 10 }),
      ['deliveries._id_', 'deliveries.in_order', 'deliveries.waiting'],
    ],
    [
      'whether anything waits in order',
      async () => {
        await stores.deliveries.hasInOrder({ ...lane, partition: 0, key: null });
        await stores.deliveries.hasInOrder({ ...lane, partition: 0, key: 'a' });
      },
      ['deliveries.in_order'],
    ],
    [
      'what a former owner had claimed',
      () => stores.deliveries.releaseClaims({ partition: 0, keep: ['me'], now: sampleTime(9) }),
      ['deliveries.claimed'],
    ],
    [
      'what waits of an endpoint',
      () => stores.deliveries.settleWaiting({ ...settle, partitions: [0], limit: 10 }),
      ['deliveries._id_', 'deliveries.in_order', 'deliveries.waiting'],
    ],
    [
      'the head of a key',
      () => stores.deliveries.promote({ ...key, now: sampleTime(9), release: false }),
      ['deliveries._id_', 'deliveries.in_order'],
    ],
    [
      'the keys of a partition',
      () => stores.deliveries.promoteKeys({ partition: 0, now: sampleTime(9), after: null, limit: 10 }),
      ['deliveries._id_', 'deliveries.in_order'],
    ],
    [
      'what waits behind a blocked head',
      () => stores.deliveries.holdKey({ ...key, reason: 'order_blocked', limit: 10 }),
      ['deliveries._id_', 'deliveries.in_order'],
    ],
    [
      'a delivery whose claim stands, or no longer, and its books',
      () =>
        stores.deliveries.record(
          [{ kind: 'update', delivery, expectedClaim: 'x', order: null, claim: null, attempt }],
          [{ partition: 0, epoch: 1, next: 9 }],
        ),
      ['deliveries._id_', 'leases._id_'],
    ],
    [
      'deliveries of an organisation',
      () => stores.deliveries.listDeliveries({ organisationId: 'org' }, page),
      ['deliveries._id_'],
    ],
    [
      'deliveries of an endpoint',
      () => stores.deliveries.listDeliveries(lane, page),
      ['deliveries.by_endpoint'],
    ],
    [
      'deliveries of an event',
      () => stores.deliveries.listDeliveries({ organisationId: 'org', event: sampleEvent(1) }, page),
      ['deliveries._id_'],
    ],
    [
      'attempts of an organisation',
      () => stores.deliveries.listAttempts({ organisationId: 'org' }, page),
      ['attempts.by_time'],
    ],
    ['attempts of an endpoint', () => stores.deliveries.listAttempts(lane, page), ['attempts.by_endpoint']],
    [
      'attempts of a delivery',
      () => stores.deliveries.listAttempts({ organisationId: 'org', deliveryId: delivery.id }, page),
      ['attempts._id_'],
    ],
    [
      "an endpoint's health",
      () => stores.deliveries.health('org', 'endpoint'),
      ['attempts.by_endpoint', 'deliveries.in_order', 'deliveries.waiting', 'leases._id_'],
    ],
    [
      'what is held beyond its payload',
      async () => {
        const held = { ...sampleDelivery(sampleEvent(3)), state: 'held', nextAttemptAt: null } as const;
        await stores.deliveries.record([{ ...inOrder, delivery: held, order: null }], []);
        const before = sampleTime(1000);
        await stores.deliveries.expireHeld({
          organisationId: 'org',
          before,
          now: before,
          limit: 10,
        });
      },
      ['deliveries._id_', 'deliveries.held'],
    ],
    [
      'what is too old',
      () => stores.deliveries.sweep('org', sampleTime(1000), 10),
      ['attempts._id_', 'deliveries._id_'],
    ],
    [
      'events of an organisation',
      () => stores.events.list({ organisationId: 'org', type: 'x' }, page),
      ['events.by_time'],
    ],
    [
      'events that are too old',
      () => stores.events.sweep('org', sampleTime(9), 10),
      ['events._id_', 'events.by_time'],
    ],
    ['organisations', () => stores.events.organisations('', 10), ['events._id_']],
  ];

  it.each(steps)('finds %s by its index alone', async (_, run, expected) => {
    expect(await indexesOf(run)).toEqual(expected);
  });

  it('gives each delivery to exactly one of several who claim at once, under the claim of that one', async () => {
    const { deliveries } = stores;
    const waiting = Array.from({ length: 40 }, (_, index) =>
      sampleDelivery(sampleEvent(index), 'endpoint', { nextAttemptAt: sampleTime(index) }),
    );
    await deliveries.record(
      waiting.map((one) => ({ ...inOrder, delivery: one, order: null })),
      [],
    );
    const claims = ['a', 'b', 'c', 'd'];
    const taken = await Promise.all(
      claims.map((claim) =>
        deliveries.claimDue({
          ...claimDue(false),
          buckets: [{ partition: 0, claim, inHands: [claim] }],
          now: sampleTime(60),
          maxBytes: 1_000_000,
        }),
      ),
    );
    const ids = taken.flatMap(({ due }) => due.map((one) => one.delivery.id));
    expect(ids.length).toBeGreaterThanOrEqual(10);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [index, { due }] of taken.entries()) {
      for (const { delivery: found } of due) {
        const ended = { ...succeeded(found), nextAttemptAt: null };
        const expectedClaim = claims[index] ?? '';
        await deliveries.record(
          [{ kind: 'update', delivery: ended, expectedClaim, order: null, claim: null, attempt: null }],
          [],
        );
        expect((await deliveries.get('org', found.id))?.delivery.state).toBe('succeeded');
      }
    }
  });

  it('is the same when everything was written twice, because the first answer was lost', async () => {
    const { deliveries } = stores;
    const retrying = { ...delivery, state: 'retrying', attempts: 1, nextAttemptAt: sampleTime(30) } as const;
    const second = sampleAttempt(delivery, 2);
    const ended = {
      ...delivery,
      state: 'succeeded',
      attempts: 2,
      nextAttemptAt: null,
      finishedAt: sampleTime(9),
    } as const;
    const chain: readonly DeliveryRecord[] = [
      { ...inOrder, delivery, order: null, claim: 'me' },
      { kind: 'update', delivery: retrying, expectedClaim: 'me', order: null, claim: 'me', attempt },
      { kind: 'update', delivery: ended, expectedClaim: 'me', order: null, claim: null, attempt: second },
    ];
    for (const _ of [1, 2]) {
      await deliveries.record(chain, []);
      expect(await deliveries.get('org', delivery.id)).toEqual({ delivery: ended, lastAttempt: second });
      const { items } = await deliveries.listAttempts(lane, page);
      expect(items).toHaveLength(2);
    }
    expect(await deliveries.waitingLanes([0])).toEqual([]);
  });

  it('writes down when things go, where the database removes them, and shows nobody', async () => {
    const expiresAt = new Date(Date.UTC(2126, 0, 1));
    const until = (): Date => expiresAt;
    const expiry = { payloadUntil: until, deliveryUntil: until, taskUntil: until };
    const expiring = await createMongoDispatcherStores(stores.database, expiry);
    await expiring.recordTestEvent(sampleEvent(1));
    await expiring.deliveries.record(
      [{ ...inOrder, delivery: succeeded(delivery), order: null, attempt }],
      [],
    );
    for (const name of ['dispatcher_events', 'dispatcher_deliveries', 'dispatcher_attempts']) {
      const documents = await stores.database.open<{ _id: string }>({ name, indexes: [] });
      expect(await documents.find({}, { limit: 2 })).toEqual([expect.objectContaining({ expiresAt })]);
    }
    expect(await expiring.events.get('org', sampleEvent(1).id)).toMatchObject({ id: sampleEvent(1).id });
    expect(await expiring.events.get('org', sampleEvent(1).id)).not.toHaveProperty('expiresAt');
    expect((await expiring.deliveries.get('org', delivery.id))?.lastAttempt).toEqual(attempt);
  });

  it('claims the events of several partitions that come together in one insert', async () => {
    const inserts = async (): Promise<number> => {
      const counted =
        /operation_duration_seconds_count\{collection="dispatcher_events",operation="insertMany".*\} (\d+)/;
      return Number(counted.exec(await stores.metrics.render())?.[1] ?? 0);
    };
    const before = await inserts();
    const claims = await Promise.all(
      [0, 1, 2, 3].map((partition) =>
        stores.events.claim({
          partition,
          events: [{ position: 1, event: sampleEvent(10 + partition) }],
          mayRepeat: false,
        }),
      ),
    );
    expect(claims).toEqual([['new'], ['new'], ['new'], ['new']]);
    expect((await inserts()) - before).toBe(1);
    expect(await stores.events.placeOf('org', sampleEvent(12).id)).toEqual({ partition: 2, position: 1 });
  });

  it('reads nothing for a batch that is new', async () => {
    const event = sampleEvent(7);
    const plans = await stores.database.explain(async () => {
      await stores.events.claim({ partition: 0, events: [{ position: 1, event }], mayRepeat: false });
      const ended = succeeded(sampleDelivery(event));
      await stores.deliveries.record(
        [{ ...inOrder, delivery: ended, order: null, attempt: sampleAttempt(ended) }],
        [],
      );
    });
    expect(plans).toEqual([]);
  });
});

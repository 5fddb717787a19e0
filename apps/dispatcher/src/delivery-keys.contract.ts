import type { Delivery } from '@posthorn/models';
import type { DeliveryRecord, DeliveryStore, PromoteRequest } from './delivery-store.ts';
import { sampleDelivery, sampleEvent, sampleTime, succeeded } from './sample-deliveries.ts';

type Insert = Extract<DeliveryRecord, { kind: 'insert' }>;
const farAway = sampleTime(1_000_000);

/** What every adapter of the delivery store guarantees of deliveries that wait for each other (pipeline rule 14). */
export function describeDeliveryKeys(
  name: string,
  open: () => Promise<{ readonly deliveries: DeliveryStore; close(): Promise<void> }>,
): void {
  describe(`${name} keeps deliveries in the order of their keys: what waits`, () => {
    let subject: Awaited<ReturnType<typeof open>>;
    let store: DeliveryStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.deliveries;
    });
    afterEach(() => subject.close());

    const insert = (over: Pick<Insert, 'delivery'> & Partial<Insert>): DeliveryRecord => ({
      kind: 'insert',
      partition: 0,
      epoch: 1,
      order: null,
      claim: null,
      attempt: null,
      ...over,
    });
    /** The end of one that was claimed by `me`. */
    const end = (delivery: Delivery, order: Insert['order'] = null): Promise<void> =>
      store.record(
        [{ kind: 'update', delivery, expectedClaim: 'me', order, claim: null, attempt: null }],
        [],
      );
    const claimDue = () =>
      store.claimDue({
        verificationOnly: false,
        organisationId: 'org',
        endpointId: 'endpoint',
        buckets: [{ partition: 0, claim: 'me', inHands: ['me'] }],
        now: sampleTime(100),
        claimedUntil: sampleTime(200),
        limit: 10,
        maxBytes: 1_000_000,
      });

    const key = { organisationId: 'org', endpointId: 'endpoint', partition: 0, key: 'a' };
    const promote = (over: Partial<PromoteRequest> = {}) =>
      store.promote({ ...key, now: sampleTime(50), release: false, ...over });
    const under = (number: number, dueAt: Date | null, over: Partial<Insert> = {}): Delivery => {
      const delivery = sampleDelivery(sampleEvent(number), 'endpoint', { nextAttemptAt: dueAt });
      records.push(insert({ delivery, order: { key: 'a', position: number }, ...over }));
      return delivery;
    };
    let records: DeliveryRecord[] = [];
    const write = async (): Promise<void> => store.record(records.splice(0), []);
    beforeEach(() => {
      records = [];
    });

    it('gives out only the head, and the next one when that has ended and the next was promoted', async () => {
      const [first, second] = [under(5, sampleTime(20)), under(9, null)];
      await write();
      const { due, nextDueAt } = await claimDue();
      expect(due.map(({ delivery, order }) => [delivery.id, order])).toEqual([
        [first.id, { key: 'a', position: 5 }],
      ]);
      expect(nextDueAt).toBeNull();
      expect(await promote()).toMatchObject({ kind: 'due', deliveryId: first.id });
      const ended = { ...succeeded(first), nextAttemptAt: null };
      await end(ended);
      expect(await promote()).toEqual({ kind: 'due', deliveryId: second.id, dueAt: sampleTime(50) });
      expect((await claimDue()).due.map(({ delivery }) => delivery.id)).toEqual([second.id]);
    });

    it('promotes by position, whatever order things were written in, once, and tells when nothing waits', async () => {
      expect(await promote()).toBeNull();
      const [late, early] = [under(9, null), under(5, null)];
      under(1, null, { partition: 1 });
      under(2, null, { order: { key: 'b', position: 2 } });
      await write();
      expect(await promote()).toEqual({ kind: 'due', deliveryId: early.id, dueAt: sampleTime(50) });
      expect(await promote({ now: sampleTime(70) })).toEqual({
        kind: 'due',
        deliveryId: early.id,
        dueAt: sampleTime(50),
      });
      await store.cancel('org', early.id, sampleTime(51));
      expect(await promote()).toMatchObject({ deliveryId: late.id });
    });

    it('is blocked by a head that has ended and waits there, until that is let go', async () => {
      const [blocking, next] = [under(5, sampleTime(20)), under(9, null)];
      await write();
      await claimDue();
      const delivery: Delivery = {
        ...blocking,
        state: 'exhausted',
        nextAttemptAt: null,
        finishedAt: sampleTime(9),
      };
      const order = { key: 'a', position: 5 };
      await end(delivery, order);
      expect(await promote()).toEqual({ kind: 'blocked', deliveryId: blocking.id });
      expect(await store.holdKey({ ...key, reason: 'order_blocked', limit: 10 })).toBe(1);
      expect((await store.get('org', next.id))?.delivery).toMatchObject({
        state: 'held',
        reason: 'order_blocked',
        nextAttemptAt: null,
      });
      expect(await promote({ release: true })).toMatchObject({ kind: 'due', deliveryId: next.id });
      expect(await promote()).toMatchObject({ kind: 'due', deliveryId: next.id });
    });

    it('takes what is asked for again in its place, a blocking one included', async () => {
      const [first, second] = [under(5, sampleTime(20)), under(9, null)];
      await write();
      await claimDue();
      const ended = { ...succeeded(first), nextAttemptAt: null };
      await end(ended);
      expect(await promote()).toMatchObject({ deliveryId: second.id });
      const again = await store.claimNow({
        delivery: ended,
        partition: 0,
        epoch: 1,
        order: { key: 'a', position: 5 },
        trigger: 'replay',
        now: sampleTime(60),
        claim: 'me',
        claimedUntil: farAway,
      });
      expect(again).toMatchObject({ state: 'succeeded', trigger: 'replay', nextAttemptAt: null });
      expect(await promote()).toMatchObject({ kind: 'due', deliveryId: first.id });
    });

    it('is promoted key by key for a new owner, in steps, which learns of every key', async () => {
      under(1, null, { order: { key: 'b', position: 1 } });
      const [a, c] = [under(2, sampleTime(20)), under(3, null, { order: { key: 'c', position: 3 } })];
      under(4, null, { partition: 1 });
      await write();
      const first = await store.promoteKeys({ partition: 0, now: sampleTime(50), after: null, limit: 2 });
      expect(first.keys.map(({ key: { key }, head }) => [key, head.kind])).toEqual([
        ['a', 'due'],
        ['b', 'due'],
      ]);
      expect(first.keys[0]?.head).toMatchObject({ deliveryId: a.id, dueAt: sampleTime(20) });
      const rest = await store.promoteKeys({
        partition: 0,
        now: sampleTime(50),
        after: first.next,
        limit: 2,
      });
      expect(rest.keys.map(({ head }) => head.deliveryId)).toEqual([c.id]);
      expect(rest.next).toBeNull();
      expect((await claimDue()).due).toHaveLength(3);
    });

    it('is settled with the rest when the endpoint takes nothing any more', async () => {
      under(1, sampleTime(20));
      under(2, null);
      await write();
      const settled = await store.settleWaiting({
        organisationId: 'org',
        endpointId: 'endpoint',
        partitions: [0],
        state: 'held',
        reason: 'endpoint_disabled',
        now: sampleTime(9),
        limit: 10,
      });
      expect(settled).toBe(2);
      expect(await promote()).toBeNull();
      expect((await store.health('org', 'endpoint')).waiting).toBe(0);
    });

    it('counts among what waits', async () => {
      under(1, sampleTime(20));
      under(2, null);
      await write();
      expect((await store.health('org', 'endpoint')).waiting).toBe(2);
    });
  });
}

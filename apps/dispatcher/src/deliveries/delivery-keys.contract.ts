import type { Delivery, Event } from '@posthorn/models';
import type {
  ClaimRequest,
  DeliveryRecord,
  DeliveryStore,
  PromoteRequest,
  SettleRequest,
} from './delivery-store.ts';
import {
  sampleDelivery,
  sampleEvent,
  sampleInsert,
  sampleTime,
  sampleUpdate,
  succeeded,
  type Insert,
} from './sample-deliveries.ts';

const farAway = sampleTime(1_000_000);

/** What every adapter of the delivery store guarantees of deliveries that wait for each other (pipeline rule 14). */
export function describeDeliveryKeys(
  name: string,
  open: () => Promise<{
    readonly deliveries: DeliveryStore;
    recordEvent(event: Event): Promise<unknown>;
    close(): Promise<void>;
  }>,
): void {
  describe(`${name} keeps deliveries in the order of their keys: what waits`, () => {
    let subject: Awaited<ReturnType<typeof open>>;
    let store: DeliveryStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.deliveries;
    });
    afterEach(() => subject.close());

    /** The end of one that was claimed by `me`. */
    const end = (delivery: Delivery, order: Insert['order'] = null): Promise<void> =>
      store.record([sampleUpdate({ delivery, expectedClaim: 'me', order })], []);
    const claimDue = (over: Partial<ClaimRequest> = {}) =>
      store.claimDue({
        verificationOnly: false,
        organisationId: 'org',
        endpointId: 'endpoint',
        buckets: [{ partition: 0, claim: 'me', inHands: ['me'] }],
        now: sampleTime(100),
        claimedUntil: sampleTime(200),
        limit: 10,
        maxBytes: 1_000_000,
        ...over,
      });

    const key = { organisationId: 'org', endpointId: 'endpoint', partition: 0, key: 'a' };
    const promote = (over: Partial<PromoteRequest> = {}) =>
      store.promote({ ...key, now: sampleTime(50), release: false, ...over });
    const under = (number: number, dueAt: Date | null, over: Partial<Insert> = {}): Delivery => {
      const delivery = sampleDelivery(sampleEvent(number), 'endpoint', { nextAttemptAt: dueAt });
      records.push(sampleInsert({ delivery, order: { key: 'a', position: number }, ...over }));
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

    describe('brings along what is behind a head', () => {
      const taken = async (over: Partial<ClaimRequest> = {}) => {
        const { due, nextDueAt } = await claimDue({ followers: 10, ...over });
        expect(nextDueAt).toBeNull();
        return due.map(({ delivery: { id }, event, isBehind = false }) => ({
          id,
          isBehind,
          hasEvent: event !== null,
        }));
      };
      const one = ({ id }: Delivery, isBehind: boolean, hasEvent = false) => ({ id, isBehind, hasEvent });
      const inKeyB = (position: number): Partial<Insert> => ({ order: { key: 'b', position } });

      it('in its order, with its event, claimed and without a next attempt', async () => {
        await subject.recordEvent(sampleEvent(9));
        const [last, first, middle] = [under(11, null), under(5, sampleTime(20)), under(9, null)];
        under(7, null, { partition: 1 });
        await write();
        expect(await taken()).toEqual([one(first, false), one(middle, true, true), one(last, true)]);
        expect((await store.get('org', middle.id))?.delivery).toEqual(middle);
        await end({ ...succeeded(middle), nextAttemptAt: null });
        expect((await store.get('org', middle.id))?.delivery.state).toBe('succeeded');
        expect(await store.releaseClaims({ partition: 0, keep: [], now: sampleTime(30) })).toBe(2);
        expect((await claimDue()).due.map(({ delivery }) => delivery.id)).toEqual([first.id]);
      });

      it('up to what is in other hands, is due itself, or has ended', async () => {
        const [first, second] = [under(1, sampleTime(20)), under(2, null)];
        under(3, null, { claim: 'another' });
        under(4, null);
        const [head, behind] = [under(5, sampleTime(21), inKeyB(5)), under(6, null, inKeyB(6))];
        const ended = sampleDelivery(sampleEvent(7), 'endpoint', { nextAttemptAt: null });
        records.push(sampleInsert({ delivery: { ...succeeded(ended), nextAttemptAt: null }, ...inKeyB(7) }));
        under(8, null, inKeyB(8));
        await write();
        const heads = [one(first, false), one(head, false)];
        expect(await taken()).toEqual([...heads, one(second, true), one(behind, true)]);
      });

      it('for all heads alike, within their number and the bound on bytes, and not behind one that failed', async () => {
        for (const number of [2, 3, 5, 6]) await subject.recordEvent(sampleEvent(number));
        const [first, second, third] = [under(1, sampleTime(20)), under(2, null), under(3, null)];
        const other = under(4, sampleTime(21), inKeyB(4));
        const [fifth, sixth] = [under(5, null, inKeyB(5)), under(6, null, inKeyB(6))];
        const failed = sampleDelivery(sampleEvent(7), 'endpoint', {
          attempts: 1,
          state: 'retrying',
          nextAttemptAt: sampleTime(22),
        });
        records.push(sampleInsert({ delivery: failed, order: { key: 'c', position: 7 } }));
        under(8, null, { order: { key: 'c', position: 8 } });
        await write();
        const release = () => store.releaseClaims({ partition: 0, keep: [], now: sampleTime(30) });
        const idsTaken = async (over: Partial<ClaimRequest>): Promise<readonly string[]> => {
          const ids = (await taken(over)).map(({ id }) => id);
          await release();
          return [...ids.slice(0, 3).sort(), ...ids.slice(3).sort()];
        };
        const heads = [first, other, failed].map(({ id }) => id).sort();
        const behind = (...all: readonly Delivery[]): readonly string[] => all.map(({ id }) => id).sort();
        expect(await idsTaken({ followers: 4 })).toEqual([...heads, ...behind(second, third, fifth, sixth)]);
        // Too few for each to be worth a look.
        expect(await idsTaken({ followers: 3 })).toEqual(heads);
        const little = await idsTaken({ followers: 4, maxBytes: 1 });
        expect(little.slice(0, 3)).toEqual(heads);
        expect([second.id, fifth.id]).toContain(little[3]);
        expect(little).toHaveLength(4);
      });
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
      const paused = { ...sampleDelivery(sampleEvent(11), 'endpoint'), nextAttemptAt: null };
      const held: Delivery = { ...paused, state: 'held', reason: 'endpoint_paused' };
      records.push(sampleInsert({ delivery: held, order: { key: 'a', position: 11 } }));
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
      const hold = () => store.holdKey({ ...key, reason: 'order_blocked', limit: 10 });
      expect([await hold(), await hold()]).toEqual([2, 0]);
      for (const { id } of [next, held]) {
        expect((await store.get('org', id))?.delivery).toMatchObject({
          state: 'held',
          reason: 'order_blocked',
          nextAttemptAt: null,
        });
      }
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

    it('stays behind what blocks its key when the endpoint takes nothing for a while, not when it is no more', async () => {
      const [blocking, next] = [under(5, sampleTime(20)), under(9, null)];
      under(6, null, { order: { key: 'b', position: 6 } });
      await write();
      await claimDue();
      const exhausted = { state: 'exhausted', nextAttemptAt: null, finishedAt: sampleTime(9) } as const;
      await end({ ...blocking, ...exhausted }, { key: 'a', position: 5 });
      await store.holdKey({ ...key, reason: 'order_blocked', limit: 10 });
      const settle = (as: Pick<SettleRequest, 'state' | 'reason'>) =>
        store.settleWaiting({
          organisationId: 'org',
          endpointId: 'endpoint',
          partitions: [0],
          now: sampleTime(9),
          limit: 10,
          ...as,
        });
      expect(await settle({ state: 'held', reason: 'endpoint_disabled' })).toBe(1);
      expect(await promote()).toEqual({ kind: 'blocked', deliveryId: blocking.id });
      expect((await store.get('org', next.id))?.delivery.reason).toBe('order_blocked');
      expect(await settle({ state: 'cancelled', reason: 'endpoint_deleted' })).toBe(2);
      expect(await promote()).toBeNull();
    });

    it('counts among what waits', async () => {
      under(1, sampleTime(20));
      under(2, null);
      await write();
      expect((await store.health('org', 'endpoint')).waiting).toBe(2);
    });
  });
}

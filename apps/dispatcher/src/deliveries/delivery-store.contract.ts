import type { AttemptTrigger, Delivery } from '@posthorn/models';
import type {
  Bucket,
  DeliveryFilter,
  DeliveryOrder,
  DeliveryRecord,
  DeliveryStore,
} from './delivery-store.ts';
import { describeHeldExpiry } from './delivery-expiry.contract.ts';
import { describeDeliveryHomes } from './delivery-homes.contract.ts';
import { describeDeliveryKeys } from './delivery-keys.contract.ts';
import {
  sampleAttempt,
  sampleDelivery,
  sampleEvent,
  sampleInsert,
  sampleTime,
  sampleUpdate,
  succeeded,
} from './sample-deliveries.ts';
import type { StoresUnderTest } from './stores-under-test.harness.ts';

const farAway = sampleTime(1_000_000);

/** What every adapter of the delivery store guarantees. */
export function describeDeliveryStore(name: string, open: () => Promise<StoresUnderTest>): void {
  describe(`${name} keeps the contract of the delivery store`, () => {
    let subject: StoresUnderTest;
    let store: DeliveryStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.deliveries;
    });
    afterEach(() => subject.close());

    async function waiting(number: number, dueAt: Date, endpointId = 'endpoint', organisationId = 'org') {
      const event = sampleEvent(number, { organisationId });
      await subject.recordEvent(event);
      const delivery = sampleDelivery(event, endpointId, { nextAttemptAt: dueAt });
      await store.record([sampleInsert({ delivery })], []);
      return delivery;
    }
    const bucket = (claim = 'me', partition = 0, others: string[] = []): Bucket => ({
      partition,
      claim,
      inHands: [claim, ...others],
    });
    const claimDue = (over: Partial<Parameters<DeliveryStore['claimDue']>[0]> = {}) =>
      store.claimDue({
        verificationOnly: false,
        organisationId: 'org',
        endpointId: 'endpoint',
        buckets: [bucket()],
        now: sampleTime(100),
        claimedUntil: sampleTime(200),
        limit: 10,
        maxBytes: 1_000_000,
        ...over,
      });
    const ids = async (filter: Partial<DeliveryFilter>, limit = 50): Promise<string[]> => {
      const found: string[] = [];
      for (let cursor = ''; ;) {
        const page = await store.listDeliveries({ organisationId: 'org', ...filter }, { limit, cursor });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        found.push(...page.items.map(({ delivery }) => delivery.id));
        cursor = page.nextCursor;
        if (cursor === '') return found;
      }
    };

    describe('recording', () => {
      it('keeps a delivery with its attempt as they were written', async () => {
        const event = sampleEvent(1);
        const delivery = succeeded(sampleDelivery(event));
        const attempt = sampleAttempt(delivery);
        await store.record([sampleInsert({ delivery, attempt })], []);
        expect(await store.get('org', delivery.id)).toEqual({ delivery, lastAttempt: attempt });
      });

      it('changes nothing when a delivery on record is inserted again', async () => {
        const delivery = succeeded(sampleDelivery(sampleEvent(1)));
        await store.record([sampleInsert({ delivery, attempt: sampleAttempt(delivery) })], []);
        await store.record(
          [sampleInsert({ delivery: { ...delivery, state: 'pending', finishedAt: null } })],
          [],
        );
        expect((await store.get('org', delivery.id))?.delivery).toEqual(delivery);
      });

      it('writes an outcome only while the claim stands, and the attempt in any case', async () => {
        const delivery = sampleDelivery(sampleEvent(1), 'endpoint', { nextAttemptAt: farAway });
        await store.record([sampleInsert({ delivery, claim: 'me' })], []);
        await store.cancel('org', delivery.id, sampleTime(5));
        const after = { ...succeeded(delivery), nextAttemptAt: null };
        await store.record(
          [sampleUpdate({ delivery: after, expectedClaim: 'me', attempt: sampleAttempt(delivery) })],
          [],
        );
        const found = await store.get('org', delivery.id);
        expect(found?.delivery).toMatchObject({ state: 'cancelled', attempts: 1 });
        expect(found?.lastAttempt).toEqual(sampleAttempt(delivery));
      });

      it('tells which deliveries are on record', async () => {
        const one = sampleDelivery(sampleEvent(1));
        const two = sampleDelivery(sampleEvent(2));
        await store.record([sampleInsert({ delivery: one })], []);
        expect(await store.findRecorded([one, two])).toEqual(new Set([one.id]));
      });
    });

    describe('leaving out', () => {
      it('says of one that has ended that its endpoint was disabled, and leaves the rest of it', async () => {
        const ended = succeeded(sampleDelivery(sampleEvent(1)));
        await store.record([sampleInsert({ delivery: ended })], []);
        const expected = { ...ended, reason: 'endpoint_disabled' };

        expect(await store.leaveOut('org', ended.id)).toEqual(expected);
        expect((await store.get('org', ended.id))?.delivery).toEqual(expected);
      });

      it('leaves one that has not ended, and one of another organisation, as it is', async () => {
        const held = sampleDelivery(sampleEvent(1), 'endpoint', { state: 'held', reason: 'endpoint_paused' });
        const other = succeeded(sampleDelivery(sampleEvent(2)));
        await store.record([sampleInsert({ delivery: held }), sampleInsert({ delivery: other })], []);

        expect(await store.leaveOut('org', held.id)).toEqual(held);
        expect(await store.leaveOut('another', other.id)).toBeNull();
        expect((await store.get('org', other.id))?.delivery).toEqual(other);
        expect(await store.leaveOut('org', 'unknown')).toBeNull();
      });
    });

    describe('what waits', () => {
      it('is found lane by lane with the time of its first', async () => {
        await waiting(1, sampleTime(30), 'b');
        await waiting(2, sampleTime(20), 'b');
        await waiting(3, sampleTime(40), 'a', 'other');
        const done = succeeded(sampleDelivery(sampleEvent(4), 'c'));
        await store.record([sampleInsert({ delivery: done })], []);
        expect(await store.waitingLanes([0])).toEqual([
          { organisationId: 'other', endpointId: 'a', dueAt: sampleTime(40) },
          { organisationId: 'org', endpointId: 'b', dueAt: sampleTime(20) },
        ]);
      });

      it('is taken oldest due first, of one lane only, and not twice while the claim lasts', async () => {
        const late = await waiting(1, sampleTime(50));
        const early = await waiting(2, sampleTime(40));
        await waiting(3, sampleTime(150));
        await waiting(4, sampleTime(10), 'another');
        const first = await claimDue({ limit: 1 });
        expect(first.due.map(({ delivery }) => delivery.id)).toEqual([early.id]);
        expect(Buffer.from(first.due[0]?.event?.payload ?? []).toString()).toBe('{"n":2}');
        expect(first.nextDueAt).toEqual(sampleTime(50));
        const second = await claimDue();
        expect(second.due.map(({ delivery }) => delivery.id)).toEqual([late.id]);
        expect(second.nextDueAt).toEqual(sampleTime(150));
        expect((await claimDue()).due).toEqual([]);
        const afterTheClaim = await claimDue({
          now: sampleTime(201),
          limit: 10,
          buckets: [bucket('another')],
        });
        expect(afterTheClaim.due).toHaveLength(3);
      });

      it('is not given to whoever has it already, however long ago that was', async () => {
        await waiting(1, sampleTime(50));
        const other = await waiting(2, sampleTime(60));
        await claimDue({ limit: 1 });
        const again = await claimDue({ now: sampleTime(500) });
        expect(again.due.map(({ delivery }) => delivery.id)).toEqual([other.id]);
        expect(again.nextDueAt).toBeNull();
      });

      it('is given back when a killed predecessor had claimed it', async () => {
        const delivery = await waiting(1, sampleTime(50));
        await claimDue({ claimedUntil: farAway });
        expect(await store.releaseClaims({ partition: 0, keep: [], now: sampleTime(60) })).toBe(1);
        expect((await claimDue()).due.map(({ delivery: { id } }) => id)).toEqual([delivery.id]);
      });

      it('comes without its event when the payload is gone', async () => {
        const delivery = sampleDelivery(sampleEvent(1), 'endpoint', { nextAttemptAt: sampleTime(2) });
        await store.record([sampleInsert({ delivery })], []);
        expect((await claimDue()).due).toEqual([{ delivery, event: null, partition: 0, order: null }]);
      });

      it('stops being taken when the payloads taken are over the bound, and says that more is due', async () => {
        for (const number of [1, 2, 3]) await waiting(number, sampleTime(number));
        const taken = await claimDue({ maxBytes: 5 });
        expect(taken.due).toHaveLength(1);
        expect(taken.nextDueAt).toEqual(sampleTime(2));
      });

      it('lets what asks a receiver to show itself pass what else waits, when only that is asked for', async () => {
        for (const number of [1, 2, 3]) await waiting(number, sampleTime(number));
        expect(await claimDue({ verificationOnly: true })).toEqual({ due: [], nextDueAt: null });

        const event = sampleEvent(4, { type: 'webhook.verify' });
        await subject.recordEvent(event);
        const verification = sampleDelivery(event, 'endpoint', { nextAttemptAt: sampleTime(50) });
        await store.record([sampleInsert({ delivery: verification })], []);

        const early = await claimDue({ verificationOnly: true, now: sampleTime(49) });
        expect(early).toEqual({ due: [], nextDueAt: sampleTime(50) });
        const { due, nextDueAt } = await claimDue({ verificationOnly: true });
        expect(due.map(({ delivery }) => delivery.id)).toEqual([verification.id]);
        expect(nextDueAt).toBeNull();
        expect((await claimDue()).due).toHaveLength(3);
      });

      it('is settled in steps, what is claimed left alone', async () => {
        const [one] = [await waiting(1, sampleTime(1)), await waiting(2, sampleTime(2))];
        await claimDue({ limit: 1 });
        const settle = () =>
          store.settleWaiting({
            organisationId: 'org',
            endpointId: 'endpoint',
            partitions: [0],
            state: 'held',
            reason: 'endpoint_disabled',
            now: sampleTime(9),
            limit: 1,
          });
        expect(await settle()).toBe(1);
        expect(await settle()).toBe(0);
        expect((await store.get('org', one.id))?.delivery.state).toBe('pending');
        expect(await ids({ states: ['held'] })).toHaveLength(1);
      });
    });

    it('is settled without turning back what had ended and was to go out once more', async () => {
      const delivery = succeeded(sampleDelivery(sampleEvent(1)));
      await store.record([sampleInsert({ delivery: { ...delivery, nextAttemptAt: sampleTime(1) } })], []);
      const settled = await store.settleWaiting({
        organisationId: 'org',
        endpointId: 'endpoint',
        partitions: [0],
        state: 'cancelled',
        reason: 'endpoint_deleted',
        now: sampleTime(9),
        limit: 10,
      });
      expect(settled).toBe(1);
      expect((await store.get('org', delivery.id))?.delivery).toEqual(delivery);
      expect(await store.waitingLanes([0])).toEqual([]);
    });

    describe('with several owners, one after the other', () => {
      const pending = (number: number, over: Partial<Delivery> = {}): Delivery =>
        sampleDelivery(sampleEvent(number), 'endpoint', { nextAttemptAt: sampleTime(20), ...over });

      it('replaces what an old owner put on record and had not ended', async () => {
        const delivery = pending(1);
        await store.record([sampleInsert({ delivery, claim: 'old', epoch: 1 })], []);
        const after = { ...succeeded(delivery), nextAttemptAt: null };
        const attempt = sampleAttempt(delivery);
        await store.record([sampleInsert({ delivery: after, attempt, epoch: 2 })], []);
        expect(await store.get('org', delivery.id)).toEqual({ delivery: after, lastAttempt: attempt });
        expect(await store.waitingLanes([0])).toEqual([]);
      });

      it.each([
        ['had ended', 1, 2],
        ['a newer owner wrote', 2, 1],
        ['the same owner wrote', 1, 1],
      ])('changes nothing of what %s when it is inserted again', async (what, first, second) => {
        const delivery = what === 'had ended' ? succeeded(sampleDelivery(sampleEvent(1))) : pending(1);
        await store.record([sampleInsert({ delivery, epoch: first })], []);
        const other = pending(1, { state: 'retrying', attempts: 3, nextAttemptAt: sampleTime(99) });
        await store.record([sampleInsert({ delivery: other, epoch: second })], []);
        expect((await store.get('org', delivery.id))?.delivery).toEqual(delivery);
      });

      it('gives back what former owners had claimed, of one partition, and keeps what is to be kept', async () => {
        await store.record(
          [
            sampleInsert({ delivery: pending(1, { nextAttemptAt: farAway }), claim: 'dead' }),
            sampleInsert({ delivery: pending(2, { nextAttemptAt: farAway }), claim: 'left' }),
            sampleInsert({ delivery: pending(3, { nextAttemptAt: farAway }), claim: 'dead', partition: 1 }),
            sampleInsert({
              delivery: pending(4, { nextAttemptAt: null }),
              claim: 'dead',
              order: { key: 'a', position: 4 },
            }),
          ],
          [],
        );
        expect(await store.releaseClaims({ partition: 0, keep: ['me', 'left'], now: sampleTime(60) })).toBe(
          2,
        );
        const { due, nextDueAt } = await claimDue({
          buckets: [bucket('me', 0, ['left']), bucket('me', 1, ['dead'])],
        });
        expect(due.map(({ delivery }) => delivery.eventId)).toEqual([sampleEvent(1).id]);
        expect(nextDueAt).toBeNull();
      });

      it('lets an old owner change nothing of what was given back', async () => {
        const delivery = pending(1);
        await store.record([sampleInsert({ delivery, claim: 'old' })], []);
        await store.releaseClaims({ partition: 0, keep: [], now: sampleTime(60) });
        const after = { ...delivery, state: 'exhausted' as const, nextAttemptAt: null };
        await store.record([sampleUpdate({ delivery: after, expectedClaim: 'old' })], []);
        expect((await store.get('org', delivery.id))?.delivery).toEqual({
          ...delivery,
          nextAttemptAt: sampleTime(60),
        });
      });

      it('gives each only what belongs to its partitions', async () => {
        const [zero, one, two] = [pending(1), pending(2), pending(3)];
        await store.record(
          [
            sampleInsert({ delivery: zero, partition: 0 }),
            sampleInsert({ delivery: one, partition: 1 }),
            sampleInsert({ delivery: two, partition: 2 }),
          ],
          [],
        );
        expect(await store.waitingLanes([3])).toEqual([]);
        expect(await store.waitingLanes([0, 1, 2])).toHaveLength(1);
        const { due } = await claimDue({ buckets: [bucket('a', 0), bucket('b', 2)] });
        expect(due.map(({ delivery, partition }) => [delivery.id, partition]).sort()).toEqual(
          [
            [zero.id, 0],
            [two.id, 2],
          ].sort(),
        );
        // Each carries the claim of its own bucket.
        const after = { ...succeeded(two), nextAttemptAt: null };
        await store.record([sampleUpdate({ delivery: after, expectedClaim: 'b' })], []);
        expect((await store.get('org', two.id))?.delivery.state).toBe('succeeded');
        expect((await claimDue({ buckets: [bucket('a', 0)] })).due).toEqual([]);
        const settled = await store.settleWaiting({
          organisationId: 'org',
          endpointId: 'endpoint',
          partitions: [0, 2],
          state: 'held',
          reason: 'endpoint_disabled',
          now: sampleTime(9),
          limit: 10,
        });
        expect(settled).toBe(0);
        expect((await claimDue({ buckets: [bucket('c', 1)] })).due).toHaveLength(1);
      });
    });

    describe('on demand', () => {
      const claimNow = (
        delivery: Delivery,
        trigger: AttemptTrigger,
        order: DeliveryOrder | null = null,
      ): Promise<Delivery> =>
        store.claimNow({
          delivery,
          partition: 0,
          epoch: 1,
          order,
          trigger,
          now: sampleTime(60),
          claim: 'me',
          claimedUntil: farAway,
        });

      it('takes a delivery whatever its state, and keeps that state', async () => {
        const delivery = succeeded(sampleDelivery(sampleEvent(1)));
        await store.record([sampleInsert({ delivery })], []);
        const taken = await claimNow(delivery, 'manual');
        expect(taken).toMatchObject({ state: 'succeeded', trigger: 'manual' });
        expect((await store.waitingLanes([0]))[0]?.dueAt).toEqual(farAway);
      });

      it("leaves it to its partition's owner, due now, unless it is in someone's hands", async () => {
        const asked = (delivery: Delivery) =>
          store.claimNow({
            delivery,
            partition: 0,
            epoch: 0,
            order: null,
            trigger: 'manual',
            now: sampleTime(60),
            claim: null,
            claimedUntil: sampleTime(60),
          });
        const [ended, claimed, unknown] = [1, 2, 3].map((number) => sampleDelivery(sampleEvent(number)));
        await store.record(
          [
            sampleInsert({ delivery: succeeded(ended!) }),
            sampleInsert({ delivery: { ...claimed!, nextAttemptAt: farAway }, claim: 'another' }),
          ],
          [],
        );
        for (const delivery of [ended!, claimed!, unknown!]) await asked(delivery);
        expect((await store.get('org', claimed!.id))?.delivery.nextAttemptAt).toEqual(farAway);
        const { due } = await claimDue({ buckets: [bucket('me', 0, ['another'])] });
        expect(due.map(({ delivery }) => [delivery.id, delivery.state, delivery.trigger]).sort()).toEqual(
          [
            [ended!.id, 'succeeded', 'manual'],
            [unknown!.id, 'pending', 'manual'],
          ].sort(),
        );
      });

      it('inserts what is not on record', async () => {
        const delivery = sampleDelivery(sampleEvent(1));
        await claimNow(delivery, 'replay');
        expect((await store.get('org', delivery.id))?.delivery).toMatchObject({
          state: 'pending',
          trigger: 'replay',
        });
      });

      it("cancels what has not ended, once, and never another organisation's", async () => {
        const delivery = await waiting(1, sampleTime(1));
        expect(await store.cancel('other', delivery.id, sampleTime(2))).toBeNull();
        expect(await store.cancel('org', delivery.id, sampleTime(2))).toMatchObject({
          state: 'cancelled',
          nextAttemptAt: null,
        });
        expect(await store.cancel('org', delivery.id, sampleTime(3))).toBeNull();
        expect(await store.waitingLanes([0])).toEqual([]);
      });
    });

    describe('lists', () => {
      it('are newest first, page by page, and show one organisation only', async () => {
        const own = [];
        for (let number = 1; number <= 7; number += 1) own.push((await waiting(number, farAway)).id);
        await waiting(8, farAway, 'endpoint', 'other');
        expect(await ids({}, 3)).toEqual(own.reverse());
        expect(await store.get('other', own[0] ?? '')).toBeNull();
      });

      it('of an organisation merge its endpoints, those that are no more included, in order', async () => {
        const own: string[] = [];
        for (let number = 1; number <= 60; number += 1) {
          own.push((await waiting(number, farAway, `endpoint-${(number * 7) % 5}`)).id);
        }
        await waiting(61, farAway, 'endpoint-1', 'other');
        expect(await ids({}, 7)).toEqual(own.reverse());
        expect(await ids({ endpointId: 'endpoint-1' }, 5)).toHaveLength(12);
      });

      it('filter by endpoint, event, type, state, status class and time', async () => {
        const good = succeeded(sampleDelivery(sampleEvent(1), 'a'));
        const bad = sampleDelivery(sampleEvent(2, { type: 'order.lost' }), 'b', {
          state: 'retrying',
          attempts: 1,
          nextAttemptAt: farAway,
        });
        await store.record(
          [
            sampleInsert({ delivery: good, attempt: sampleAttempt(good) }),
            sampleInsert({
              delivery: bad,
              attempt: sampleAttempt(bad, 1, { outcome: 'http_error', status: 503 }),
            }),
          ],
          [],
        );
        expect(await ids({ endpointId: 'a' })).toEqual([good.id]);
        expect(await ids({ event: sampleEvent(2) })).toEqual([bad.id]);
        expect(await ids({ event: sampleEvent(2), endpointId: 'a' })).toEqual([]);
        expect(await ids({ eventType: 'order.lost' })).toEqual([bad.id]);
        expect(await ids({ states: ['succeeded', 'failed'] })).toEqual([good.id]);
        expect(await ids({ statusClass: 5 })).toEqual([bad.id]);
        expect(await ids({ after: sampleTime(1) })).toEqual([bad.id]);
        expect(await ids({ before: sampleTime(2) })).toEqual([good.id]);
        expect(await ids({ endpointId: 'a', organisationId: 'other' })).toEqual([]);

        const attempts = async (filter: object) =>
          (
            await store.listAttempts({ organisationId: 'org', ...filter }, { limit: 10, cursor: '' })
          ).items.map(({ deliveryId }) => deliveryId);
        expect(await attempts({})).toEqual([bad.id, good.id]);
        expect(await attempts({ deliveryId: good.id })).toEqual([good.id]);
        expect(await attempts({ event: sampleEvent(2) })).toEqual([bad.id]);
        expect(await attempts({ outcome: 'success' })).toEqual([good.id]);
        expect(await attempts({ endpointId: 'b', statusClass: 5 })).toEqual([bad.id]);
        expect(await attempts({ organisationId: 'other' })).toEqual([]);
      });

      it('find what matches far behind what does not, in pages that may end early but lead on', async () => {
        const records: DeliveryRecord[] = [];
        for (let number = 1; number <= 2500; number += 1) {
          const delivery = sampleDelivery(sampleEvent(number), 'endpoint', { state: 'failed' });
          records.push(sampleInsert({ delivery: number === 1 ? succeeded(delivery) : delivery }));
        }
        await store.record(records, []);
        expect(await ids({ states: ['succeeded'] }, 2)).toHaveLength(1);
        expect(await ids({ states: ['failed'] }, 250)).toHaveLength(2499);
      });

      it('refuse a cursor that they did not give out', async () => {
        const list = (cursor: string) =>
          store.listDeliveries({ organisationId: 'org' }, { limit: 5, cursor });
        await expect((async () => list('nonsense'))()).rejects.toMatchObject({ code: 'invalid_argument' });
      });
    });

    describe('looking back', () => {
      it('tells how an endpoint is doing from its last attempts', async () => {
        const delivery = await waiting(1, farAway);
        expect(await store.health('org', 'endpoint')).toEqual({
          consecutiveFailures: 0,
          failingSince: null,
          lastSuccessAt: null,
          waiting: 1,
          oldestWaitingAt: sampleTime(1),
        });
        const attempts = [
          sampleAttempt(delivery, 1, { startedAt: sampleTime(10) }),
          sampleAttempt(delivery, 2, { outcome: 'timeout', status: null, startedAt: sampleTime(20) }),
          sampleAttempt(delivery, 3, { outcome: 'http_error', status: 500, startedAt: sampleTime(30) }),
        ];
        for (const attempt of attempts) {
          await store.record([sampleUpdate({ delivery, expectedClaim: 'x', attempt })], []);
        }
        expect(await store.health('org', 'endpoint')).toMatchObject({
          consecutiveFailures: 2,
          failingSince: sampleTime(20),
          lastSuccessAt: sampleTime(10),
        });
        const samples = [];
        for await (const slice of store.scanAttempts({
          organisationId: 'org',
          endpointId: 'endpoint',
          after: sampleTime(15),
          before: sampleTime(30),
        })) {
          samples.push(...slice);
        }
        expect(samples).toEqual([
          { startedAt: sampleTime(20).getTime(), durationMs: 12, outcome: 'timeout' },
        ]);
      });

      it('still knows the last success of an endpoint that has failed for long', async () => {
        const delivery = await waiting(1, farAway);
        const records = Array.from({ length: 300 }, (_, index): DeliveryRecord => {
          const startedAt = sampleTime(index + 1);
          const failed = index === 0 ? {} : { outcome: 'http_error' as const, status: 500 };
          const attempt = sampleAttempt(delivery, index + 1, { startedAt, ...failed });
          return sampleUpdate({ delivery, expectedClaim: 'x', attempt });
        });
        await store.record(records, []);
        expect(await store.health('org', 'endpoint')).toMatchObject({
          consecutiveFailures: 200,
          lastSuccessAt: sampleTime(1),
        });
      });

      it('forgets what is older than a time, with its attempts, in steps', async () => {
        const records = [1, 2, 3].map((number) => {
          const delivery = succeeded(sampleDelivery(sampleEvent(number)));
          return sampleInsert({ delivery, attempt: sampleAttempt(delivery) });
        });
        await store.record(records, []);
        expect(await store.organisations('', 10)).toEqual(['org']);
        expect(await store.sweep('org', sampleTime(3), 1)).toBe(1);
        expect(await store.sweep('org', sampleTime(3), 10)).toBe(1);
        expect(await store.sweep('org', sampleTime(3), 10)).toBe(0);
        expect(await ids({})).toHaveLength(1);
        const { items } = await store.listAttempts({ organisationId: 'org' }, { limit: 10, cursor: '' });
        expect(items).toHaveLength(1);
      });
    });
  });

  describeDeliveryKeys(name, open);
  describeHeldExpiry(name, open);
  describeDeliveryHomes(name, open);
}

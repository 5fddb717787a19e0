import type { Delivery } from '@posthorn/models';
import type { Arrival, MoveRequest } from './delivery-homes.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { sampleDelivery, sampleEvent, sampleInsert, sampleTime, type Insert } from './sample-deliveries.ts';

/** What every adapter of the delivery store guarantees of deliveries that go home (pipeline rule 16). */
export function describeDeliveryHomes(
  name: string,
  open: () => Promise<{ readonly deliveries: DeliveryStore; close(): Promise<void> }>,
): void {
  describe(`${name} brings deliveries home:`, () => {
    let subject: Awaited<ReturnType<typeof open>>;
    let store: DeliveryStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.deliveries;
    });
    afterEach(() => subject.close());

    const home = 3;
    async function insert(number: number, over: Partial<Insert> & { dueAt?: Date | null } = {}) {
      const { dueAt = sampleTime(20), ...rest } = over;
      const delivery = sampleDelivery(sampleEvent(number), 'endpoint', { nextAttemptAt: dueAt });
      await store.record([sampleInsert({ delivery, partition: 1, ...rest })], []);
      return delivery;
    }
    const under = (number: number, over: Parameters<typeof insert>[1] = {}): Promise<Delivery> =>
      insert(number, { dueAt: null, order: { key: 'a', position: number }, ...over });
    const move = (over: Partial<MoveRequest> = {}): Promise<number> =>
      store.moveWaiting({
        organisationId: 'org',
        endpointId: 'endpoint',
        from: [1, 2],
        to: home,
        limit: 10,
        ...over,
      });
    const arrivals = async (partitions = [home], limit = 10): Promise<readonly Arrival[]> => {
      const told = await store.takeArrivals(partitions, limit);
      return [...told].sort((a, b) => (a.dueAt?.getTime() ?? 0) - (b.dueAt?.getTime() ?? 0));
    };
    const claimAt = (partition: number) =>
      store.claimDue({
        verificationOnly: false,
        organisationId: 'org',
        endpointId: 'endpoint',
        buckets: [{ partition, claim: `owner of ${partition}`, inHands: [`owner of ${partition}`] }],
        now: sampleTime(100),
        claimedUntil: sampleTime(200),
        limit: 10,
        maxBytes: 1_000_000,
      });
    const dueAt = async (delivery: Delivery): Promise<Date | null | undefined> =>
      (await store.get('org', delivery.id))?.delivery.nextAttemptAt;

    const free: Arrival = {
      organisationId: 'org',
      endpointId: 'endpoint',
      partition: home,
      dueAt: sampleTime(20),
      key: null,
      isScheduled: true,
    };

    it('tells the owner once of what others have put into its partitions, and of nothing that it put there itself', async () => {
      await insert(1, { partition: home });
      await insert(2, { partition: home, epoch: 0 });
      await under(3, { partition: home, epoch: 0 });
      await insert(4, { partition: 1, epoch: 0 });
      expect(await arrivals()).toEqual([{ ...free, dueAt: null, key: 'a' }, free]);
      expect(await arrivals()).toEqual([]);
      expect(await arrivals([1, 2])).toEqual([{ ...free, partition: 1 }]);
      expect(await arrivals([])).toEqual([]);
    });

    it('tells of no more than was asked for, and of the rest afterwards', async () => {
      for (let number = 1; number <= 3; number += 1) await insert(number, { partition: home, epoch: 0 });
      expect(await arrivals([home], 2)).toHaveLength(2);
      expect(await arrivals([home], 2)).toHaveLength(1);
    });

    it('does not put there again what is planned a second time', async () => {
      const delivery = await insert(1, { partition: home, epoch: 0 });
      await arrivals();
      expect((await claimAt(home)).due).toHaveLength(1);
      await insert(1, { partition: home, epoch: 0 });
      expect(await arrivals()).toEqual([]);
      expect(await dueAt(delivery)).toEqual(sampleTime(200));
    });

    it('does not replace what another partition holds, whatever the epochs', async () => {
      const delivery = await insert(1, { partition: home, epoch: 2 });
      await insert(1, { partition: 1, epoch: 9, dueAt: sampleTime(50) });
      expect(await dueAt(delivery)).toEqual(sampleTime(20));
      await insert(1, { partition: home, epoch: 3, dueAt: sampleTime(50) });
      expect(await dueAt(delivery)).toEqual(sampleTime(50));
    });

    it('moves what waits, with its time, and tells the owner there', async () => {
      const delivery = await insert(1, { partition: 1, dueAt: sampleTime(40) });
      await insert(2, { partition: 2 });
      await insert(3, { partition: 0 });
      expect(await move()).toBe(2);
      expect(await arrivals()).toEqual([free, { ...free, dueAt: sampleTime(40) }]);
      expect(await dueAt(delivery)).toEqual(sampleTime(40));
      expect((await claimAt(home)).due).toHaveLength(2);
      expect((await claimAt(0)).due).toHaveLength(1);
    });

    it('leaves alone what is claimed, what has ended, and what is of other endpoints and organisations', async () => {
      await insert(1, { claim: 'me' });
      await insert(2, { dueAt: null });
      await insert(3, {
        delivery: sampleDelivery(sampleEvent(3), 'other', { nextAttemptAt: sampleTime(1) }),
      });
      expect(await move()).toBe(0);
      expect(await move({ organisationId: 'another' })).toBe(0);
      expect(await arrivals()).toEqual([]);
    });

    it('moves no more than was asked for', async () => {
      for (let number = 1; number <= 3; number += 1) await insert(number);
      await under(4);
      expect(await move({ limit: 2 })).toBe(2);
      expect(await move({ limit: 2 })).toBe(2);
      expect(await move({ limit: 2 })).toBe(0);
    });

    it('moves a key in its order; its head keeps its time, and what moves behind others has none', async () => {
      const [first, second, third] = [
        await under(5, { dueAt: sampleTime(40) }),
        await under(7),
        await under(9),
      ];
      expect(await move({ limit: 2 })).toBe(2);
      expect(await dueAt(first)).toEqual(sampleTime(40));
      // Its former owner takes the rest for the whole, and promotes its first.
      const promoted = { organisationId: 'org', endpointId: 'endpoint', partition: 1, key: 'a' };
      await store.promote({ ...promoted, now: sampleTime(50), release: false });
      expect(await dueAt(third)).toEqual(sampleTime(50));
      expect(await move()).toBe(1);
      expect(await dueAt(third)).toBeNull();
      expect(await dueAt(second)).toBeNull();
      const { due } = await claimAt(home);
      expect(due.map(({ delivery, order }) => [delivery.id, order])).toEqual([
        [first.id, { key: 'a', position: 5 }],
      ]);
    });

    it('moves nothing of a key of which something is under way, and only the key that was asked for', async () => {
      await under(5, { claim: 'me', dueAt: sampleTime(40) });
      await under(7);
      await under(8, { order: { key: 'b', position: 8 } });
      await under(9, { order: { key: 'c', position: 9 } });
      expect(await move({ key: 'a' })).toBe(0);
      expect(await move({ key: 'c' })).toBe(1);
      expect(await move()).toBe(1);
      expect((await arrivals()).map(({ key }) => key).sort()).toEqual(['b', 'c']);
    });

    it('knows whether anything waits in order, under a key or under any', async () => {
      const line = { organisationId: 'org', endpointId: 'endpoint', partition: 1 };
      await under(5);
      await insert(6, { partition: 2 });
      expect(await store.hasInOrder({ ...line, key: 'a' })).toBe(true);
      expect(await store.hasInOrder({ ...line, key: null })).toBe(true);
      expect(await store.hasInOrder({ ...line, key: 'b' })).toBe(false);
      expect(await store.hasInOrder({ ...line, partition: 2, key: null })).toBe(false);
      expect(await store.hasInOrder({ ...line, endpointId: 'other', key: null })).toBe(false);
      expect(await store.hasInOrder({ ...line, organisationId: 'another', key: 'a' })).toBe(false);
    });

    describe('an attempt that someone asks for', () => {
      const ask = (delivery: Delivery, over: object = {}) =>
        store.claimNow({
          delivery,
          partition: home,
          epoch: 1,
          order: null,
          trigger: 'manual',
          now: sampleTime(60),
          claim: 'owner of 3',
          claimedUntil: sampleTime(200),
          ...over,
        });

      it('takes the delivery home when nobody has it', async () => {
        const delivery = await insert(1);
        await ask(delivery);
        expect((await claimAt(1)).nextDueAt).toBeNull();
        expect(await dueAt(delivery)).toEqual(sampleTime(200));
      });

      it('is refused for now while another owner has it in hands', async () => {
        const delivery = await insert(1, { claim: 'owner of 1' });
        await expect(ask(delivery)).rejects.toMatchObject({ code: 'unavailable' });
        expect(await dueAt(delivery)).toEqual(sampleTime(20));
      });

      it.each([null, { key: 'a', position: 1 }])(
        'is told to the owner when another dispatcher was asked (%j)',
        async (order) => {
          const delivery = await insert(1, { order });
          await ask(delivery, { claim: null, epoch: 0, order });
          const key = order?.key ?? null;
          expect(await arrivals()).toEqual([{ ...free, dueAt: sampleTime(60), key, isScheduled: false }]);
          const fresh = sampleDelivery(sampleEvent(2), 'endpoint');
          await ask(fresh, { claim: null, epoch: 0, order: order && { ...order, position: 2 } });
          expect(await arrivals()).toHaveLength(1);
        },
      );
    });
  });
}

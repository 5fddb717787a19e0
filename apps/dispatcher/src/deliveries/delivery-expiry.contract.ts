import type { Delivery } from '@posthorn/models';
import type { DeliveryStore } from './delivery-store.ts';
import {
  sampleDelivery,
  sampleEvent,
  sampleInsert,
  sampleTime,
  succeeded,
  type Insert,
} from './sample-deliveries.ts';
import type { StoresUnderTest } from './stores-under-test.harness.ts';

/** What every adapter of the delivery store guarantees about what is held for longer than payloads are kept. */
export function describeHeldExpiry(name: string, open: () => Promise<StoresUnderTest>): void {
  describe(`${name} cancels what is held beyond its payload`, () => {
    let subject: StoresUnderTest;
    let store: DeliveryStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.deliveries;
    });
    afterEach(() => subject.close());

    const held = { state: 'held', reason: 'endpoint_paused', nextAttemptAt: null } as const;
    const deliveryOf = (number: number, over: Partial<Delivery> = {}, organisationId = 'org'): Delivery =>
      sampleDelivery(sampleEvent(number, { organisationId }), 'endpoint', { ...held, ...over });
    const record = (delivery: Delivery, over: Partial<Insert> = {}): Promise<void> =>
      store.record([sampleInsert({ delivery, ...over })], []);
    const expire = (limit: number): Promise<number> =>
      store.expireHeld({ organisationId: 'org', before: sampleTime(20), now: sampleTime(30), limit });

    it('in steps, also what is held behind others of its key', async () => {
      const [first, second, behind] = [deliveryOf(1), deliveryOf(2), deliveryOf(3)];
      await record(first);
      await record(second);
      await record(behind, { order: { key: 'a', position: 3 } });
      expect([await expire(2), await expire(2), await expire(2)]).toEqual([2, 1, 0]);
      for (const delivery of [first, second, behind]) {
        const ends = { state: 'cancelled', reason: 'payload_expired', finishedAt: sampleTime(30) };
        expect((await store.get('org', delivery.id))?.delivery).toEqual({ ...delivery, ...ends });
      }
      const key = { organisationId: 'org', endpointId: 'endpoint', partition: 0, key: 'a' };
      expect(await store.promote({ ...key, now: sampleTime(30), release: false })).toBeNull();
    });

    it('and nothing that is younger, has ended, is in hands or asked for, or is of another organisation', async () => {
      const claimed = deliveryOf(4);
      const others = [
        deliveryOf(5, { nextAttemptAt: sampleTime(1_000_000), trigger: 'manual' }),
        deliveryOf(6, {}, 'other'),
        succeeded(deliveryOf(7)),
        deliveryOf(20),
      ];
      await record(claimed, { claim: 'somebody' });
      for (const delivery of others) await record(delivery);
      expect(await expire(10)).toBe(0);
      for (const delivery of [claimed, ...others]) {
        expect((await store.get(delivery.organisationId, delivery.id))?.delivery).toEqual(delivery);
      }
    });
  });
}

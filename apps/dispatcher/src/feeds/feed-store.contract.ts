import type { Delivery } from '@posthorn/models';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { FeedStore } from './feed-store.ts';
import { sampleDelivery, sampleEvent, sampleInsert, sampleTime } from '../deliveries/sample-deliveries.ts';

export interface FeedStoreUnderTest {
  readonly feeds: FeedStore;
  readonly deliveries: DeliveryStore;
  close(): Promise<void>;
}

/** What every adapter of the feed store guarantees. */
export function describeFeedStore(name: string, open: () => Promise<FeedStoreUnderTest>): void {
  describe(`${name} keeps the contract of the feed store`, () => {
    let subject: FeedStoreUnderTest;
    let feeds: FeedStore;
    beforeEach(async () => {
      subject = await open();
      ({ feeds } = subject);
    });
    afterEach(() => subject.close());

    const lane = { organisationId: 'org', endpointId: 'endpoint' };

    function sample(number: number, endpointId = lane.endpointId): Delivery {
      return sampleDelivery(sampleEvent(number), endpointId);
    }

    async function put(delivery: Delivery): Promise<void> {
      await subject.deliveries.record([sampleInsert({ delivery })], []);
    }

    it('has no horizon before a partition was opened, and then the earliest of all', async () => {
      expect(await feeds.horizon()).toBe(0);
      expect(await feeds.open(0, 1)).toBe(0);
      expect(await feeds.open(1, 3)).toBe(0);
      await feeds.publish([
        { partition: 0, epoch: 1, at: 500 },
        { partition: 1, epoch: 3, at: 400 },
      ]);
      expect(await feeds.horizon()).toBe(400);
    });

    it('moves a horizon under its epoch only, and never back', async () => {
      await feeds.open(0, 1);
      await feeds.publish([{ partition: 0, epoch: 1, at: 500 }]);
      await feeds.publish([{ partition: 0, epoch: 1, at: 300 }]);
      expect(await feeds.open(0, 2)).toBe(500);
      await feeds.publish([{ partition: 0, epoch: 1, at: 900 }]);
      expect(await feeds.horizon()).toBe(500);
      expect(await feeds.open(0, 1)).toBeNull();
      // The same again, as when the first answer was lost.
      expect(await feeds.open(0, 2)).toBe(500);
    });

    it('places what is late once it is on record, one after the other, and keeps the places', async () => {
      const [one, two, three] = [sample(1), sample(2), sample(3)];
      await feeds.markLate([two, three]);
      expect(await feeds.placeLate(lane)).toBe(0);
      await put(two);
      expect(await feeds.placeLate(lane)).toBe(1);
      await feeds.markLate([one, two]);
      await put(one);
      await put(three);
      expect(await feeds.placeLate(lane)).toBe(3);
      expect(await feeds.placeLate(lane)).toBe(3);
      expect(await feeds.late(lane, 0, 10)).toEqual([
        { id: two.id, place: 1 },
        { id: one.id, place: 2 },
        { id: three.id, place: 3 },
      ]);
      expect(await feeds.late(lane, 1, 1)).toEqual([{ id: one.id, place: 2 }]);
      expect(await feeds.late(lane, 3, 10)).toEqual([]);
    });

    it('gives no place twice when two read at the same time', async () => {
      const all = Array.from({ length: 12 }, (_, index) => sample(index + 1));
      await feeds.markLate(all);
      for (const one of all) await put(one);
      await Promise.all([feeds.placeLate(lane), feeds.placeLate(lane), feeds.placeLate(lane)]);
      const placed = await feeds.late(lane, 0, 100);
      expect(placed.map(({ place }) => place)).toEqual(all.map((_, index) => index + 1));
      expect(new Set(placed.map(({ id }) => id))).toEqual(new Set(all.map(({ id }) => id)));
    });

    it('keeps endpoints and organisations apart', async () => {
      const [here, there] = [sample(1), sample(1, 'another')];
      await feeds.markLate([here, there]);
      await put(here);
      await put(there);
      expect(await feeds.placeLate(lane)).toBe(1);
      expect(await feeds.placeLate({ ...lane, endpointId: 'another' })).toBe(1);
      expect(await feeds.late(lane, 0, 10)).toEqual([{ id: here.id, place: 1 }]);
      expect(await feeds.late({ ...lane, organisationId: 'other' }, 0, 10)).toEqual([]);
      expect(await feeds.placesOf('other', [here.id])).toEqual(new Map());
    });

    it('tells of deliveries whether they are late, and their places', async () => {
      const [one, two, three] = [sample(1), sample(2), sample(3)];
      await feeds.markLate([one, two]);
      await put(one);
      await feeds.placeLate(lane);
      const places = await feeds.placesOf('org', [one.id, two.id, three.id]);
      expect([...places].sort()).toEqual([
        [one.id, 1],
        [two.id, null],
      ]);
      expect(await feeds.placesOf('org', [])).toEqual(new Map());
    });

    it('forgets what is older, a few at a time', async () => {
      const all = [sample(1), sample(2), sample(3)];
      await feeds.markLate(all);
      expect(await feeds.sweep('other', sampleTime(9), 10)).toBe(0);
      expect(await feeds.sweep('org', sampleTime(3), 1)).toBe(1);
      expect(await feeds.sweep('org', sampleTime(3), 10)).toBe(1);
      const left = await feeds.placesOf(
        'org',
        all.map(({ id }) => id),
      );
      expect([...left.keys()]).toEqual([all[2]?.id]);
    });
  });
}

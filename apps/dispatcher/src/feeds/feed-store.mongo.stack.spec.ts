import { idCeiling, idFloor } from '@posthorn/models';
import { describeFeedStore } from './feed-store.contract.ts';
import { sampleDelivery, sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';
import { createMongoDispatcherStores } from '../stores.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeFeedStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  const { feeds, deliveries } = await createMongoDispatcherStores(database);
  return { feeds, deliveries, close };
});

describe('the feed store on MongoDB', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const { feeds } = await createMongoDispatcherStores(database);
    const lane = { organisationId: 'org', endpointId: 'endpoint' };
    const delivery = sampleDelivery(sampleEvent(1));
    const plans = await database.explain(async () => {
      await feeds.open(0, 1);
      await feeds.publish([{ partition: 0, epoch: 1, at: 1 }]);
      await feeds.horizon();
      await feeds.markLate([delivery]);
      await feeds.placeLate(lane);
      await feeds.late(lane, 0, 10);
      await feeds.placesOf('org', [delivery.id]);
      const [after, to] = [idFloor(sampleTime(1).getTime()), idCeiling(sampleTime(2).getTime())];
      await feeds.walkDeliveries({ ...lane, after, to, limit: 10 });
      await feeds.sweep('org', sampleTime(2), 10);
    });
    expect(plans.length).toBeGreaterThan(5);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });

  it('keeps when an event is to be delivered', async () => {
    const { database, close } = await openTemporaryMongo();
    const { events } = await createMongoDispatcherStores(database);
    const deliverAt = sampleTime(100);
    const later = [
      { position: 1, event: sampleEvent(1, { deliverAt }) },
      { position: 2, event: sampleEvent(2) },
    ];
    await events.claim({ partition: 0, mayRepeat: false, events: later });
    expect(await events.get('org', sampleEvent(1).id)).toMatchObject({ deliverAt });
    expect(await events.get('org', sampleEvent(2).id)).toMatchObject({ deliverAt: null });
    await close();
  });
});

import { describeErasureStore } from './erasure-store.contract.ts';
import { sampleEvent, sampleTime } from '../deliveries/sample-deliveries.ts';
import { eventToErase } from './eraser.ts';
import { createMongoDispatcherStores } from '../stores.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeErasureStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  const { erasures, deliveries, events, deadRecords } = await createMongoDispatcherStores(database);
  let position = 0;
  return {
    erasures,
    deliveries,
    events,
    deadRecords,
    close,
    recordEvent(event) {
      position += 1;
      return events.claim({ partition: 0, mayRepeat: false, events: [{ event, position }] });
    },
  };
});

describe('the erasure store on MongoDB', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const { erasures } = await createMongoDispatcherStores(database);
    const plans = await database.explain(async () => {
      const events = [eventToErase(sampleEvent(1))];
      await erasures.erase({ organisationId: 'org', events, now: sampleTime(1) });
      await erasures.walkSubjects('org', '', 10);
      await erasures.walkSubjects('org', 'x', 10);
      await erasures.tombstonesAfter(3, 10);
      await erasures.eraseDeadRecords('org');
    });
    expect(plans.length).toBeGreaterThan(3);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });
});

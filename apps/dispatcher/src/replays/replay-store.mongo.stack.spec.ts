import { idCeiling, idFloor } from '@posthorn/models';
import { describeReplayStore } from './replay-store.contract.ts';
import { sampleTime } from '../deliveries/sample-deliveries.ts';
import { createMongoDispatcherStores } from '../stores.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeReplayStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  const { replays, deliveries, events, recordTestEvent } = await createMongoDispatcherStores(database);
  let position = 0;
  return {
    replays,
    deliveries,
    close,
    recordTestEvent,
    recordEvent(event) {
      position += 1;
      return events.claim({ partition: 0, mayRepeat: false, events: [{ event, position }] });
    },
  };
});

describe('the replay store on MongoDB', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const { replays } = await createMongoDispatcherStores(database);
    const lane = { organisationId: 'org', endpointId: 'endpoint' };
    const [since, until] = [sampleTime(1), sampleTime(2)];
    const plans = await database.explain(async () => {
      const ids = { after: idFloor(since.getTime()), to: idCeiling(until.getTime()) };
      await replays.walkDeliveries({ ...lane, ...ids, limit: 10 });
      const walk = { organisationId: 'org', since, until, limit: 10 };
      await replays.walkEvents({ ...walk, after: '' });
      await replays.walkEvents({ ...walk, after: JSON.stringify({ at: since.getTime(), name: 'org/x' }) });
      await replays.findDeliveries('org', ['1', '2']);
      await replays.placesOf('org', ['1', '2']);
      await replays.backlog(lane, until, 10);
    });
    expect(plans.length).toBeGreaterThan(6);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });
});

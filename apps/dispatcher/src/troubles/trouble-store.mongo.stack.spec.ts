import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';
import { describeTroubleStore } from './trouble-store.contract.ts';
import { createMongoTroubleStore } from './trouble-store.mongo.ts';

describeTroubleStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  return { troubles: await createMongoTroubleStore(database), close };
});

describe('the store of troubles on MongoDB', () => {
  it('reads by its index alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const troubles = await createMongoTroubleStore(database);
    const trouble = { organisationId: 'org', endpointId: 'a', failingSince: new Date(0), openUntil: null };
    const plans = await database.explain(async () => {
      await troubles.begin(trouble);
      await troubles.begin(trouble);
      await troubles.find('org', ['a', 'b']);
      await troubles.list(null, 10);
    });
    expect(plans.length).toBeGreaterThan(2);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });
});

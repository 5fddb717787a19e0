import { randomBytes } from 'node:crypto';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';
import { usageStoreContract } from './usage-store.contract.ts';
import { createMongoUsageStore } from './usage-store.mongo.ts';

async function connect(): Promise<MongoDatabase> {
  const { url } = await startMongodb();
  return connectMongo({
    url,
    database: `posthorn_usage_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    explainable: true,
  });
}

describe('the MongoDB usage store', () => {
  usageStoreContract(async () => {
    const database = await connect();
    return {
      store: await createMongoUsageStore(database),
      async close() {
        await database.drop();
        await database.close();
      },
    };
  });

  it('reads by its indexes alone', async () => {
    const database = await connect();
    const store = await createMongoUsageStore(database);
    const request = {
      counter: 'key/1/bytesPerDay',
      window: 100,
      windowsAhead: 1,
      limit: 10,
      least: 1,
      wanted: 2,
      expiresAt: new Date('2026-01-02T00:00:00Z'),
    };
    await store.take(request);
    const plans = await database.explain(async () => {
      await store.take(request);
      await store.giveBack(request.counter, { window: 100, taken: 1 });
      await store.sweep(new Date('2026-01-03T00:00:00Z'), 10);
    });
    expect(plans.length).toBeGreaterThan(0);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await database.drop();
    await database.close();
  });
});

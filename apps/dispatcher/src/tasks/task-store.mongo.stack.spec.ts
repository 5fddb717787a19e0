import { describeTaskStore } from './task-store.contract.ts';
import { createMongoTaskStore } from './task-store.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeTaskStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  return { tasks: await createMongoTaskStore(database), close };
});

describe('the task store on MongoDB', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const tasks = await createMongoTaskStore(database);
    const page = { limit: 10, offset: 0, afterId: null, beforeId: null };
    const plans = await database.explain(async () => {
      await tasks.get('org', 'task');
      await tasks.unfinished(10);
      await tasks.list({ organisationIds: ['org'], endpointIds: [], page });
      await tasks.sweep('org', new Date('2026-01-01T00:00:00Z'), 10);
      await tasks.organisations('', 10);
    });
    expect(plans.length).toBeGreaterThan(4);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });
});

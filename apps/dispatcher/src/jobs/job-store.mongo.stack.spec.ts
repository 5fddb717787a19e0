import { describeJobStore } from './job-store.contract.ts';
import { createMongoJobStore } from './job-store.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeJobStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  return { jobs: await createMongoJobStore(database), close };
});

describe('the job store on MongoDB', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = await openTemporaryMongo();
    const jobs = await createMongoJobStore(database);
    const held = { organisationId: 'org', id: 'job', epoch: 1 };
    const plans = await database.explain(async () => {
      await jobs.get('org', 'job');
      await jobs.list(
        { organisationId: 'org', kind: 'replay', states: ['running'] },
        { limit: 5, cursor: '' },
      );
      await jobs.countOpen('org', 'replay', 10);
      await jobs.openOrganisations('', 10);
      await jobs.open('org', 10);
      await jobs.renew([held, { ...held, id: 'another' }]);
      await jobs.sweep({
        organisationId: 'org',
        kind: 'replay',
        before: new Date('2026-01-01T00:00:00Z'),
        limit: 10,
      });
      await jobs.organisations('', 10);
    });
    expect(plans.length).toBeGreaterThan(6);
    expect(plans.filter(({ isUnindexed }) => isUnindexed)).toEqual([]);
    await close();
  });

  it('has taken, ended and cancelled a job when the answer was lost, and we ask again', async () => {
    const { database, close } = await openTemporaryMongo();
    const jobs = await createMongoJobStore(database);
    const at = new Date('2026-01-01T00:00:00Z');
    const fresh = { kind: 'replay', spec: '{}', counts: {}, createdBy: 'key', createdAt: at } as const;
    const seen = await jobs.insert({ ...fresh, organisationId: 'org', id: '1' });
    const taken = await jobs.take(seen, 'a', at);
    expect(await jobs.take(seen, 'a', at)).toEqual(taken);
    expect(await jobs.take(seen, 'b', at)).toBeNull();
    if (taken === null) throw new Error('nobody took the job');
    const end = { state: 'succeeded', error: null, at } as const;
    expect(await jobs.finish(taken, end)).toBe(true);
    expect(await jobs.finish(taken, end)).toBe(true);
    const other = await jobs.insert({ ...fresh, organisationId: 'org', id: '2' });
    const cancelled = await jobs.cancel('org', other.id, at);
    expect(cancelled).toMatchObject({ state: 'cancelled' });
    expect(await jobs.cancel('org', other.id, at)).toEqual(cancelled);
    await close();
  });
});

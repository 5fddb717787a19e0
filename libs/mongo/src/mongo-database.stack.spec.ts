import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import type { MongoCollection } from './mongo-collection.ts';
import { connectMongo, type MongoDatabase } from './mongo-database.ts';
import { openTestDatabase } from './mongo.harness.ts';

interface Thing {
  readonly _id: string;
  readonly n: number;
  readonly name?: string;
  readonly bytes?: Uint8Array;
}

const things = {
  name: 'things',
  indexes: [
    { name: 'by_n', key: { n: 1 } },
    { name: 'by_name', key: { name: 1 }, unique: true, partialFilterExpression: { name: { $exists: true } } },
  ],
} as const;

describe('a database of MongoDB', () => {
  let database: MongoDatabase;
  let collection: MongoCollection<Thing>;

  beforeEach(async () => {
    database = await openTestDatabase();
    collection = await database.open<Thing>(things);
  });
  afterEach(() => database.close());

  it('says which documents of many a unique index refused, and keeps the others', async () => {
    expect(await collection.insert({ _id: 'a', n: 1, name: 'x' })).toBe(true);
    expect(await collection.insert({ _id: 'a', n: 2 })).toBe(false);
    const refused = await collection.insertMany([
      { _id: 'a', n: 3 },
      { _id: 'b', n: 4 },
      { _id: 'c', n: 5, name: 'x' },
      { _id: 'd', n: 6 },
    ]);
    expect(refused).toEqual(new Set([0, 2]));
    const found = await collection.find({ n: { $gte: 1 } }, { limit: 10, sort: { n: 1 } });
    expect(found.map(({ _id }) => _id)).toEqual(['a', 'b', 'd']);
    expect(await collection.insertMany([])).toEqual(new Set());
  });

  it('gives bytes back as they were', async () => {
    await collection.insert({ _id: 'a', n: 1, bytes: Uint8Array.from([0, 255, 10]) });
    expect([...((await collection.findOne({ _id: 'a' }))?.bytes ?? [])]).toEqual([0, 255, 10]);
  });

  it('tells a change that nothing matched from one that a unique index refused', async () => {
    await collection.insertMany([
      { _id: 'a', n: 1, name: 'x' },
      { _id: 'b', n: 2 },
    ]);
    expect(await collection.updateOne({ _id: 'b' }, { $set: { n: 3 } })).toBe(true);
    expect(await collection.updateOne({ _id: 'c' }, { $set: { n: 3 } })).toBe(false);
    expect(await collection.updateOne({ _id: 'b' }, { $set: { name: 'x' } })).toBeNull();
  });

  it('changes the one that matches for exactly one of many who try', async () => {
    await collection.insert({ _id: 'a', n: 0 });
    const tries = Array.from({ length: 20 }, () =>
      collection.findOneAndUpdate({ _id: 'a', n: 0 }, { $inc: { n: 1 } }),
    );
    const winners = (await Promise.all(tries)).filter((found) => found !== null);
    expect(winners).toEqual([{ _id: 'a', n: 1 }]);
  });

  it('gives each of many who raise a counter that none of them made a number of its own', async () => {
    const raised = await Promise.all(
      Array.from({ length: 20 }, () => collection.upsert({ _id: 'counter' }, { $inc: { n: 1 } })),
    );
    expect(new Set(raised.map(({ n }) => n)).size).toBe(20);
  });

  it('reads no more than it was asked for, and counts no further', async () => {
    await collection.insertMany(Array.from({ length: 300 }, (_, n) => ({ _id: `${n}`, n })));
    expect(await collection.find({}, { limit: 250 })).toHaveLength(250);
    expect(await collection.count({ n: { $gte: 0 } }, 100)).toBe(100);
    expect(await collection.deleteMany({ n: { $lt: 10 } })).toBe(10);
  });

  it('can be opened by several at once and again, and refuses an index that is another', async () => {
    await Promise.all([database.open(things), database.open(things)]);
    const other = { ...things, indexes: [{ name: 'by_n', key: { n: -1 } }] } as const;
    await expect(database.open(other)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('by_n'),
    });
  });

  it('shows which index each command uses, and which commands use none', async () => {
    const plans = await database.explain(async () => {
      await collection.find({ n: { $gt: 3 } }, { limit: 3, sort: { n: 1 } });
      await collection.findOneAndUpdate({ _id: 'a' }, { $set: { n: 1 } });
      await collection.updateEach([{ filter: { n: 5 }, update: { $set: { n: 6 } } }]);
      await collection.deleteOne({ name: 'x' });
      await collection.find({ bytes: { $exists: true } }, { limit: 1 });
    });
    expect(plans.map(({ command, indexes, isUnindexed }) => [command, indexes.join(), isUnindexed])).toEqual([
      ['find', 'by_n', false],
      ['findAndModify', '_id_', false],
      ['update', 'by_n', false],
      ['delete', 'by_name', false],
      ['find', '', true],
    ]);
  });

  it('answers a ping', async () => {
    expect(await database.ping()).toBeUndefined();
  });
});

describe('connecting to MongoDB', () => {
  const options = {
    database: 'posthorn_test_unused',
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    timeoutMs: 300,
  };

  it('ends as unavailable when nobody listens, and leaves nothing open', async () => {
    const connecting = connectMongo({ ...options, url: 'mongodb://127.0.0.1:1/' });
    await expect(connecting).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('refuses a broken connection string without showing it', async () => {
    const connecting = connectMongo({ ...options, url: 'mongodb://me:geheim@' });
    await expect(connecting).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.not.stringContaining('geheim'),
    });
  });

  it('counts operations, by collection and result', async () => {
    const metrics = createMetrics();
    const database = await openTestDatabase({ metrics });
    const collection = await database.open<Thing>(things);
    await collection.insert({ _id: 'a', n: 1 });
    const rendered = await metrics.render();
    await database.close();
    expect(rendered).toContain('posthorn_mongo_up 1');
    expect(rendered).toContain(
      'posthorn_mongo_operation_duration_seconds_count{collection="things",operation="insert",result="ok"} 1',
    );
  });
});

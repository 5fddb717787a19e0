import { startMongodb, type MongodbServer } from '@posthorn/stack';
import { createTcpProxy, eventually, type TcpProxy } from '@posthorn/testing';
import type { MongoCollection } from './mongo-collection.ts';
import type { MongoDatabase } from './mongo-database.ts';
import { openTestDatabase } from './mongo.harness.ts';

interface Thing {
  readonly _id: string;
  readonly n: number;
}

describe('while the database is away', () => {
  let server: MongodbServer;
  let database: MongoDatabase;
  let things: MongoCollection<Thing>;

  beforeAll(async () => {
    server = await startMongodb({ own: true });
  });
  afterAll(() => server.stop());

  async function open(url: string, timeoutMs?: number): Promise<void> {
    database = await openTestDatabase({ url, timeoutMs });
    things = await database.open<Thing>({ name: 'things', indexes: [] });
  }

  it('an operation waits for it, and what was confirmed before it was killed is there', async () => {
    await open(server.url);
    const confirmed: string[] = [];
    let stopped = false;
    async function write(worker: number): Promise<void> {
      for (let n = 0; !stopped; n += 1) {
        const _id = `${worker}-${n}`;
        await things.insert({ _id, n });
        confirmed.push(_id);
      }
    }
    const workers = [1, 2, 3, 4].map(write);
    await eventually(() => expect(confirmed.length).toBeGreaterThan(50));
    await server.kill();
    const before = confirmed.length;
    await server.restart();
    await eventually(() => expect(confirmed.length).toBeGreaterThan(before + 20));
    stopped = true;
    await Promise.all(workers);
    const found = await things.find({}, { limit: confirmed.length + 10 });
    const there = new Set(found.map(({ _id }) => _id));
    expect(confirmed.filter((id) => !there.has(id))).toEqual([]);
    await database.close();
  });

  it('what is written in bulk waits for it as well, and is there once it was confirmed', async () => {
    await open(server.url);
    const confirmed: string[] = [];
    let stopped = false;
    const ways: ((documents: readonly Thing[]) => Promise<unknown>)[] = [
      (documents) => things.insertMany(documents),
      (documents) => things.insertInOrder(documents),
      async (documents) => {
        await things.insertMany(documents.map(({ _id }) => ({ _id, n: -1 })));
        await things.updateEach(
          documents.map(({ _id, n }) => ({ filter: { _id }, update: { $set: { n } } })),
        );
      },
    ];
    async function write(way: number): Promise<void> {
      for (let n = 0; !stopped; n += 2) {
        const documents = [n, n + 1].map((one) => ({ _id: `${way}-${one}`, n: one }));
        await ways[way]?.(documents);
        confirmed.push(...documents.map(({ _id }) => _id));
      }
    }
    const workers = [...ways.keys()].map(write);
    for (let round = 0; round < 2; round += 1) {
      const before = confirmed.length;
      await eventually(() => expect(confirmed.length).toBeGreaterThan(before + 50));
      await server.kill();
      await server.restart();
    }
    const before = confirmed.length;
    await eventually(() => expect(confirmed.length).toBeGreaterThan(before + 50));
    stopped = true;
    await Promise.all(workers);
    const found = await things.find({}, { limit: confirmed.length + 10 });
    const there = new Map(found.map(({ _id, n }) => [_id, n]));
    expect(confirmed.filter((id) => there.get(id) !== Number(id.split('-')[1]))).toEqual([]);
    await database.close();
  });

  it('an operation ends as unavailable when its time is up, and the next one works again', async () => {
    await open(server.url, 1000);
    await server.kill();
    await expect(things.insert({ _id: 'a', n: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    await expect(database.ping()).rejects.toMatchObject({ code: 'unavailable' });
    await server.restart();
    await eventually(async () => expect(await things.insert({ _id: 'b', n: 1 })).toBe(true));
    await database.close();
  });

  it('an operation on a server that says nothing any more ends in time', async () => {
    await open(server.url, 1000);
    await server.suspend();
    await expect(things.findOne({ _id: 'a' })).rejects.toMatchObject({ code: 'unavailable' });
    await server.resume();
    await eventually(async () => expect(await things.findOne({ _id: 'a' })).toBeNull());
    await database.close();
  });

  it('an operation whose answer is lost is tried again, and its insert is there once', async () => {
    const proxy: TcpProxy = await createTcpProxy({ port: Number(new URL(server.url).port) });
    await open(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
    await things.insert({ _id: 'before', n: 0 });
    const lost = proxy.cutReplyTo((request) => request.includes('the answer to this is lost'));
    // Refused, because it is there: by the first try.
    await things.insert({ _id: 'the answer to this is lost', n: 1 });
    await lost;
    expect(await things.find({}, { limit: 10, sort: { n: 1 } })).toEqual([
      { _id: 'before', n: 0 },
      { _id: 'the answer to this is lost', n: 1 },
    ]);
    await database.close();
    await proxy.close();
  });
});

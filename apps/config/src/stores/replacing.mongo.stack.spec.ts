/**
 * Comparing and setting on a real server, through clients of their own as replicas are: exactly one of many has its way, and one whose
 * answer was lost knows its own write.
 */
import { randomBytes } from 'node:crypto';
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { startMongodb } from '@posthorn/stack';
import { createTcpProxy, type TcpProxy } from '@posthorn/testing';
import type { EndpointStore, StoredEndpoint } from '../endpoints/endpoint-store.ts';
import { createMongoEndpointStore } from '../endpoints/endpoint-store.mongo.ts';
import { connectTo } from './mongo-stores.harness.ts';
import { sampleEndpoint } from './sample-resources.harness.ts';

const replicas = 4;
const rounds = 25;
const numberOne = (): Promise<number> => Promise.resolve(1);

let url: string;
let name: string;
let databases: MongoDatabase[];

beforeEach(async () => {
  ({ url } = await startMongodb());
  name = `posthorn_config_${randomBytes(6).toString('hex')}`;
  databases = [];
});
afterEach(async () => {
  await databases[0]?.drop();
  await Promise.all(databases.map((database) => database.close()));
});

async function connect(to = url): Promise<MongoDatabase> {
  const database = await connectTo(name, to);
  databases.push(database);
  return database;
}

async function openStore(to = url): Promise<EndpointStore> {
  return createMongoEndpointStore(await connect(to), numberOne);
}

const switchedOff = (stored: StoredEndpoint): StoredEndpoint => ({
  ...stored,
  endpoint: { ...stored.endpoint, state: 'disabled', stateReason: 'failing' },
});

it('lets one of many replicas replace an endpoint that all of them read, round after round', async () => {
  const stores = await Promise.all(Array.from({ length: replicas }, () => openStore()));
  const [first] = stores;
  let stored = await first?.insert(sampleEndpoint(1), 10);
  for (let round = 0; round < rounds; round += 1) {
    if (stored === undefined) throw new Error('the endpoint is gone');
    const wanted = switchedOff(stored);
    const results = await Promise.all(
      stores.flatMap((store) => [store.replace(wanted), store.replace(wanted)]),
    );
    const winners = results.filter((result) => result !== null);
    expect(winners).toEqual([{ ...wanted, writes: round + 2 }]);
    stored = winners[0];
  }
});

it('knows a replacement again whose answer was lost, and writes it once', async () => {
  const proxy: TcpProxy = await createTcpProxy({ port: Number(new URL(url).port) });
  const store = await openStore(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`);
  const stored = await store.insert(sampleEndpoint(1), 10);
  const lost = proxy.cutReplyTo((request) => request.includes('lastWrites'));
  const replaced = await store.replace(switchedOff(stored));
  await lost;
  expect(replaced).toEqual({ ...switchedOff(stored), writes: 2 });
  expect(await store.find(stored.endpoint.organisationId, stored.endpoint.id)).toEqual(replaced);
  await databases.pop()?.close();
  await proxy.close();
  await connect();
});

it('knows it again also when others have written since, and takes none of theirs for its own', async () => {
  const other = await openStore();
  const stored = await other.insert(sampleEndpoint(1), 10);
  let meanwhile: () => Promise<unknown> = () => Promise.resolve();
  const repeating = await createMongoEndpointStore(
    withRepeatedUpdates(await connect(), () => meanwhile()),
    numberOne,
  );

  meanwhile = () => other.replace({ ...switchedOff(stored), writes: 2 });
  expect(await repeating.replace(switchedOff(stored))).toMatchObject({ writes: 2 });

  meanwhile = () => Promise.resolve();
  expect(await repeating.replace(switchedOff(stored))).toBeNull();
  expect(await repeating.replace({ ...switchedOff(stored), writes: 2 })).toBeNull();
});

/** Carries each update out twice, as when the first answer is lost, and something else in between. */
function withRepeatedUpdates(database: MongoDatabase, meanwhile: () => Promise<unknown>): MongoDatabase {
  const repeated =
    <A extends unknown[], R>(update: (...change: A) => Promise<R>) =>
    async (...change: A): Promise<R> => {
      await update(...change);
      await meanwhile();
      return update(...change);
    };
  return {
    ...database,
    async open<D extends MongoDocument>(definition: Parameters<MongoDatabase['open']>[0]) {
      const collection = await database.open<D>(definition);
      return { ...collection, updateOne: repeated(collection.updateOne) };
    },
  };
}

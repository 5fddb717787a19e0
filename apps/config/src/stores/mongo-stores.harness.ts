import { randomBytes } from 'node:crypto';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';
import { createMongoConfigStores } from './stores.mongo.ts';
import type { TemporaryStores } from './temporary-stores.harness.ts';

export interface TemporaryMongoStores extends TemporaryStores {
  readonly database: MongoDatabase;
}

/** For tests: empty stores on a real server (`npm run test:stack`), in a database of their own, which is removed when they are closed. */
export async function openMongoStores(maxChanges?: number): Promise<TemporaryMongoStores> {
  const { url } = await startMongodb();
  const database = await connectTo(`posthorn_config_${randomBytes(6).toString('hex')}`, url);
  return {
    database,
    stores: await createMongoConfigStores(database, maxChanges),
    async close() {
      await database.drop();
      await database.close();
    },
  };
}

/** One more client of a database. */
export function connectTo(database: string, url: string): Promise<MongoDatabase> {
  return connectMongo({
    url,
    database,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    explainable: true,
  });
}

import { randomBytes } from 'node:crypto';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';
import { connectMongo, type MongoDatabase, type MongoOptions } from './mongo-database.ts';

/** For tests on a real server: a database of its own, which `close` removes. */
export async function openTestDatabase(over: Partial<MongoOptions> = {}): Promise<MongoDatabase> {
  const database = await connectMongo({
    url: over.url ?? (await startMongodb()).url,
    database: `posthorn_mongo_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    explainable: true,
    ...over,
  });
  return {
    ...database,
    async close() {
      await database.drop();
      await database.close();
    },
  };
}

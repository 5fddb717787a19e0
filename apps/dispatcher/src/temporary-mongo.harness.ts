import { randomBytes } from 'node:crypto';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';

/** For tests: an empty database on a real server (`npm run test:stack`), and what removes it. */
export async function openTemporaryMongo(): Promise<{ database: MongoDatabase; close(): Promise<void> }> {
  const { url } = await startMongodb();
  const database = await connectMongo({
    url,
    database: `posthorn_dispatcher_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    explainable: true,
  });
  return {
    database,
    async close() {
      await database.drop();
      await database.close();
    },
  };
}

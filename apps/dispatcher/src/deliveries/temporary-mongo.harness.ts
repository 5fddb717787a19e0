import { randomBytes } from 'node:crypto';
import { connectMongo, type MongoDatabase } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock, type Metrics } from '@posthorn/runtime';
import { startMongodb } from '@posthorn/stack';

/** For tests: an empty database on a real server (`npm run test:stack`), and what removes it. */
export async function openTemporaryMongo(): Promise<{
  database: MongoDatabase;
  metrics: Metrics;
  close(): Promise<void>;
}> {
  const metrics = createMetrics();
  const { url } = await startMongodb();
  const database = await connectMongo({
    url,
    database: `posthorn_dispatcher_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: silentLogger,
    metrics,
    explainable: true,
  });
  return {
    database,
    metrics,
    async close() {
      await database.drop();
      await database.close();
    },
  };
}

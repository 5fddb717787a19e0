import { randomBytes } from 'node:crypto';
import { createLogger, createMetrics, systemClock } from '@posthorn/runtime';
import { connectMongo, type MongoDatabase, type MongoOptions } from './mongo-database.ts';

/** For tests on a real server: a database of its own, which `close` removes. */
export async function openTestDatabase(over: Partial<MongoOptions> = {}): Promise<MongoDatabase> {
  const database = await connectMongo({
    url: testServerUrl(),
    database: `posthorn_mongo_${randomBytes(6).toString('hex')}`,
    clock: systemClock,
    logger: createLogger({ service: 'mongo', level: 'silent' }),
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

/** The server that the suites run against; `npm run test:stack` starts one and says where it is. */
export function testServerUrl(): string {
  const url = process.env['POSTHORN_TEST_MONGODB_URL'];
  if (url === undefined) throw new Error('POSTHORN_TEST_MONGODB_URL is not set; run `npm run test:stack`.');
  return url;
}

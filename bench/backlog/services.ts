/** The four services, one process of each, over a Kafka and a MongoDB. */
import { connectMongo } from '@posthorn/mongo';
import { createMetrics, silentLogger, systemClock } from '@posthorn/runtime';
import type { Ending } from '../ending.ts';
import { startMeasuredPlatform, startServers } from '../stack/measured-platform.ts';
import type { BacklogPlatform } from './backlog-platform.ts';
import { fillMongodb } from './fill-mongodb.ts';

const partitions = 12;

/** Starts it over the servers that were given, or some of its own; its database is removed at the end. */
export async function startServices(ending: Ending): Promise<BacklogPlatform> {
  const servers = await startServers(ending);
  const { kafka, mongodb } = servers;
  const platform = await startMeasuredPlatform(servers, { dispatchers: 1, partitions }, ending);
  const database = await connectMongo({
    url: mongodb.url,
    database: platform.database,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
  });
  ending.onEnd(async () => {
    await platform.stop();
    // Another's server outlives us, and so would what was filled.
    if (mongodb.source === 'url') await database.drop();
    await database.close();
  });

  return {
    servers: { Kafka: kafka.description, MongoDB: mongodb.description },
    // Told which index to use, secantusd-rs reads all of it, for every endpoint.
    deliveries: mongodb.source === 'cargo' ? 20_000 : 1_000_000,
    operatorKey: platform.operatorKey,
    url: platform.url,
    cpuSeconds: () => platform.cpuSeconds().dispatcher,
    maxRssMib: () => platform.maxRssMib().dispatcher,
    async fill(deliveries) {
      const seconds = await platform.withoutDispatchers(async () => {
        const began = performance.now();
        await fillMongodb(database, partitions, deliveries);
        return (performance.now() - began) / 1_000;
      });
      const { collections } = await platform.stored();
      const bytes = collections?.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
      return { seconds, mib: bytes === undefined ? null : bytes / 2 ** 20 };
    },
    explain: (work) => platform.explain(work),
  };
}

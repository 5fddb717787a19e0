/**
 * Starts a Kafka and a MongoDB for a run of the stack suites, and tells the suites where they are.
 *
 * Whatever becomes of the run, they end with it (`tools/stack/src/guardian.ts`).
 */
import {
  createProgress,
  kafkaBrokersVariable,
  mongodbUrlVariable,
  startKafka,
  startMongodb,
  withoutPassword,
} from '@posthorn/stack';
import { runningServers, stopServers } from './running-servers.ts';

export default async function startStack(): Promise<void> {
  const progress = createProgress({
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns,
  });
  try {
    // One after the other: what takes long is fetching and building, and that fills the machine.
    const kafka = await startKafka({ progress });
    runningServers.push(kafka);
    progress.step(`${kafka.description} at ${kafka.brokers.join(',')}`);
    const mongodb = await startMongodb({ progress });
    runningServers.push(mongodb);
    progress.step(`${mongodb.description} at ${withoutPassword(mongodb.url)}`);
    process.env[kafkaBrokersVariable] = kafka.brokers.join(',');
    process.env[mongodbUrlVariable] = mongodb.url;
  } catch (error) {
    await stopServers();
    throw error;
  }
}

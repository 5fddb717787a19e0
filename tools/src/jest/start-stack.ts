/**
 * Starts a Kafka and a MongoDB for a run of the stack suites, and tells the suites where they are.
 *
 * Whatever becomes of the run, they end with it (`tools/stack/src/guardian.ts`).
 */
import { kafkaBrokersVariable, mongodbUrlVariable, startKafka, startMongodb } from '@posthorn/stack';
import { runningServers } from './running-servers.ts';

export default async function startStack(): Promise<void> {
  const onProgress = (line: string): void => console.log(`stack: ${line}`);
  // One after the other: what takes long is fetching and building, and that fills the machine.
  const kafka = await startKafka({ onProgress });
  runningServers.push(kafka);
  console.log(`stack: ${kafka.description} at ${kafka.brokers.join(',')}`);
  const mongodb = await startMongodb({ onProgress });
  runningServers.push(mongodb);
  console.log(`stack: ${mongodb.description} at ${mongodb.url}`);
  process.env[kafkaBrokersVariable] = kafka.brokers.join(',');
  process.env[mongodbUrlVariable] = mongodb.url;
}

/** The four services on a database and a topic of their own, and what can be read of them while they run. */
import { randomBytes } from 'node:crypto';
import {
  createProgress,
  kafkaLogBytes,
  mongodbSizes,
  startKafka,
  startMongodb,
  startStackPlatform,
} from '@posthorn/stack';
import type {
  CollectionSize,
  KafkaServer,
  MongodbServer,
  ServiceProcess,
  StackPlatform,
} from '@posthorn/stack';
import type { Ending } from '../ending.ts';
import { cpuSecondsOf, maxRssMibOf } from '../processes.ts';
import { operationsIn, unrecordedIn } from './metrics.ts';
import type { Setup } from './setups.ts';

export const services = ['gateway', 'event-ingest', 'dispatcher', 'config'] as const;
export type ByService = Readonly<Record<(typeof services)[number], number>>;

export interface Servers {
  readonly kafka: KafkaServer;
  readonly mongodb: MongodbServer;
}

/** What is kept, by those who keep it; null where the server doesn't tell us. */
export interface Stored {
  /** The topic's, in the log of the brokers: one replica's when there is one. */
  readonly kafkaBytes: number | null;
  readonly collections: readonly CollectionSize[] | null;
}

export interface MeasuredPlatform {
  /** Of MongoDB. */
  readonly database: string;
  /** Of the REST API. */
  readonly url: string;
  readonly operatorKey: string;
  /** CPU seconds so far, of all processes of a service together. */
  cpuSeconds(): ByService;
  /** The most memory that a process of the service had, in MiB. */
  maxRssMib(): ByService;
  stored(): Promise<Stored>;
  /** Events that were read and aren't on record whole. */
  unrecorded(): Promise<number>;
  /** How often MongoDB was asked so far, by service, collection and operation. */
  operations(): Promise<ReadonlyMap<string, number>>;
  /** Does the work while no dispatcher runs. */
  withoutDispatchers<T>(work: () => Promise<T>): Promise<T>;
  /** Does the work; when it fails, says what the services wrote last. */
  explain: StackPlatform['explain'];
  stop(): Promise<void>;
}

/** Those that were given, or some that are there until the end. */
export async function startServers({ onEnd }: Ending): Promise<Servers> {
  const progress = createProgress({
    write: (text) => process.stderr.write(text),
    columns: process.stderr.columns,
  });
  const kafka = await startKafka({ progress });
  onEnd(() => kafka.stop());
  const mongodb = await startMongodb({ progress });
  onEnd(() => mongodb.stop());
  return { kafka, mongodb };
}

/** Starts it; resolves when all are ready. It is stopped at the end at the latest. */
export async function startMeasuredPlatform(
  servers: Servers,
  setup: Setup,
  { onEnd }: Ending,
): Promise<MeasuredPlatform> {
  // Servers may be somebody else's: nothing that is there is touched.
  const name = `posthorn-bench-${randomBytes(4).toString('hex')}`;
  const starting = startStackPlatform({
    counts: { dispatcher: setup.dispatchers },
    security: 'tokens',
    servers,
    env: {
      POSTHORN_MONGODB_DATABASE: name,
      POSTHORN_KAFKA_TOPIC: name,
      POSTHORN_KAFKA_GROUP: name,
      POSTHORN_KAFKA_TOPIC_PARTITIONS: String(setup.partitions),
      POSTHORN_LOG_LEVEL: 'warn',
    },
  });
  onEnd(() =>
    starting.then(
      (platform) => platform.dispose(),
      () => undefined,
    ),
  );
  const platform = await starting;
  const dispatchers = platform.processes('dispatcher');
  const pidsOf = (service: (typeof services)[number]): number[] =>
    platform.processes(service).flatMap(({ pid }) => pid ?? []);
  const byService = (figure: (pids: readonly number[]) => number): ByService => ({
    gateway: figure(pidsOf('gateway')),
    'event-ingest': figure(pidsOf('event-ingest')),
    dispatcher: figure(pidsOf('dispatcher')),
    config: figure(pidsOf('config')),
  });

  return {
    database: name,
    url: platform.url,
    operatorKey: platform.operatorKey,
    cpuSeconds: () => byService((pids) => pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0)),
    maxRssMib: () => byService((pids) => Math.max(...pids.map(maxRssMibOf))),
    async stored() {
      const [kafkaBytes, collections] = await Promise.all([
        kafkaLogBytes(servers.kafka.brokers, name).catch(() => null),
        mongodbSizes(servers.mongodb.url, name).catch(() => null),
      ]);
      return { kafkaBytes, collections };
    },
    async unrecorded() {
      const metrics = await Promise.all(dispatchers.map(metricsOf));
      return metrics.reduce((sum, text) => sum + unrecordedIn(text), 0);
    },
    async operations() {
      const counts = new Map<string, number>();
      for (const service of services) {
        for (const process of platform.processes(service)) {
          for (const [key, count] of operationsIn(await metricsOf(process))) {
            counts.set(`${service} ${key}`, (counts.get(`${service} ${key}`) ?? 0) + count);
          }
        }
      }
      return counts;
    },
    async withoutDispatchers(work) {
      for (const dispatcher of dispatchers) await dispatcher.stop();
      const result = await work();
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.start()));
      return result;
    },
    explain: (work) => platform.explain(work),
    stop: () => platform.dispose(),
  };
}

async function metricsOf({ adminUrl }: ServiceProcess): Promise<string> {
  const answer = await fetch(`${adminUrl}/metrics`);
  return answer.text();
}

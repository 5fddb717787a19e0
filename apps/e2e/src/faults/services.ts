/** The four services as processes, two of each, over a Kafka and a MongoDB of their own. */
import {
  startKafka,
  startMongodb,
  startStackPlatform,
  type KafkaServer,
  type MongodbServer,
  type StackPlatform,
} from '@posthorn/stack';
import { createTcpProxy, freePort, type TcpProxy } from '@posthorn/testing';
import { mountSmallDisk, type SmallDisk } from '../small-disk.ts';
import { CannotBreakError, startNames, type Subject, type Surroundings } from './subject.ts';
import { createWallClock, type WallClock } from './wall-clock.ts';

export interface ServicesSubject extends Subject {
  readonly platform: StackPlatform;
  /** Of all services; only in surroundings of that name. */
  readonly clock: WallClock | null;
  /** Kafka's; only in surroundings of that name. */
  readonly disk: SmallDisk | null;
  /** Between the services and Kafka, and MongoDB; only in slow surroundings. */
  readonly proxies: readonly TcpProxy[];
}

type Release = () => unknown;

/** Room for the files that Kafka lays out for its topics. */
const kafkaDiskBytes = 256 * 1024 * 1024;

export async function startServices(surroundings: Surroundings): Promise<ServicesSubject> {
  const releases: Release[] = [];
  const release = async (): Promise<void> => {
    for (const one of releases.toReversed()) await one();
  };
  try {
    const clock = surroundings === 'clock' ? createWallClock() : null;
    if (clock !== null) releases.push(clock.dispose);
    const disk = surroundings === 'disk' ? mountSmallDisk(kafkaDiskBytes) : null;
    if (disk !== null) releases.push(disk.dispose);
    if (surroundings === 'disk' && disk === null) {
      throw new CannotBreakError('a small file system can be mounted by root only');
    }
    const names = await startNames();
    releases.push(names.close);
    const { kafka, mongodb, proxies } = await startServers(surroundings, disk, releases);
    const platform = await startStackPlatform({
      counts: { config: 2, 'event-ingest': 2, dispatcher: 2, gateway: 2 },
      security: 'certificates',
      servers: { kafka, mongodb },
      env: { POSTHORN_DNS_SERVERS: names.address, ...clock?.env },
    });
    releases.push(platform.dispose);
    return { platform, clock, disk, names, proxies, explain: platform.explain, dispose: release };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Servers {
  readonly kafka: KafkaServer;
  readonly mongodb: MongodbServer;
  readonly proxies: readonly TcpProxy[];
}

async function startServers(
  surroundings: Surroundings,
  disk: SmallDisk | null,
  releases: Release[],
): Promise<Servers> {
  const proxies = surroundings === 'slow' ? [await createTcpProxy(), await createTcpProxy()] : [];
  for (const proxy of proxies) releases.push(proxy.close);
  const [toKafka, toMongodb] = proxies;
  const kafkaPort = await freePort();
  const kafka = await startKafka({
    own: true,
    port: kafkaPort,
    ...(toKafka !== undefined && { advertisedPort: toKafka.port }),
    ...(disk !== null && { dataDir: disk.dataDir }),
  });
  releases.push(kafka.stop);
  const mongodbPort = await freePort(kafkaPort);
  const mongodb = await startMongodb({ own: true, port: mongodbPort });
  releases.push(mongodb.stop);
  if (toKafka === undefined || toMongodb === undefined) return { kafka, mongodb, proxies };
  toKafka.forwardTo({ port: kafkaPort });
  toMongodb.forwardTo({ port: mongodbPort });
  return { kafka, mongodb: through(mongodb, toMongodb), proxies };
}

function through(mongodb: MongodbServer, proxy: TcpProxy): MongodbServer {
  const url = new URL(mongodb.url);
  url.port = String(proxy.port);
  return { ...mongodb, url: url.toString() };
}

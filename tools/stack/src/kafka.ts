/**
 * A Kafka for tests: the one that was given, else Docker's official image, else the release from Maven Central.
 */
import { freePort } from '@posthorn/testing';
import { kafkaBrokersVariable, readStackConfig } from './config.ts';
import { createContainerRunner, hasDockerEngine, pullImage, refuseDataDir } from './docker.ts';
import { peersOf, useGivenServer } from './given-server.ts';
import { createMavenRunner, kafkaVersion, prepareMavenKafka } from './kafka-from-maven.ts';
import type { MavenKafka } from './kafka-from-maven.ts';
import { probeKafka } from './kafka-probe.ts';
import { asImageEnvironment, kafkaSettings } from './kafka-settings.ts';
import type { KafkaAddresses } from './kafka-settings.ts';
import { MissingServerError } from './missing-server.ts';
import { silent } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Runner } from './runner.ts';
import { serverDirectory } from './server-directory.ts';
import { startServer } from './started-server.ts';
import type { KafkaServer, StartOptions } from './test-server.ts';

const defaultPort = 9092;
export const kafkaImage = `apache/kafka:${kafkaVersion}`;

export interface KafkaStartOptions extends StartOptions {
  /** The port that clients are told to connect to, when a proxy stands between; only for one of the caller's own. */
  readonly advertisedPort?: number;
  /** Who may connect to a second listener, which takes nobody else; only for one of the caller's own. */
  readonly sasl?: { readonly username: string; readonly password: string };
}

type Installation = { readonly source: 'docker' } | ({ readonly source: 'maven' } & MavenKafka);

/**
 * Has a Kafka ready that can be started, fetched if need be.
 *
 * @returns what it is, for a person
 * @throws MissingServerError when no way works
 */
export async function ensureKafka(progress: Progress = silent): Promise<string> {
  return describe(await prepare(progress));
}

/**
 * Starts a Kafka, or answers the one that was given.
 *
 * @throws MissingServerError when no way to have one works
 */
export async function startKafka(options: KafkaStartOptions = {}): Promise<KafkaServer> {
  const { own = false, progress = silent } = options;
  const given = readStackConfig().kafkaBrokers;
  if (given !== undefined && !own) return givenKafka(given);

  const installation = await prepare(progress);
  const port = options.port ?? (await freePort());
  const controllerPort = await freePort(port);
  const addresses = {
    port,
    advertisedPort: options.advertisedPort ?? port,
    controllerPort,
    ...(options.sasl && { sasl: { ...options.sasl, port: await freePort(port, controllerPort) } }),
  };
  const server = await startServer({
    source: installation.source,
    version: kafkaVersion,
    description: describe(installation),
    probe: () => probeKafka({ host: '127.0.0.1', port }),
    runner: await createRunner(installation, addresses, options.dataDir),
  });
  return {
    ...server,
    brokers: [`127.0.0.1:${addresses.advertisedPort}`],
    saslBrokers: addresses.sasl ? [`127.0.0.1:${addresses.sasl.port}`] : [],
    port,
  };
}

async function createRunner(
  installation: Installation,
  addresses: Omit<KafkaAddresses, 'listenHost'>,
  dataDir: string | undefined,
): Promise<Runner> {
  if (installation.source === 'docker') {
    refuseDataDir(dataDir);
    return createContainerRunner({
      image: kafkaImage,
      product: 'kafka',
      port: addresses.port,
      morePorts: addresses.sasl ? [addresses.sasl.port] : [],
      environment: asImageEnvironment(kafkaSettings({ ...addresses, listenHost: '0.0.0.0' })),
    });
  }
  return createMavenRunner({
    libraries: installation.libraries,
    archiveOption: `-XX:SharedArchiveFile=${installation.classArchive}`,
    addresses: { ...addresses, listenHost: '127.0.0.1' },
    ...serverDirectory('kafka', dataDir),
  });
}

function describe(installation: Installation): string {
  switch (installation.source) {
    case 'docker':
      return `Kafka ${kafkaVersion} (Docker image ${kafkaImage})`;
    case 'maven':
      return `Kafka ${kafkaVersion} (Maven Central, Java ${installation.javaVersion})`;
  }
}

async function prepare(progress: Progress): Promise<Installation> {
  const tried: string[] = [`${kafkaBrokersVariable} isn't set`];
  if (await hasDockerEngine()) {
    const problem = await pullImage(kafkaImage, progress);
    if (problem === null) return { source: 'docker' };
    tried.push(problem);
    progress.step(problem);
  } else {
    tried.push('no Docker engine answers');
  }
  const kafka = await prepareMavenKafka(readStackConfig().cacheDir, progress);
  if (typeof kafka !== 'string') return { source: 'maven', ...kafka };
  throw new MissingServerError(
    'Kafka',
    [...tried, kafka],
    [
      `give one: ${kafkaBrokersVariable}=host:port`,
      `start a Docker engine; the image is ${kafkaImage}`,
      'install Java 17 or newer and Maven, on Debian: apt-get install openjdk-17-jre-headless maven',
    ],
  );
}

async function givenKafka(given: string): Promise<KafkaServer> {
  const server = await useGivenServer({
    product: 'Kafka',
    variable: kafkaBrokersVariable,
    address: given,
    peers: peersOf(given, defaultPort),
    // Brokers don't tell their version.
    probe: (peer) => probeKafka(peer).then(() => null),
  });
  return { ...server, brokers: given.split(',').map((broker) => broker.trim()), saslBrokers: [], port: null };
}

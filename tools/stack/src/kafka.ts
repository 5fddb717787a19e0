/**
 * A Kafka for tests: the one that was given, else Docker's official image, else the release from Maven Central.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { kafkaBrokersVariable, readStackConfig } from './config.ts';
import { createContainerRunner, hasDockerEngine, pullImage } from './docker.ts';
import { freePort } from './free-port.ts';
import { peersOf, useGivenServer } from './given-server.ts';
import { createMavenRunner, kafkaVersion, prepareMavenKafka } from './kafka-from-maven.ts';
import type { MavenKafka } from './kafka-from-maven.ts';
import { probeKafka } from './kafka-probe.ts';
import { asImageEnvironment, kafkaSettings } from './kafka-settings.ts';
import { MissingServerError } from './missing-server.ts';
import { startServer } from './started-server.ts';
import type { KafkaServer, StartOptions } from './test-server.ts';

const defaultPort = 9092;
const image = `apache/kafka:${kafkaVersion}`;

export interface KafkaStartOptions extends StartOptions {
  /** The port that clients are told to connect to, when a proxy stands between; only for one of the caller's own. */
  readonly advertisedPort?: number;
}

type Installation = { readonly source: 'docker' } | ({ readonly source: 'maven' } & MavenKafka);

/**
 * Has a Kafka ready that can be started, fetched if need be.
 *
 * @returns what it is, for a person
 * @throws MissingServerError when no way works
 */
export async function ensureKafka(onProgress: (line: string) => void = () => {}): Promise<string> {
  return describe(await prepare(onProgress));
}

/**
 * Starts a Kafka, or answers the one that was given.
 *
 * @throws MissingServerError when no way to have one works
 */
export async function startKafka(options: KafkaStartOptions = {}): Promise<KafkaServer> {
  const { own = false, onProgress = () => {} } = options;
  const given = readStackConfig().kafkaBrokers;
  if (given !== undefined && !own) return givenKafka(given);

  const installation = await prepare(onProgress);
  const port = options.port ?? (await freePort());
  const addresses = {
    port,
    advertisedPort: options.advertisedPort ?? port,
    controllerPort: await freePort(),
    listenHost: installation.source === 'docker' ? '0.0.0.0' : '127.0.0.1',
  };
  const directory = options.dataDir ?? mkdtempSync(join(tmpdir(), 'posthorn-kafka-'));
  mkdirSync(directory, { recursive: true });
  const runner =
    installation.source === 'docker'
      ? createContainerRunner({
          image,
          name: basename(directory),
          port,
          environment: asImageEnvironment(kafkaSettings(addresses)),
        })
      : await createMavenRunner({
          libraries: installation.libraries,
          archiveOption: `-XX:SharedArchiveFile=${installation.classArchive}`,
          addresses,
          directory,
          isTemporary: options.dataDir === undefined,
        });
  const server = await startServer({
    source: installation.source,
    version: kafkaVersion,
    description: describe(installation),
    probe: () => probeKafka({ host: '127.0.0.1', port }),
    runner,
  });
  return { ...server, brokers: [`127.0.0.1:${addresses.advertisedPort}`], port };
}

function describe(installation: Installation): string {
  switch (installation.source) {
    case 'docker':
      return `Kafka ${kafkaVersion} (Docker image ${image})`;
    case 'maven':
      return `Kafka ${kafkaVersion} (Maven Central, Java ${installation.javaVersion})`;
  }
}

async function prepare(onProgress: (line: string) => void): Promise<Installation> {
  const tried: string[] = [`${kafkaBrokersVariable} isn't set`];
  if (await hasDockerEngine()) {
    const problem = await pullImage(image, onProgress);
    if (problem === null) return { source: 'docker' };
    tried.push(problem);
    onProgress(problem);
  } else {
    tried.push('no Docker engine answers');
  }
  const kafka = await prepareMavenKafka(readStackConfig().cacheDir, onProgress);
  if (typeof kafka !== 'string') return { source: 'maven', ...kafka };
  throw new MissingServerError(
    'Kafka',
    [...tried, kafka],
    [
      `give one: ${kafkaBrokersVariable}=host:port`,
      `start a Docker engine; the image is ${image}`,
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
  return { ...server, brokers: given.split(',').map((broker) => broker.trim()), port: null };
}

/**
 * The platform as a platform team runs it: the four services as processes, any number of each, over a Kafka and a MongoDB
 * which may be killed as well when they are its own. Addresses are known beforehand and stay the same.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@posthorn/rpc';
import type { ServiceName } from '@posthorn/rpc';
import { createTestAuthority, freePort } from '@posthorn/testing';
import { startKafka } from './kafka.ts';
import { startMongodb } from './mongodb.ts';
import { prepareService } from './service-process.ts';
import type { ServiceProcess } from './service-process.ts';
import type { KafkaServer, MongodbServer, TestServer } from './test-server.ts';

export interface StackPlatform {
  /** Of the first gateway. */
  readonly url: string;
  /** Of each gateway. */
  readonly urls: readonly string[];
  /** Of each event-ingest, as `host:port`, for producers that speak gRPC. */
  readonly ingestAddresses: readonly string[];
  /** Of all processes of a service, as gRPC takes it. */
  addressOf(service: ServiceName): string;
  readonly operatorKey: string;
  readonly kafka: KafkaServer;
  readonly mongodb: MongodbServer;
  /** The processes of a service, spare ones last. */
  processes(service: ServiceName): readonly ServiceProcess[];
  /** The process of a service with that number, which begins at 1. */
  process(service: ServiceName, number: number): ServiceProcess;
  /** Does the work; when it fails, says what the services wrote last and keeps their logs. */
  explain<T>(work: () => Promise<T>): Promise<T>;
  /** Ends everything; throws when a service had ended by itself, or doesn't stop well. */
  dispose(): Promise<void>;
}

export interface StackPlatformOptions {
  /** How many of each; one when absent. */
  readonly counts?: Partial<Record<ServiceName, number>>;
  /** How many more dispatchers are known to the others, and not started. */
  readonly spareDispatchers?: number;
  /** How the services know each other. */
  readonly security: 'certificates' | 'tokens';
  /** What signs tokens, for who wants to call as one of them; one of the platform's own when absent. */
  readonly tokenKey?: Uint8Array;
  /** Used and left as they are; a Kafka and a MongoDB of the platform's own when absent. */
  readonly servers?: { readonly kafka: KafkaServer; readonly mongodb: MongodbServer };
  /** What every service is told beside what it needs. */
  readonly env?: Readonly<Record<string, string>>;
}

const host = '127.0.0.1';
const lastLinesOfEach = 8;

/** Starts everything and waits until all are ready. */
export async function startStackPlatform(options: StackPlatformOptions): Promise<StackPlatform> {
  const { counts = {}, spareDispatchers = 0, security, env = {} } = options;
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-platform-'));
  const operatorKey = randomBytes(24).toString('hex');
  let keepsLogs = false;
  const services = new Map<ServiceName, readonly ServiceProcess[]>();
  const releases: (() => Promise<void>)[] = [];

  async function dispose(): Promise<void> {
    const failures: unknown[] = [];
    // In the order of their names' list, who depends on a service comes before it.
    for (const service of serviceNames) {
      const ended = await Promise.allSettled((services.get(service) ?? []).map((one) => one.dispose()));
      for (const one of ended) if (one.status === 'rejected') failures.push(one.reason);
    }
    for (const release of releases.toReversed()) await release();
    if (!keepsLogs) rmSync(directory, { recursive: true, force: true });
    if (failures.length > 0) throw failures[0];
  }

  try {
    const kafka = options.servers?.kafka ?? (await owned(startKafka({ own: true }), releases));
    const mongodb = options.servers?.mongodb ?? (await owned(startMongodb({ own: true }), releases));
    const ports = new Ports();
    const numbers = {
      config: counts.config ?? 1,
      'event-ingest': counts['event-ingest'] ?? 1,
      dispatcher: (counts.dispatcher ?? 1) + spareDispatchers,
      gateway: counts.gateway ?? 1,
    };
    const places = {
      config: await ports.take(numbers.config),
      'event-ingest': await ports.take(numbers['event-ingest']),
      dispatcher: await ports.take(numbers.dispatcher),
      gateway: await ports.take(numbers.gateway),
    };
    const urls = places.gateway.map(({ port }) => `http://${host}:${port}`);
    const everyService = {
      POSTHORN_MONGODB_URL: mongodb.url,
      POSTHORN_KAFKA_BROKERS: kafka.brokers.join(','),
      POSTHORN_KAFKA_TOPIC_REPLICATION: '1',
      POSTHORN_KAFKA_TOPIC_MIN_ISR: '1',
      POSTHORN_DANGEROUSLY_ALLOW_WEAK_TOPICS: 'true',
      POSTHORN_OPERATOR_KEY: operatorKey,
      POSTHORN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8',
      POSTHORN_CONFIG_ADDRESS: addressOf(places.config),
      POSTHORN_INGEST_ADDRESS: addressOf(places['event-ingest']),
      POSTHORN_DISPATCHER_ADDRESS: addressOf(places.dispatcher),
      POSTHORN_PUBLIC_URL: urls[0] ?? '',
      ...env,
    };
    const proofOf =
      security === 'tokens' ? byTokens(options.tokenKey ?? randomBytes(32)) : byCertificates(directory);

    for (const service of serviceNames) {
      const prepared = places[service].map(({ port, adminPort }, index) =>
        prepareService({
          service,
          name: `${service}-${index + 1}`,
          env: {
            ...everyService,
            ...proofOf(service),
            [service === 'gateway' ? 'POSTHORN_PORT' : 'POSTHORN_GRPC_PORT']: String(port),
            POSTHORN_ADMIN_PORT: String(adminPort),
          },
          adminPort,
          logDirectory: directory,
        }),
      );
      services.set(service, prepared);
    }
    const processes = (service: ServiceName): readonly ServiceProcess[] => services.get(service) ?? [];
    const all = serviceNames.flatMap(processes);
    const spare = processes('dispatcher').slice(numbers.dispatcher - spareDispatchers);
    // In any order, and all at once: what a service doesn't find yet it waits for.
    await settled(all.filter((one) => !spare.includes(one)).map((one) => one.start()));

    return {
      url: urls[0] ?? '',
      urls,
      ingestAddresses: places['event-ingest'].map(({ port }) => `${host}:${port}`),
      addressOf: (service) => addressOf(places[service]),
      operatorKey,
      kafka,
      mongodb,
      processes,
      process(service, number) {
        const found = processes(service)[number - 1];
        if (found === undefined) throw new Error(`there is no ${service}-${number}`);
        return found;
      },
      async explain(work) {
        try {
          return await work();
        } catch (error) {
          keepsLogs = true;
          process.stderr.write(`what the services wrote is in ${directory}; the last of it:\n`);
          for (const one of all.filter(({ wasStarted }) => wasStarted)) {
            process.stderr.write(`---- ${one.name}\n${one.lastTroubles(lastLinesOfEach).join('\n')}\n`);
          }
          throw error;
        }
      },
      dispose,
    };
  } catch (error) {
    await dispose().catch(() => undefined);
    throw error;
  }
}

/** A server that is stopped with the platform. */
async function owned<S extends TestServer>(
  starting: Promise<S>,
  releases: (() => Promise<void>)[],
): Promise<S> {
  const server = await starting;
  releases.push(() => server.stop());
  return server;
}

/** Waits for all of them, also when one fails, and throws what failed first. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

interface Place {
  readonly port: number;
  readonly adminPort: number;
}

/** Ports for processes that don't listen yet. */
class Ports {
  readonly #taken: number[] = [];

  async take(count: number): Promise<readonly Place[]> {
    const places: Place[] = [];
    for (let n = 0; n < count; n += 1)
      places.push({ port: await this.#next(), adminPort: await this.#next() });
    return places;
  }

  async #next(): Promise<number> {
    const port = await freePort(...this.#taken);
    this.#taken.push(port);
    return port;
  }
}

/** All of a service's replicas, as gRPC takes them. */
function addressOf(places: readonly Place[]): string {
  return `ipv4:${places.map(({ port }) => `${host}:${port}`).join(',')}`;
}

type ProofOf = (service: ServiceName) => Readonly<Record<string, string>>;

function byTokens(key: Uint8Array): ProofOf {
  return () => ({ POSTHORN_SERVICE_TOKEN_KEY: Buffer.from(key).toString('base64') });
}

/** A certificate for each service, of an authority that is theirs alone. */
function byCertificates(directory: string): ProofOf {
  const authority = createTestAuthority();
  const folder = join(directory, 'certificates');
  mkdirSync(folder);
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const authorityFile = file('authority.pem', authority.cert);
  return (service) => {
    const { cert, key } = authority.issue({ names: [service] });
    return {
      POSTHORN_GRPC_TLS_CERT_FILE: file(`${service}.pem`, cert),
      POSTHORN_GRPC_TLS_KEY_FILE: file(`${service}.key`, key),
      POSTHORN_GRPC_TLS_CA_FILE: authorityFile,
    };
  };
}

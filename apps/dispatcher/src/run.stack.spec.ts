import { randomBytes } from 'node:crypto';
import { configV1 } from '@posthorn/contracts';
import {
  createRpcServer,
  createServiceAuthentication,
  defineService,
  openTransportSecurity,
  type RpcServer,
  type TransportSecuritySettings,
} from '@posthorn/rpc';
import {
  createLogger,
  createMetrics,
  createReadiness,
  Lifecycle,
  silentLogger,
  systemClock,
  type Metrics,
  type Readiness,
} from '@posthorn/runtime';
import { startKafka, startMongodb } from '@posthorn/stack';
import { eventually, freePort } from '@posthorn/testing';
import { readDispatcherConfig } from './config.ts';
import { run } from './run.ts';

const tokenKey = Buffer.alloc(32, 1);
const settings: TransportSecuritySettings = { kind: 'tokens', keys: [tokenKey] };
const clock = systemClock;
const observed = { clock, logger: silentLogger, metrics: createMetrics() };

/** One life of the process. */
interface Life {
  readonly running: Promise<void>;
  readonly lifecycle: Lifecycle;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}

describe('the dispatcher as a process of its own', () => {
  const database = `posthorn_${randomBytes(6).toString('hex')}`;
  const topic = `posthorn-${randomBytes(6).toString('hex')}`;
  let configPort: number;
  let config: RpcServer;
  const lives: Life[] = [];

  beforeAll(async () => {
    configPort = await freePort();
    const security = openTransportSecurity({ service: 'config', settings, ...observed });
    config = createRpcServer({
      services: [
        defineService(configV1.DirectoryServiceService, {
          listChanges: () => Promise.resolve({ revision: 1n, organisationIds: [], reset: false }),
          listPendingVerifications: () => Promise.resolve({ verifications: [] }),
          getOrganisationView: () => Promise.reject(new Error('there is no organisation')),
        }),
      ],
      authenticate: createServiceAuthentication({ security, callers: ['dispatcher'], ...observed }),
      security,
      host: '127.0.0.1',
      port: configPort,
      ...observed,
    });
  });
  afterAll(async () => {
    for (const { readiness, running, lifecycle } of lives) {
      readiness.stopping();
      await running.catch(() => undefined);
      await lifecycle.close();
    }
    await config.stop(0);
  });

  async function start(): Promise<Life> {
    const logger = createLogger({ service: 'dispatcher', level: 'silent' });
    const lifecycle = new Lifecycle({ ...observed, stepTimeoutMs: 30_000, totalTimeoutMs: 30_000 });
    const readiness = createReadiness({ clock, logger });
    const metrics = createMetrics();
    const values = readDispatcherConfig({
      POSTHORN_MONGODB_URL: (await startMongodb()).url,
      POSTHORN_MONGODB_DATABASE: database,
      POSTHORN_KAFKA_BROKERS: (await startKafka()).brokers.join(','),
      POSTHORN_KAFKA_TOPIC: topic,
      POSTHORN_KAFKA_GROUP: topic,
      POSTHORN_KAFKA_TOPIC_PARTITIONS: '4',
      POSTHORN_KAFKA_TOPIC_REPLICATION: '1',
      POSTHORN_KAFKA_TOPIC_MIN_ISR: '1',
      POSTHORN_DANGEROUSLY_ALLOW_WEAK_TOPICS: 'true',
      POSTHORN_CONFIG_ADDRESS: `127.0.0.1:${configPort}`,
      POSTHORN_SERVICE_TOKEN_KEY: tokenKey.toString('base64'),
      POSTHORN_GRPC_PORT: '0',
    });
    const life: Life = {
      running: run(values, { logger, lifecycle, clock, metrics, readiness }),
      lifecycle,
      readiness,
      metrics,
    };
    lives.push(life);
    return life;
  }

  const holds = async ({ metrics }: Life, partitions: number): Promise<void> =>
    eventually(
      async () =>
        void expect(await metrics.render()).toContain(`posthorn_dispatcher_partitions ${partitions}\n`),
      { timeoutMs: 40_000 },
    );

  it('waits for config, owns the partitions, shares them with another, and gives them back when it stops', async () => {
    const first = await start();
    await eventually(
      () => first.readiness.reasons()[0]?.startsWith('waiting for config: A service') === true,
      {
        timeoutMs: 40_000,
      },
    );
    await config.start();
    await first.running;
    await holds(first, 4);

    const second = await start();
    await second.running;
    await holds(second, 2);
    await holds(first, 2);

    expect(await first.lifecycle.close()).toBe(true);
    await holds(second, 4);
    expect(await second.lifecycle.close()).toBe(true);
  });
});

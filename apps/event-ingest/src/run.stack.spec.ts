import { randomBytes } from 'node:crypto';
import { configV1, ingestV1 } from '@posthorn/contracts';
import type { Principal } from '@posthorn/models';
import {
  createRpcServer,
  createServiceAuthentication,
  defineService,
  openServiceClients,
  openTransportSecurity,
  type Client,
  type TransportSecuritySettings,
} from '@posthorn/rpc';
import {
  createLogger,
  createMetrics,
  createReadiness,
  Lifecycle,
  silentLogger,
  systemClock,
  type Readiness,
} from '@posthorn/runtime';
import { startKafka, startMongodb, type KafkaServer } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { readIngestConfig } from './config.ts';
import { run } from './run.ts';

const tokenKey = Buffer.alloc(32, 1);
const settings: TransportSecuritySettings = { kind: 'tokens', keys: [tokenKey] };
const tenant: Principal = { kind: 'key', id: 'k1', organisationId: 'o1', scopes: ['events:write'] };
const clock = systemClock;
const observed = { clock, logger: silentLogger, metrics: createMetrics() };

describe('event-ingest as a process of its own', () => {
  let kafka: KafkaServer;
  let lifecycle: Lifecycle;
  let readiness: Readiness;
  let lines: string[];
  let running: Promise<void>;

  beforeAll(async () => {
    kafka = await startKafka({ own: true });
  });
  afterAll(() => kafka.stop());

  beforeEach(async () => {
    lines = [];
    lifecycle = new Lifecycle({ ...observed, stepTimeoutMs: 20_000, totalTimeoutMs: 20_000 });
    const configAddress = await serveConfig();
    const logger = createLogger({
      service: 'event-ingest',
      destination: { write: (line) => lines.push(line) },
    });
    readiness = createReadiness({ clock, logger });
    const { url } = await startMongodb();
    const config = readIngestConfig({
      POSTHORN_MONGODB_URL: url,
      POSTHORN_MONGODB_DATABASE: `posthorn_${randomBytes(6).toString('hex')}`,
      POSTHORN_KAFKA_BROKERS: kafka.brokers.join(','),
      POSTHORN_KAFKA_TOPIC_REPLICATION: '1',
      POSTHORN_KAFKA_TOPIC_MIN_ISR: '1',
      POSTHORN_DANGEROUSLY_ALLOW_WEAK_TOPICS: 'true',
      POSTHORN_CONFIG_ADDRESS: configAddress,
      POSTHORN_SERVICE_TOKEN_KEY: tokenKey.toString('base64'),
      POSTHORN_GRPC_PORT: '0',
    });
    running = run(config, { logger, lifecycle, clock, metrics: createMetrics(), readiness });
  });
  afterEach(async () => {
    readiness.stopping();
    await running.catch(() => undefined);
    expect(await lifecycle.close()).toBe(true);
  });

  /** As much of config as event-ingest asks for: an organisation without event types. */
  async function serveConfig(): Promise<string> {
    const security = openTransportSecurity({ service: 'config', settings, ...observed });
    const server = createRpcServer({
      services: [
        defineService(configV1.DirectoryServiceService, {
          listChanges: () => Promise.resolve({ revision: 1n, organisationIds: [], reset: false }),
          listPendingVerifications: () => Promise.resolve({ verifications: [] }),
          getOrganisationView: ({ organisationId: id }) =>
            Promise.resolve({
              organisation: configV1.Organisation.fromPartial({ id }),
              eventTypes: [],
              policies: [],
              endpoints: [],
              nextCursor: '',
            }),
        }),
      ],
      authenticate: createServiceAuthentication({ security, callers: ['event-ingest'], ...observed }),
      security,
      host: '127.0.0.1',
      port: 0,
      ...observed,
    });
    lifecycle.defer('config', () => server.stop(1_000));
    return `127.0.0.1:${await server.start()}`;
  }

  async function connect(): Promise<Client<typeof ingestV1.IngestServiceService>> {
    const port = /"port":(\d+),"msg":"gRPC is served"/.exec(lines.join(''))?.[1];
    const security = openTransportSecurity({ service: 'gateway', settings, ...observed });
    lifecycle.defer('security', () => security.close());
    const clients = await openServiceClients({
      service: 'event-ingest',
      address: `127.0.0.1:${port}`,
      security,
    });
    lifecycle.defer('clients', () => clients.close());
    return clients.of(ingestV1.IngestServiceService);
  }

  it('accepts what the gateway publishes, and goes on by itself after Kafka was killed', async () => {
    await running;
    const ingest = await connect();
    const publish = (idempotencyKey?: string) => {
      const event = ingestV1.NewEvent.fromPartial({
        type: 'order.paid',
        data: Buffer.from('{"total":1.0}'),
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
      return ingest.publish({ event }, { principal: tenant, deadlineMs: 12_000 });
    };
    const first = await publish('order-1');
    expect(first.accepted?.duplicate).toBe(false);
    const again = await publish('order-1');
    expect(again.accepted).toMatchObject({ id: first.accepted?.id, duplicate: true });

    await kafka.kill();
    await expect(publish()).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|deadline_exceeded/),
    });
    await kafka.restart();

    await eventually(async () => void (await publish()), { timeoutMs: 40_000 });
  });

  it('stops well with a stream open: what was read of it is answered', async () => {
    await running;
    const ingest = await connect();
    const acknowledged: bigint[] = [];
    const stream = ingest.publishStream({ principal: tenant });
    const closed = new Promise((resolve) => stream.onClose(resolve));
    stream.onMessage(({ sequence }) => void acknowledged.push(sequence));
    const event = ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from('{}') });
    stream.send({ sequence: 1n, event });
    await eventually(() => acknowledged.length === 1);

    expect(await lifecycle.close()).toBe(true);

    expect(await closed).toBeNull();
  });
});

import { randomBytes } from 'node:crypto';
import { configV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import { openServiceClients, openTransportSecurity, type Client } from '@posthorn/rpc';
import {
  createLogger,
  createMetrics,
  createReadiness,
  Lifecycle,
  silentLogger,
  systemClock,
  type Readiness,
} from '@posthorn/runtime';
import { startMongodb, type MongodbServer } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { readConfigServiceConfig } from './config.ts';
import { run } from './run.ts';

const tokenKey = Buffer.alloc(32, 1);
const gateway = servicePrincipal('gateway');
const clock = systemClock;
const observed = { clock, logger: silentLogger, metrics: createMetrics() };

describe('the config service as a process of its own', () => {
  let mongodb: MongodbServer;
  let lifecycle: Lifecycle;
  let readiness: Readiness;
  let lines: string[];
  let running: Promise<void>;

  beforeAll(async () => {
    mongodb = await startMongodb({ own: true });
  });
  afterAll(() => mongodb.stop());

  beforeEach(() => {
    lines = [];
    lifecycle = new Lifecycle({ ...observed, stepTimeoutMs: 20_000, totalTimeoutMs: 20_000 });
  });
  afterEach(async () => {
    readiness.stopping();
    await running.catch(() => undefined);
    expect(await lifecycle.close()).toBe(true);
  });

  function start(): void {
    const logger = createLogger({ service: 'config', destination: { write: (line) => lines.push(line) } });
    readiness = createReadiness({ clock, logger });
    const config = readConfigServiceConfig({
      POSTHORN_MONGODB_URL: mongodb.url,
      POSTHORN_MONGODB_DATABASE: `posthorn_${randomBytes(6).toString('hex')}`,
      POSTHORN_ENCRYPTION_KEY: Buffer.alloc(32, 2).toString('base64'),
      POSTHORN_OPERATOR_KEY: 'k'.repeat(32),
      POSTHORN_SERVICE_TOKEN_KEY: tokenKey.toString('base64'),
      POSTHORN_GRPC_PORT: '0',
    });
    running = run(config, { logger, lifecycle, clock, metrics: createMetrics(), readiness });
  }

  async function connect(): Promise<Client<typeof configV1.OrganisationServiceService>> {
    const port = /"port":(\d+),"msg":"gRPC is served"/.exec(lines.join(''))?.[1];
    const security = openTransportSecurity({
      service: 'gateway',
      settings: { kind: 'tokens', keys: [tokenKey] },
      ...observed,
    });
    lifecycle.defer('security', () => security.close());
    const clients = await openServiceClients({ service: 'config', address: `127.0.0.1:${port}`, security });
    lifecycle.defer('clients', () => clients.close());
    return clients.of(configV1.OrganisationServiceService);
  }

  const list = { limit: 10, cursor: '' };

  it('waits for a database that is away at the start, says so, and serves once it is there', async () => {
    await mongodb.kill();
    start();
    await eventually(() => readiness.reasons()[0]?.startsWith('waiting for MongoDB: The database') === true, {
      timeoutMs: 30_000,
    });

    await mongodb.restart();
    await running;

    const organisations = await connect();
    expect(await organisations.listOrganisations(list, { principal: gateway })).toMatchObject({
      organisations: [],
    });
  });

  it('answers unavailable while the database is away, and goes on by itself when it is back', async () => {
    start();
    await running;
    readiness.started();
    const organisations = await connect();
    const ask = () => organisations.listOrganisations(list, { principal: gateway, deadlineMs: 3_000 });
    await ask();

    await mongodb.kill();
    await expect(ask()).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|deadline_exceeded/),
    });
    expect(readiness.reasons()).toEqual([]);
    await mongodb.restart();

    await eventually(async () => void (await ask()), { timeoutMs: 30_000 });
  });
});

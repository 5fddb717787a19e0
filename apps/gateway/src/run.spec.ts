import {
  ConfigError,
  createLogger,
  createMetrics,
  createReadiness,
  Lifecycle,
  silentLogger,
  systemClock,
} from '@posthorn/runtime';
import { readGatewayValues } from './config.ts';
import { run } from './run.ts';

/** Nobody listens there. */
const nowhere = '127.0.0.1:1';
const env = {
  POSTHORN_PORT: '0',
  POSTHORN_SERVICE_TOKEN_KEY: Buffer.alloc(32, 1).toString('base64'),
  POSTHORN_CONFIG_ADDRESS: nowhere,
  POSTHORN_INGEST_ADDRESS: nowhere,
  POSTHORN_DISPATCHER_ADDRESS: nowhere,
};

describe('the gateway as a process of its own', () => {
  let lifecycle: Lifecycle;
  let address: string;

  beforeEach(async () => {
    const lines: string[] = [];
    const logger = createLogger({ service: 'test', destination: { write: (line) => lines.push(line) } });
    const clock = systemClock;
    lifecycle = new Lifecycle({ logger: silentLogger, clock, stepTimeoutMs: 10_000, totalTimeoutMs: 10_000 });
    await run(readGatewayValues(env), {
      logger,
      lifecycle,
      clock,
      metrics: createMetrics(),
      readiness: createReadiness({ clock, logger }),
    });
    address = /"address":"([^"]+)"/.exec(lines.join(''))?.[1] ?? '';
  });
  afterEach(async () => {
    expect(await lifecycle.close()).toBe(true);
  });

  it('starts while every other service is away, and answers 503 with what to do', async () => {
    const answer = await fetch(`${address}/v1/endpoints`, { headers: { Authorization: 'Bearer phk_any' } });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 'unavailable' });
  });

  it('keeps probes and metrics on the admin port, out of the reach of whoever reaches the API', async () => {
    for (const path of ['/metrics', '/readyz', '/livez']) {
      expect((await fetch(`${address}${path}`)).status).toBe(404);
    }
    const document = await (await fetch(`${address}/openapi.json`)).text();
    expect(document).not.toContain('/metrics');
  });
});

describe('its settings', () => {
  it('name what is wrong with an address', () => {
    expect(() => readGatewayValues({ ...env, POSTHORN_CONFIG_ADDRESS: 'http://config' })).toThrow(
      ConfigError,
    );
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { eventually } from '@posthorn/testing';
import { refuseSecrets, rememberSecret } from './known-secrets.ts';

/**
 * The services with every secret of a deployment, and neither a MongoDB nor a Kafka that answers: that is when drivers and their errors are
 * at their most talkative. (What the standalone platform keeps to itself is in secrets.e2e.spec.ts.)
 */

const secrets = Object.fromEntries(
  ['mongodb', 'kafka', 'operator', 'proxy'].map((name) => [
    name,
    `${name}-${randomBytes(20).toString('hex')}`,
  ]),
);
const keys = { encryption: randomBytes(32), service: randomBytes(32) };
/** Nobody listens there. */
const nowhere = '127.0.0.1:9';
const root = resolve(import.meta.dirname, '../../..');

const env = {
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: resolve(root, 'node_modules/.cache/posthorn'),
  POSTHORN_LOG_LEVEL: 'trace',
  POSTHORN_ADMIN_PORT: '0',
  POSTHORN_GRPC_PORT: '0',
  POSTHORN_MONGODB_URL: `mongodb://posthorn:${secrets['mongodb']}@${nowhere}/`,
  POSTHORN_KAFKA_BROKERS: nowhere,
  POSTHORN_KAFKA_SASL_MECHANISM: 'plain',
  POSTHORN_KAFKA_USERNAME: 'posthorn',
  POSTHORN_KAFKA_PASSWORD: secrets['kafka'],
  POSTHORN_OPERATOR_KEY: secrets['operator'],
  POSTHORN_EGRESS_PROXY: `http://posthorn:${secrets['proxy']}@${nowhere}`,
  POSTHORN_ENCRYPTION_KEY: keys.encryption.toString('base64'),
  POSTHORN_SERVICE_TOKEN_KEY: keys.service.toString('base64'),
};

interface RunningService {
  readonly child: ChildProcess;
  readonly output: () => string;
}

const running: ChildProcess[] = [];
/** Started at once: each of them waits for its MongoDB for seconds before it says so. */
const waiting = new Map<string, RunningService>();
const services = ['config', 'event-ingest', 'dispatcher'];

beforeAll(() => {
  for (const [name, secret] of Object.entries(secrets)) rememberSecret(`the secret of ${name}`, secret);
  for (const [name, key] of Object.entries(keys)) {
    rememberSecret(`the ${name} key`, key);
    rememberSecret(`the ${name} key`, key.toString('base64'));
  }
  for (const service of services) waiting.set(service, start(service));
});
afterAll(async () => {
  await Promise.all(running.map((child) => endOf(child, 'SIGKILL')));
});

function endOf(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  const ended = new Promise<number | null>((done) => child.once('close', done));
  if (signal !== undefined) child.kill(signal);
  return ended;
}

function start(service: string, changes: Readonly<Record<string, string>> = {}): RunningService {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@posthorn/source',
      '--disable-warning=ExperimentalWarning',
      `${root}/apps/${service}/src/main.ts`,
    ],
    { env: { ...env, ...changes }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.push(child);
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  return { child, output: () => output };
}

it.each(services.map((service) => [service]))(
  '%s tells what it waits for, and no password',
  async (service) => {
    const { child, output } = waiting.get(service) ?? start(service);
    const adminPort = await eventually(
      () => {
        expect(output()).toMatch(/"msg":"waiting for /);
        return /"port":(\d+),"msg":"the admin port is open"/.exec(output())?.[1] ?? false;
      },
      { timeoutMs: 120_000, everyMs: 100 },
    );
    for (const path of ['/readyz', '/metrics', '/livez']) {
      refuseSecrets(path, await (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text());
    }
    await endOf(child, 'SIGTERM');
    refuseSecrets(`the output of ${service}`, output());
  },
);

it('a configuration with mistakes is refused without repeating what is secret in it', async () => {
  const { child, output } = start('dispatcher', {
    POSTHORN_EGRESS_PROXY: `socks5://posthorn:${secrets['proxy']}@${nowhere}`,
    POSTHORN_SERVICE_TOKEN_KEY: keys.service.toString('base64').slice(1),
    POSTHORN_KAFKA_SASL_MECHANISM: 'plane',
  });
  expect(await endOf(child)).toBe(2);
  expect(output()).toContain('POSTHORN_EGRESS_PROXY must be');
  expect(output()).toContain('POSTHORN_SERVICE_TOKEN_KEY must be');
  rememberSecret('half a key', keys.service.toString('base64').slice(1));
  refuseSecrets('the output', output());
});

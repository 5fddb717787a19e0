import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { endCommands, runCommand, startCommand, type CommandResult } from './posthorn-command.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;
let endpoints: readonly EndpointAnswer[];

beforeEach(async () => {
  receiver = await startReceiver();
  platform = await preparePlatform();
  await platform.start();
  tenant = await createTenant(platform);
  endpoints = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      tenant.endpoint({ url: `${receiver.url}/${index}`, headers: { 'x-token': `token-${index}` } }),
    ),
  );
  await tenant.ok('POST', '/v1/policies', { algorithm: 'es256' });
});
afterEach(async () => {
  await endCommands();
  await platform.dispose();
  await receiver.close();
});

const keyFile = (): string => join(platform.dataDir, 'encryption.key');
const keptKeys = (): readonly string[] => readFileSync(keyFile(), 'utf8').trim().split('\n');
const rotate = (...options: readonly string[]): Promise<CommandResult> =>
  runCommand(['rotate-encryption-key', '--json', ...options], { env: commandEnv() });
const commandEnv = () => ({ POSTHORN_URL: platform.url, POSTHORN_KEY: platform.operatorKey });

/** Publishes one event, and sees that every endpoint gets it, signed with its secret and with its own header. */
async function everyEndpointWorks(): Promise<void> {
  const { id } = await tenant.publish({ type: 'a', data: { at: receiver.requests.length } });
  await eventually(
    () => {
      const got = receiver.requests.filter(({ headers }) => headers['webhook-id'] === id);
      expect(new Set(got.map(({ path }) => path)).size).toBe(endpoints.length);
    },
    { timeoutMs: patienceMs },
  );
  verifyAll();
}

function verifyAll(): void {
  for (const { path, headers, body } of receiver.requests) {
    const index = Number(path.slice(1));
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(() => new Webhook(endpoints[index]?.secret ?? '').verify(body.toString(), signed)).not.toThrow();
    expect(headers['x-token']).toBe(`token-${index}`);
  }
}

it('a rotation stops no delivery, and the old key is not needed after it', async () => {
  const [oldKey] = keptKeys();
  let isOver = false;
  const publishing = (async () => {
    let published = 0;
    while (!isOver && published < 100) {
      await tenant.publish({ type: 'a', data: { published } });
      published++;
    }
    return published;
  })();
  const { code, stdout, stderr } = await rotate();
  isOver = true;
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(JSON.parse(stdout)).toMatchObject({
    left: 0,
    encryption: { isKept: true, keys: [{ secrets: 13 }] },
  });
  const published = await publishing;
  await eventually(() => receiver.requests.length >= published * endpoints.length, { timeoutMs: patienceMs });
  verifyAll();
  const kept = keptKeys();
  expect(kept).toHaveLength(1);
  expect(kept[0]).not.toBe(oldKey);

  await platform.kill();
  await platform.start();
  await everyEndpointWorks();
  expect(await tenant.ok('GET', '/v1/policies')).toMatchObject({ data: [{ algorithm: 'es256' }] });
  const again = await rotate();
  expect(JSON.parse(again.stdout)).toMatchObject({ resealed: 13, left: 0 });
});

it('a rotation that kill -9 ended is gone on with, and every key is there until then', async () => {
  const operator = createRestClient({ url: platform.url, key: platform.operatorKey });
  await operator.ok('POST', '/v1/encryption/rotate');
  expect(await operator.ok('POST', '/v1/encryption/reseal')).toMatchObject({
    resealed: 12,
    nextCursor: 'policy',
  });
  const keys = keptKeys();
  expect(keys).toHaveLength(2);
  await platform.kill();
  await platform.start();
  await everyEndpointWorks();

  // Somewhere in the middle, whatever that is.
  const broken = startCommand(['rotate-encryption-key'], { env: commandEnv() });
  const [killed] = await Promise.all([broken.ended, platform.kill()]);
  expect([0, 4]).toContain(killed.code);
  await platform.start();
  await everyEndpointWorks();

  expect((await rotate()).code).toBe(0);
  expect(keptKeys()).toHaveLength(1);
  await platform.kill();
  await platform.start();
  await everyEndpointWorks();
});

it('a platform that is stopped is rotated in its directory, and one that runs is not', async () => {
  const running = await rotate('--data-dir', platform.dataDir);
  expect(running.code).toBe(1);
  expect(running.stderr).toContain('is using');
  const [oldKey] = keptKeys();
  await platform.stop();
  const { code, stdout, stderr } = await rotate('--data-dir', platform.dataDir);
  expect(`${code} ${stderr}`).toBe('0 ');
  expect(JSON.parse(stdout)).toMatchObject({ resealed: 13, left: 0 });
  expect(keptKeys()).not.toContain(oldKey);
  await platform.start();
  await everyEndpointWorks();
});

it('a key that is missing at the start is named, and nothing is lost by it', async () => {
  await platform.stop();
  const [key = ''] = keptKeys();
  writeFileSync(keyFile(), `${randomBytes(32).toString('base64')}\n`);
  await expect(platform.start()).rejects.toThrow(/Missing: [\w-]{8} \(of 13\); there: [\w-]{8}\./);
  writeFileSync(keyFile(), `${key}\n`);
  await platform.start();
  await everyEndpointWorks();
});

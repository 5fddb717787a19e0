/** The encryption key is changed on two replicas of config, by the steps of docs/operations.md, and no delivery notices. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { runCommand } from '../posthorn-command.ts';
import { createTenant, patienceMs, type Tenant } from '../tenant.ts';

const directory = mkdtempSync(join(tmpdir(), 'posthorn-keys-'));
const keyFile = join(directory, 'encryption.key');
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'));
const give = (...keys: readonly (string | undefined)[]): void => writeFileSync(keyFile, keys.join(','));

let platform: StackPlatform;
let receiver: Receiver;
let tenant: Tenant;
/** Of each endpoint by the path that it has; a try to make one whose answer was lost has left one that isn't here. */
const secrets = new Map<string, string>();
let tries = 0;

beforeAll(async () => {
  give(oldKey);
  receiver = await startReceiver();
  platform = await startStackPlatform({
    counts: { config: 2 },
    security: 'tokens',
    env: { POSTHORN_ENCRYPTION_KEY: '', POSTHORN_ENCRYPTION_KEY_FILE: keyFile },
  });
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
  rmSync(directory, { recursive: true });
});

/** A replica that has just gone is still asked for a moment, and a machine that is busy answers late. */
const patiently = <T>(work: () => Promise<T>): Promise<T> =>
  eventually(work, { timeoutMs: patienceMs, everyMs: 200 });

async function restartConfig(): Promise<void> {
  for (const replica of platform.processes('config')) {
    await replica.stop();
    await replica.start();
    // With one replica before the step and one behind it: what either seals, both can open.
    await everythingWorks();
  }
}

/** An endpoint more, whichever replica makes it, and an event to all of them. */
async function everythingWorks(): Promise<void> {
  await patiently(async () => {
    const path = `/${++tries}`;
    const { secret } = await tenant.endpoint({ url: receiver.url + path });
    secrets.set(path, secret);
  });
  const { id } = await patiently(() => tenant.publish({ type: 'a', data: {} }));
  await eventually(
    () => {
      const got = receiver.requests.filter(({ headers }) => headers['webhook-id'] === id);
      const paths = new Set(got.map(({ path }) => path));
      expect([...secrets.keys()].filter((path) => !paths.has(path))).toEqual([]);
    },
    { timeoutMs: patienceMs },
  );
  for (const { path, headers, body } of receiver.requests) {
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    const secret = secrets.get(path);
    if (secret === undefined) continue;
    expect(() => new Webhook(secret).verify(body.toString(), signed)).not.toThrow();
  }
}

it('a key is given behind the old one, then before it, everything is sealed anew, and the old one is left out', async () => {
  await platform.explain(async () => {
    tenant = await patiently(() => createTenant(platform));
    for (let count = 0; count < 4; count++) await everythingWorks();

    give(oldKey, newKey);
    await restartConfig();
    give(newKey, oldKey);
    await restartConfig();

    const env = { POSTHORN_URL: platform.url, POSTHORN_KEY: platform.operatorKey };
    const { code, stdout, stderr } = await runCommand(['rotate-encryption-key', '--json'], { env });
    expect(`${code} ${stderr}`).toMatch(/^0 Nothing is sealed with [\w-]{8} any more/);
    expect(JSON.parse(stdout)).toMatchObject({
      left: 0,
      encryption: { isKept: false, keys: [{ secrets: expect.any(Number) }, { secrets: 0 }] },
    });

    give(newKey);
    await restartConfig();

    // And a replica that only has the old key says what it lacks.
    give(oldKey);
    const [replica] = platform.processes('config');
    await replica?.stop();
    await expect(replica?.start()).rejects.toThrow(/Missing: [\w-]{8} \(of \d+\); there: [\w-]{8}\./);
    give(newKey);
    await replica?.start();
  });
});

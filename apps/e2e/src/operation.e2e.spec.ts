import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startReceiver } from '@posthorn/testing';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { runCommand, startCommand, type RunningCommand } from './posthorn-command.ts';
import { createRestClient } from './rest-client.ts';
import { createTenant, patienceMs } from './tenant.ts';

let directory: string;
const running: RunningCommand[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-operation-'));
});
afterEach(async () => {
  for (const command of running) command.signal('SIGKILL');
  await Promise.all(running.splice(0).map(({ ended }) => ended));
  rmSync(directory, { recursive: true, force: true });
});

/** `posthorn serve` in the test's directory, until it says that it listens. */
async function serve(
  env: Readonly<Record<string, string>> = {},
): Promise<{ command: RunningCommand; url: string }> {
  const command = startCommand(['serve'], {
    env: { POSTHORN_PORT: '0', POSTHORN_DATA_DIR: directory, ...env },
  });
  running.push(command);
  const url = await eventually(() => listeningUrl(command), { timeoutMs: patienceMs });
  return { command, url };
}

function listeningUrl(command: RunningCommand): string {
  const url = /^listening on (http:\S+)$/m.exec(command.stdout())?.[1];
  if (url === undefined) throw new Error(`posthorn isn't listening: ${command.stderr()}`);
  return url;
}

async function stop({ command }: { readonly command: RunningCommand }): Promise<number | null> {
  command.signal('SIGTERM');
  return (await command.ended).code;
}

function refused(env: Readonly<Record<string, string>>, ...args: string[]) {
  return runCommand(['serve', ...args], { env: { POSTHORN_DATA_DIR: directory, ...env } });
}

describe('a start', () => {
  it('makes an operator key and shows it once, the very first time', async () => {
    const first = await serve();
    const shown = /^operator key (\S+)$/m.exec(first.command.stdout())?.[1] ?? '';
    expect(shown).toMatch(/^phk_[0-9A-Za-z]{36}$/);
    expect(first.command.stderr()).not.toContain(shown);
    const client = createRestClient({ url: first.url, key: shown });
    await client.ok('POST', '/v1/organisations', { slug: 'acme' });
    expect(await stop(first)).toBe(0);
    const second = await serve();
    expect(second.command.stdout()).not.toMatch(/operator key|phk_/);
    await createRestClient({ url: second.url, key: shown }).ok('GET', '/v1/organisations/acme');
    expect(await stop(second)).toBe(0);
  });

  it('keeps what it writes for its owner alone', async () => {
    await serve();
    expect(statSync(join(directory, 'encryption.key')).mode & 0o077).toBe(0);
  });

  it('tells every problem of its configuration at once, and starts nothing', async () => {
    const env = {
      POSTHORN_PORT: 'eighty',
      POSTHORN_ALLOW_TARGETS: '127.0.0.0/8,10.0.0.0/99',
      POSTHORN_OPERATOR_KEY: 'too-short-to-be-a-key',
      POSTHORN_REQUIRE_HTTPS: 'perhaps',
      POSTHORN_DATADIR: '/tmp',
    };
    for (const args of [[], ['--check-config']]) {
      const { code, stdout, stderr } = await refused(env, ...args);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      for (const name of Object.keys(env)) expect(stderr).toContain(name);
      expect(stderr).toContain('Did you mean POSTHORN_DATA_DIR?');
      expect(stderr).not.toContain('too-short-to-be-a-key');
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says that a configuration is good, and touches nothing', async () => {
    const { code, stdout } = await refused({ POSTHORN_PORT: '0' }, '--check-config');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The configuration is valid.\n' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('on a directory that another process uses is refused with what to do', async () => {
    const { command, url } = await serve();
    const { code, stderr } = await refused({ POSTHORN_PORT: '0' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/Another Posthorn process \(pid \d+\) is using .*posthorn\.db/);
    expect(stderr).toContain('POSTHORN_DATA_DIR');
    // The one that was there goes on undisturbed, and leaves nothing behind that would be in the way.
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    command.signal('SIGKILL');
    await command.ended;
    await serve();
  });

  it('on a port that is taken is refused with what to do', async () => {
    const taken = await startReceiver();
    const { code, stderr } = await refused({ POSTHORN_PORT: String(taken.port) });
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${taken.port} of 127.0.0.1 is taken`);
    expect(stderr).toContain('POSTHORN_PORT');
    const grpc = await refused({ POSTHORN_PORT: '0', POSTHORN_GRPC_PORT: String(taken.port) });
    expect(grpc.code).toBe(1);
    expect(grpc.stderr).toContain('POSTHORN_GRPC_PORT');
    await taken.close();
  });

  it('on a directory that cannot be written says so', async () => {
    const dataDir = join(directory, 'file', 'below');
    writeFileSync(join(directory, 'file'), '');
    const { code, stderr } = await refused({ POSTHORN_PORT: '0', POSTHORN_DATA_DIR: dataDir });
    expect(code).toBe(1);
    expect(stderr).toContain(`The data directory ${dataDir} can't be used`);
    expect(stderr).toContain('POSTHORN_DATA_DIR');
  });
});

describe('npm start', () => {
  it('runs the platform until npm itself is told to stop, and leaves nothing running', async () => {
    const npm = startCommand(['start'], {
      executable: 'npm',
      env: { POSTHORN_PORT: '0', POSTHORN_DATA_DIR: directory },
    });
    running.push(npm);
    const url = await eventually(() => listeningUrl(npm), { timeoutMs: patienceMs });
    npm.signal('SIGTERM');
    expect((await npm.ended).code).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  });
});

describe('a running platform', () => {
  let platform: PlatformProcess;
  beforeAll(async () => {
    platform = await preparePlatform({ env: { POSTHORN_LOG_LEVEL: 'trace' } });
    await platform.start();
  });
  afterAll(() => platform.dispose());

  const get = async (path: string) => {
    const response = await fetch(platform.url + path);
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };

  it('says that it is alive and ready, and describes itself', async () => {
    expect(await get('/livez')).toMatchObject({ status: 200, text: '{"status":"live"}' });
    expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"status":"ready","reasons":[]}' });
    const { text } = await get('/openapi.json');
    expect(JSON.parse(text)).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\./),
      paths: { '/v1/events': expect.anything() },
    });
    expect(await get('/docs')).toMatchObject({ status: 200, type: expect.stringContaining('text/html') });
  });

  it('never lets a secret out: not in logs, metrics, errors or answers, and not into its files', async () => {
    const receiver = await startReceiver({ behaviour: 500 });
    const tenant = await createTenant(platform);
    const keyed = { 'idempotency-key': 'with-secrets' };
    const own = `whsec_${Buffer.alloc(32, 'own secret of the endpoint').toString('base64')}`;
    const settings = {
      url: `${receiver.url}/?token=secret-in-the-url`,
      uid: 'sealed',
      signing: ['v1', 'v1a'],
      secret: own,
      headers: { Authorization: 'Bearer secret-of-a-header' },
      retryDelaysMs: [100],
    };
    const created = await tenant.call<{ id: string }>('POST', '/v1/endpoints', settings, keyed);
    const { data: secrets } = await tenant.ok<{ data: { secret: string }[] }>(
      'POST',
      '/v1/endpoints/sealed/secrets/rotate',
    );
    const { id } = await tenant.publish({
      type: 'very.unusual.type',
      data: {},
      labels: { secretive: 'label' },
    });
    await tenant.deliveryIn('exhausted', id, created.body.id);
    await tenant.ok('POST', '/v1/endpoints/sealed/test');
    const badToken = 'phk_a-token-that-is-no-key-of-anyone';
    const badSecret = 'whsec_a-secret-that-cannot-be-one!';
    const answers = [
      await tenant.as({ key: badToken }).call('GET', '/v1/endpoints'),
      await tenant.call('POST', '/v1/endpoints', { url: receiver.url, secret: badSecret }),
      await tenant.call('POST', '/v1/endpoints', {
        url: receiver.url,
        headers: { 'X-A': 'secret-of-a-header\n' },
      }),
      await tenant.call('POST', '/v1/endpoints', { ...settings, uid: 'other' }, keyed),
      await tenant.call('POST', '/v1/endpoints', settings, keyed),
      await tenant.call('GET', '/v1/endpoints/sealed'),
      await tenant.call('GET', '/v1/keys'),
      await tenant.call('POST', '/v1/endpoints', `{"secret":"${own}",`),
    ].map(({ text }) => text);
    const { text: metrics } = await get('/metrics');

    expect(secrets.length).toBeGreaterThanOrEqual(3);
    const bare = secrets.map(({ secret }) => secret.replace(/^whs.+?_/, ''));
    const hidden = [...bare, tenant.key, operatorKey, badToken, badSecret, 'secret-of-a-header'];
    for (const secret of [...hidden, 'secret-in-the-url']) {
      expect(platform.output()).not.toContain(secret);
      expect(metrics).not.toContain(secret);
    }
    for (const secret of hidden) for (const answer of answers) expect(answer).not.toContain(secret);
    // Nor does a metric have a value per tenant, endpoint or type: their number has no bound.
    expect(metrics).toContain('posthorn_attempts_total');
    for (const name of [
      tenant.id,
      tenant.slug,
      created.body.id,
      'sealed',
      'very.unusual.type',
      'secretive',
      id,
    ]) {
      expect(metrics).not.toContain(name);
    }
    for (const name of readdirSync(platform.dataDir)) {
      const content = readFileSync(join(platform.dataDir, name));
      for (const secret of hidden) expect(`${name} ${content.includes(secret)}`).toBe(`${name} false`);
    }
    await receiver.close();
  });
});

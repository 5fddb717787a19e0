/** The command line as people and scripts use it: the real executable against a real platform, each a process of its own. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import {
  endCommands,
  executable,
  runCommand,
  startCommand,
  type CommandResult,
  type RunningCommand,
} from './posthorn-command.ts';
import { createRestClient } from './rest-client.ts';

/** For what comes soon on a machine that isn't busy. */
const patience = { timeoutMs: 60_000 };

interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly endpointId: string;
  readonly state: string;
  readonly attempts: number;
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
});
afterEach(async () => {
  await endCommands();
  rmSync(directory, { recursive: true, force: true });
});

const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

describe('the executable', () => {
  test('runs from anywhere, through a link', async () => {
    const { code, stdout } = await runCommand(['--version']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  test('says clearly when Node.js is too old, or not there', async () => {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const lonely = join(bin, 'posthorn');
    copyFileSync(executable, lonely);
    const none = await runCommand(['--version'], {
      executable: lonely,
      env: { PATH: '/usr/bin:/bin:/nowhere' },
    });
    // Where the system itself has a node, that one is told or used.
    expect(none.code === 0 || none.stderr.includes('needs Node.js 24 or newer')).toBe(true);

    const old = join(directory, 'node');
    writeFileSync(old, '#!/bin/sh\necho v20.20.2\n');
    chmodSync(old, 0o755);
    const result = await runCommand(['--version'], {
      executable: lonely,
      env: { PATH: `${directory}:/usr/bin:/bin` },
    });
    expect(result).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('posthorn needs Node.js 24 or newer; the node on the PATH is v20.20.2'),
    });
  });
});

describe('posthorn serve', () => {
  const serve = (...argv: string[]): RunningCommand =>
    startCommand(['serve', '--port', '0', '--data-dir', join(directory, 'data'), ...argv]);
  const ready = (running: RunningCommand): Promise<string> =>
    eventually(
      () => {
        const [, url] = /^listening on (\S+)$/m.exec(running.stdout()) ?? [];
        if (url === undefined) throw new Error(running.stderr());
        return url;
      },
      { timeoutMs: 60_000, message: 'Starting' },
    );
  const stopped = (running: RunningCommand): Promise<CommandResult> => {
    running.signal('SIGTERM');
    return running.ended;
  };

  test('prints an operator key on the first start only, and the key works', async () => {
    const first = serve();
    const url = await ready(first);
    const [, key = ''] = /^operator key (phk_\S+)$/m.exec(first.stdout()) ?? [];
    const env = { POSTHORN_URL: url, POSTHORN_KEY: key };
    expect((await runCommand(['organisations', 'create', 'acme'], { env })).code).toBe(0);
    expect((await stopped(first)).code).toBe(0);

    const second = serve();
    const again = await ready(second);
    expect(second.stdout()).not.toContain('operator key');
    const listed = await runCommand(['organisations', 'list', '--json'], {
      env: { ...env, POSTHORN_URL: again },
    });
    expect(jsonLines(listed.stdout)).toEqual([expect.objectContaining({ slug: 'acme' })]);
    expect((await stopped(second)).code).toBe(0);
  });

  test('refuses a directory that another process uses, and says what to do', async () => {
    const first = serve();
    await ready(first);
    const second = await serve().ended;
    expect(second.code).toBe(1);
    expect(second.stdout).toBe('');
    expect(second.stderr).toMatch(/^posthorn: Another Posthorn process \(pid \d+\) .*POSTHORN_DATA_DIR\.$/m);
    expect((await stopped(first)).code).toBe(0);
  });

  test('--check-config tells every problem at once and touches nothing', async () => {
    const env = { POSTHORN_PORT: 'http', POSTHORN_HOTS: '::1' };
    const argv = ['serve', '--check-config', '--data-dir', join(directory, 'data')];
    const wrong = await runCommand(argv, { env });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('POSTHORN_PORT must be');
    expect(wrong.stderr).toContain('Did you mean POSTHORN_HOST?');
    expect((await runCommand(argv)).code).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('against a platform', () => {
  let platform: PlatformProcess;
  let env: Record<string, string>;

  beforeAll(async () => {
    platform = await preparePlatform();
    await platform.start();
    env = { POSTHORN_URL: platform.url, POSTHORN_KEY: platform.operatorKey };
    await succeed(['organisations', 'create', 'acme']);
    const key = await one<{ token: string }>(['--organisation', 'acme', 'keys', 'create', 'test']);
    env = { POSTHORN_URL: platform.url, POSTHORN_KEY: key.token };
  });
  afterAll(() => platform.dispose());

  async function succeed(argv: readonly string[], stdin = ''): Promise<string> {
    const result = await runCommand(argv, { env, stdin });
    if (result.code !== 0) throw new Error(`posthorn ${argv.join(' ')}: ${result.code} ${result.stderr}`);
    return result.stdout;
  }
  const one = async <T>(argv: readonly string[]): Promise<T> =>
    JSON.parse(await succeed([...argv, '--json'])) as T;
  const many = async <T>(argv: readonly string[]): Promise<T[]> =>
    jsonLines<T>(await succeed([...argv, '--json']));

  test('publish, listen and tail: what is published arrives, signed, and is seen', async () => {
    const listener = startCommand(
      ['listen', '--register', '--event-type', 'cli.*', '--count', '2', '--json'],
      { env },
    );
    const tail = startCommand(['events', 'tail', '--type', 'cli.test', '--after', '10m', '--json'], { env });
    await eventually(() => listener.stderr().includes('listening on'), { timeoutMs: 30_000 });

    const first = await one<{ id: string }>(['publish', 'cli.test', '{"n": 12345678901234567890, "x": 1.0}']);
    const second = await one<{ id: string; duplicate: boolean }>([
      'publish',
      'cli.test',
      '{}',
      '--id',
      'mine',
    ]);
    const again = await one<{ id: string; duplicate: boolean }>([
      'publish',
      'cli.test',
      '{}',
      '--id',
      'mine',
    ]);
    expect([second, again]).toEqual([
      expect.objectContaining({ id: 'mine', duplicate: false }),
      expect.objectContaining({ id: 'mine', duplicate: true }),
    ]);

    const { code, stdout } = await listener.ended;
    expect(code).toBe(0);
    const received = jsonLines<{ body: string; verification: object; headers: Record<string, string> }>(
      stdout,
    );
    expect(received.map(({ verification }) => verification)).toEqual([
      expect.objectContaining({ valid: true }),
      expect.objectContaining({ valid: true }),
    ]);
    const arrived = received.find(({ headers }) => headers['webhook-id'] === first.id);
    expect(arrived?.body).toContain('"data":{"n": 12345678901234567890, "x": 1.0}');
    expect(await succeed(['events', 'payload', first.id])).toBe('{"n": 12345678901234567890, "x": 1.0}');

    await eventually(() => {
      const seen = jsonLines<{ id: string }>(tail.stdout()).map(({ id }) => id);
      expect(seen.sort()).toEqual([first.id, 'mine'].sort());
    }, patience);
    tail.signal('SIGINT');
    expect((await tail.ended).code).toBe(0);
    expect(await many(['endpoints', 'list'])).toEqual([]);
  });

  test('endpoints and deliveries: what failed is found, retried and shown with its attempts', async () => {
    const receiver = startCommand(['listen', '--fail-first', '1', '--json'], { env });
    const url = await eventually(() => {
      const [, found] = /listening on (\S+)/.exec(receiver.stderr()) ?? [];
      return found ?? false;
    }, patience);
    const argv = [
      'endpoints',
      'create',
      String(url),
      '--uid',
      'shop',
      '--event-type',
      'shop.*',
      '--retry-delays-ms',
      '',
    ];
    const endpoint = await one<{ id: string; secret: string }>(argv);
    expect(endpoint.secret).toMatch(/^whsec_/);
    const event = await one<{ id: string }>(['publish', 'shop.sold', '{"total":5}']);

    const failed = await eventually(async () => {
      const found = await many<Delivery>(['deliveries', 'list', '--event', event.id, '--state', 'exhausted']);
      expect(found).toHaveLength(1);
      return found[0];
    }, patience);
    expect(failed).toMatchObject({ endpointId: endpoint.id, attempts: 1 });
    await succeed(['deliveries', 'retry', failed?.id ?? '']);
    const shown = await eventually(async () => {
      const delivery = await one<Delivery & { history: { outcome: string }[] }>([
        'deliveries',
        'show',
        failed?.id ?? '',
      ]);
      expect(delivery.state).toBe('succeeded');
      return delivery;
    }, patience);
    expect(shown.history.map(({ outcome }) => outcome)).toEqual(['success', 'http_error']);
    expect(await succeed(['deliveries', 'show', failed?.id ?? ''])).toMatch(
      /http_error 503[\s\S]*success 200/,
    );

    const paused = await one<{ state: string; stateReason: string }>([
      'endpoints',
      'pause',
      'shop',
      '--reason',
      'moving',
    ]);
    expect(paused).toMatchObject({ state: 'paused', stateReason: 'moving' });
    await one(['endpoints', 'resume', 'shop']);
    expect((await runCommand(['endpoints', 'test', 'shop'], { env })).code).toBe(0);
    expect((await many(['endpoints', 'rotate-secret', 'shop'])).length).toBe(2);
    await succeed(['endpoints', 'delete', 'shop']);
    const gone = await runCommand(['endpoints', 'show', 'shop', '--json'], { env });
    expect(gone.code).toBe(3);
    expect(JSON.parse(gone.stderr)).toMatchObject({ error: { status: 404, code: 'not_found' } });
    receiver.signal('SIGINT');
    expect((await receiver.ended).code).toBe(0);
  });

  test('a file that is published while the platform is killed and started again is published once', async () => {
    const count = 20_000;
    const lines = Array.from({ length: count }, (_, n) => JSON.stringify({ type: 'file.line', data: { n } }));
    const file = join(directory, 'events.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n{"type":"not a type","data":1}\n`);
    const errors = join(directory, 'refused.ndjson');
    const publishing = startCommand(
      ['publish', '--file', file, '--batch', '10', '--errors', errors, '--json'],
      { env },
    );
    let hasEnded = false;
    void publishing.ended.then(() => {
      hasEnded = true;
    });

    // Over HTTP, which is quick: a command of its own could start so slowly that everything is published by then.
    const rest = createRestClient({ url: platform.url, key: env['POSTHORN_KEY'] ?? '' });
    await eventually(async () => {
      const { data } = await rest.ok<{ data: unknown[] }>('GET', '/v1/events?type=file.line&limit=1');
      return data.length > 0;
    }, patience);
    expect(hasEnded).toBe(false);
    await platform.kill();
    await platform.start();
    const { code, stdout, stderr } = await publishing.ended;
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(JSON.parse(stdout)).toMatchObject({
      read: count + 1,
      accepted: count,
      duplicates: 0,
      refused: 1,
      unknown: 0,
      refusals: [{ line: count + 1 }],
    });

    const published = await many<{ id: string }>(['events', 'list', '--type', 'file.line', '--all']);
    expect(published).toHaveLength(count);
    expect(new Set(published.map(({ id }) => id)).size).toBe(count);
  });
});

describe('posthorn demo', () => {
  test('delivers and verifies everything within a minute, retries what failed, and leaves nothing behind', async () => {
    const startedAt = performance.now();
    const { code, stdout, stderr } = await runCommand(['demo', '--json'], { env: { TMPDIR: directory } });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    const report = JSON.parse(stdout) as {
      endpoints: { expected: number; verified: number; retried: number }[];
    };
    expect(report).toMatchObject({ published: 300, complete: true });
    for (const { expected, verified } of report.endpoints) expect(verified).toBe(expected);
    expect(report.endpoints.some(({ retried }) => retried > 0)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('Ctrl-C ends it and leaves nothing behind', async () => {
    const running = startCommand(['demo', '--events', '50000'], { env: { TMPDIR: directory } });
    await eventually(() => running.stdout().includes('setup'), { timeoutMs: 30_000 });
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(readdirSync(directory)).toEqual([]);
  });
});

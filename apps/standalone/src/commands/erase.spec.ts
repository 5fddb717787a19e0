import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { runCli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { createTestIo, runInTest } from '../terminal/io.harness.ts';

/** `posthorn erase` and `posthorn erasures` against an API that says what the test wants. */

const erasure = {
  id: 'e1',
  state: 'running',
  target: 'subject',
  eventId: null,
  subjectHash: 'hash',
  progress: { examined: 10, events: 4, deliveries: 1, responses: 3 },
  error: null,
  createdBy: 'key',
  createdAt: '2026-01-01T01:00:00.000Z',
  startedAt: null,
  finishedAt: null,
};
const ended = { ...erasure, state: 'succeeded', finishedAt: '2026-01-01T02:00:00.000Z' };

describe('posthorn erase', () => {
  let api: Receiver;
  beforeEach(async () => {
    api = await startReceiver();
  });
  afterEach(() => api.close());

  const env = () => ({ POSTHORN_URL: api.url, POSTHORN_KEY: 'phk_env' });
  const run = (...argv: readonly string[]) => runInTest(argv, { env: env() });
  const answer = (status: number, body: unknown) =>
    api.behave(respond(status, { body: JSON.stringify(body) }));

  test('erases nothing unless somebody says that it is meant', async () => {
    const { code, stderr } = await run('erase', '--subject', 'customer-42');
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('--yes');
    expect(api.requests).toEqual([]);
  });

  test.each([
    ['yes\n', 1],
    ['no\n', 0],
    ['', 0],
  ])('asks at a terminal, and %j makes %d requests', async (typed, requests) => {
    answer(202, ended);
    const io = createTestIo({ env: env(), stdin: typed });
    Object.assign(io.stdin, { isTTY: true });
    const code = await runCli(['erase', '--event', 'e1'], io);
    expect(code).toBe(requests === 1 ? exitCodes.ok : exitCodes.failure);
    expect(io.written.stderr()).toContain('Erasing event e1 cannot be undone.');
    expect(api.requests.length).toBe(requests);
  });

  test('waits until it is done, and shows how far it is on standard error', async () => {
    let asked = 0;
    api.behave(
      respondBy(({ method }) => {
        asked += 1;
        const body = method === 'POST' || asked < 4 ? erasure : ended;
        return respond(method === 'POST' ? 202 : 200, { body: JSON.stringify(body) });
      }),
    );
    const io = createTestIo({ env: env(), columns: 120 });
    let code: number | undefined;
    void runCli(['erase', '--subject', 'customer-42', '--yes'], io).then((exit) => (code = exit));
    await eventually(
      async () => {
        await io.clock.advanceAsync(500);
        return code !== undefined;
      },
      { timeoutMs: 30_000 },
    );
    expect(code).toBe(exitCodes.ok);
    const [first] = api.requests;
    expect([first?.method, first?.path, JSON.parse(first?.body.toString() ?? '')]).toEqual([
      'POST',
      '/v1/erasures',
      { subject: 'customer-42' },
    ]);
    expect(io.written.stderr()).toContain('running: 10 events looked at, 4 erased');
    expect(io.written.stdout()).toContain('succeeded');
  });

  test('is exit code 1 when it fails', async () => {
    answer(202, { ...ended, state: 'failed', error: 'The disk is gone.' });
    const { code, stderr } = await run('erase', '--event', 'x', '--yes');
    expect(code).toBe(exitCodes.failure);
    expect(stderr).toContain('The disk is gone.');
  });

  test('lists and shows what was erased', async () => {
    answer(200, { data: [ended], nextCursor: null });
    expect((await run('erasures', 'list')).stdout).toContain('hash');
    expect(api.requests.at(-1)?.path).toBe('/v1/erasures?limit=50');
    answer(200, ended);
    expect((await run('erasures', 'show', 'e1')).stdout).toContain('succeeded');
    expect(JSON.parse((await run('erasures', 'get', 'e1', '--json')).stdout)).toEqual(ended);
  });
});

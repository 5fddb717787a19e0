import { eventually, respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { runCli } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { createTestIo, runInTest } from '../terminal/io.harness.ts';

/** `posthorn replays` and `posthorn deliveries retry` against an API that says what the test wants. */

const replay = {
  id: 'r1',
  state: 'running',
  trigger: 'replay',
  endpoint: 'e1',
  eventId: null,
  eventTypes: null,
  states: ['failed', 'exhausted', 'held'],
  statusClass: null,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T01:00:00.000Z',
  createdAfter: null,
  createdBefore: null,
  includeUnmatched: false,
  perSecond: 50,
  dryRun: false,
  progress: {
    total: 10,
    done: 4,
    skipped: 1,
    skippedBecause: { payload_expired: 1 },
    remaining: 5,
    estimatedEndAt: '2026-01-01T02:00:00.000Z',
  },
  error: null,
  createdBy: 'key',
  createdAt: '2026-01-01T01:00:00.000Z',
  startedAt: null,
  finishedAt: null,
};
const ended = {
  ...replay,
  state: 'succeeded',
  progress: { ...replay.progress, done: 9, remaining: 0, estimatedEndAt: null },
  finishedAt: '2026-01-01T02:00:00.000Z',
};

describe('posthorn replays', () => {
  let api: Receiver;
  beforeEach(async () => {
    api = await startReceiver();
  });
  afterEach(() => api.close());

  const env = () => ({ POSTHORN_URL: api.url, POSTHORN_KEY: 'phk_env' });
  const run = (...argv: readonly string[]) => runInTest(argv, { env: env() });
  const answer = (status: number, body: unknown) =>
    api.behave(respond(status, { body: JSON.stringify(body) }));
  const lastRequest = () => {
    const { method, path, body } = api.requests.at(-1) ?? {};
    return [method, path, JSON.parse(body?.toString() ?? '') as unknown];
  };

  test('creates a replay of what the options say, and shows it', async () => {
    answer(202, replay);
    const { code, stdout } = await run(
      ...['replays', 'create', '--endpoint', 'shop', '--since', '1h', '--until', '2026-01-01T00:00:00Z'],
      ...['--state', 'held', '--state', 'failed', '--event-type', 'order.*', '--status-class', '5'],
      ...['--include-unmatched', '--per-second', '50'],
    );
    expect(code).toBe(exitCodes.ok);
    expect(lastRequest()).toEqual([
      'POST',
      '/v1/replays',
      {
        endpoint: 'shop',
        since: '2025-12-31T23:00:00.000Z',
        until: '2026-01-01T00:00:00.000Z',
        states: ['held', 'failed'],
        eventTypes: ['order.*'],
        statusClass: '5xx',
        includeUnmatched: true,
        perSecond: 50,
      },
    ]);
    expect(stdout).toContain('skipped     1 (payload_expired 1)\n');
    expect(stdout).toContain('remaining   5\n');
  });

  test('says what a dry run would send', async () => {
    answer(200, { ...ended, dryRun: true, progress: { ...replay.progress, remaining: 9 } });
    const { stdout } = await run('replays', 'create', '--endpoint', 'shop', '--dry-run');
    expect(stdout).toBe("9 would be sent, 1 can't be (payload_expired 1)\n");
  });

  test('follows a replay until it ends, and shows how far it is on standard error', async () => {
    let asked = 0;
    api.behave(
      respondBy(({ method }) => {
        asked += 1;
        const body = method === 'POST' || asked < 4 ? replay : ended;
        return respond(method === 'POST' ? 202 : 200, { body: JSON.stringify(body) });
      }),
    );
    const io = createTestIo({ env: env(), columns: 120 });
    let code: number | undefined;
    void runCli(['replays', 'create', '--endpoint', 'shop', '--follow'], io).then((exit) => (code = exit));
    await eventually(
      async () => {
        await io.clock.advanceAsync(500);
        return code !== undefined;
      },
      { timeoutMs: 30_000 },
    );
    expect(code).toBe(exitCodes.ok);
    expect(io.written.stderr()).toContain('[############............] 50 %, 4 of 10 sent, 1 skipped');
    expect(io.written.stdout()).toContain('succeeded');
  });

  test('is exit code 1 when a replay that is followed fails', async () => {
    answer(202, { ...ended, state: 'failed', error: 'The endpoint is disabled.' });
    const { code, stderr } = await run('replays', 'create', '--endpoint', 'shop', '--follow');
    expect(code).toBe(exitCodes.failure);
    expect(stderr).toContain('The endpoint is disabled.');
  });

  test('lists, shows and cancels', async () => {
    answer(200, { data: [replay], nextCursor: null });
    expect((await run('replays', 'list', '--state', 'running')).stdout).toContain('r1');
    expect(api.requests.at(-1)?.path).toBe('/v1/replays?state=running&limit=50');
    answer(200, replay);
    expect((await run('replays', 'show', 'r1')).stdout).toContain('running');
    expect(JSON.parse((await run('replays', 'get', 'r1', '--json')).stdout)).toEqual(replay);
    answer(200, { ...ended, state: 'cancelled' });
    expect((await run('replays', 'cancel', 'r1')).stdout).toContain('cancelled');
    expect(api.requests.at(-1)?.path).toBe('/v1/replays/r1/cancel');
  });

  test('retries the deliveries that filters select, as one job', async () => {
    answer(202, { ...replay, trigger: 'manual' });
    const { code } = await run(
      ...['deliveries', 'retry', '--state', 'exhausted', '--endpoint', 'e1', '--status-class', '5'],
      ...['--after', '1h', '--event-type', 'order.paid'],
    );
    expect(code).toBe(exitCodes.ok);
    expect(lastRequest()).toEqual([
      'POST',
      '/v1/deliveries/retry',
      {
        state: ['exhausted'],
        endpointId: 'e1',
        eventType: 'order.paid',
        statusClass: '5xx',
        after: '2025-12-31T23:00:00.000Z',
      },
    ]);
  });

  test('lists deliveries by the class of their last status as the API names it', async () => {
    answer(200, { data: [], nextCursor: null });
    await run('deliveries', 'list', '--status-class', '5');
    expect(api.requests.at(-1)?.path).toContain('statusClass=5xx');
  });
});

import { respond, respondBy, startReceiver, type Receiver } from '@posthorn/testing';
import { exitCodes } from './exit-codes.ts';
import { runInTest } from './terminal/io.harness.ts';

const commands = [
  [],
  ['serve'],
  ['demo'],
  ['environment'],
  ['listen'],
  ['publish'],
  ...['list', 'show', 'payload', 'replay', 'tail'].map((name) => ['events', name]),
  ...['list', 'show', 'tail', 'retry', 'cancel'].map((name) => ['deliveries', name]),
  ...['create', 'list', 'show', 'cancel'].map((name) => ['replays', name]),
  ...['list', 'show', 'create', 'update', 'delete', 'enable', 'disable', 'pause', 'resume'].map((name) => [
    'endpoints',
    name,
  ]),
  ...['verify', 'secrets', 'rotate-secret', 'test', 'stats'].map((name) => ['endpoints', name]),
  ...['list', 'show', 'create', 'update'].map((name) => ['policies', name]),
  ...['list', 'show', 'put', 'delete'].map((name) => ['event-types', name]),
  ...['list', 'show', 'create', 'update', 'delete'].map((name) => ['organisations', name]),
  ...['list', 'show', 'create', 'update', 'delete'].map((name) => ['keys', name]),
  ['audit', 'list'],
  ['feed'],
  ['erase'],
  ...['list', 'show'].map((name) => ['erasures', name]),
];

test.each(commands.map((command) => [command.join(' '), command] as const))(
  'posthorn %s --help explains itself on standard output, with the exit codes',
  async (_name, command) => {
    const { code, stdout, stderr } = await runInTest([...command, '--help']);
    expect(code).toBe(exitCodes.ok);
    expect(stdout).toMatch(/^Usage: posthorn/);
    expect(stdout).toContain('Exit codes:');
    expect(stderr).toBe('');
  },
);

test.each([
  ['publish'],
  ['endpoints'],
  ['policies'],
  ['events'],
  ['deliveries'],
  ['replays'],
  ['keys'],
  ['erase'],
  ['erasures'],
  ['audit'],
  ['organisations'],
  ['event-types'],
])('posthorn %s --help has examples', async (command) => {
  expect((await runInTest([command, '--help'])).stdout).toContain(`$ posthorn`);
});

test('the version is that of the package', async () => {
  expect((await runInTest(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([
  ['an unknown command', ['publsh']],
  ['an unknown option', ['events', 'list', '--limt', '5']],
  ['a missing argument', ['endpoints', 'show']],
  ['an argument too many', ['endpoints', 'show', 'a', 'b']],
  ['a number that is none', ['events', 'list', '--limit', 'many']],
  ['a choice that is none', ['endpoints', 'list', '--state', 'on']],
  ['a state that is none', ['deliveries', 'list', '--state', 'lost']],
  ['neither deliveries nor filters to retry', ['deliveries', 'retry']],
  ['deliveries and filters to retry', ['deliveries', 'retry', 'a', '--state', 'held']],
  ['a replay of everything', ['replays', 'create', '--per-second', '5']],
  ['nothing to erase', ['erase', '--yes']],
  ['two things to erase', ['erase', '--event', 'a', '--subject', 'b', '--yes']],
  ['a state of replays that is none', ['replays', 'list', '--state', 'lost']],
  ['a time that is none', ['events', 'list', '--after', 'yesterday']],
  ['a time before all others', ['events', 'list', '--after', '99999999999d']],
  ['a state of deliveries that is none', ['feed', 'shop', '--state', 'lost']],
  ['a reason for what takes none', ['endpoints', 'enable', 'shop', '--reason', 'mended']],
  ['data that is no JSON', ['publish', 'order.paid', '{bad']],
  ['nothing to publish', ['publish', 'order.paid']],
  ['an id for a whole file', ['publish', '--file', 'x', '--id', 'y']],
  ['labels for events that have their own', ['publish', '--file', 'x', '--label', 'a=b']],
  ['a type that is given twice', ['publish', 'a.b', '--file', 'x', '--type', 'c.d']],
  ['a file of errors of a single event', ['publish', 'a.b', '{}', '--errors', 'x']],
  ['a file that is not there', ['publish', '--file', '/not/there']],
  ['a filter that is no object', ['endpoints', 'create', 'https://example.com', '--filter', '[]']],
  ['options that contradict each other', ['endpoints', 'update', 'x', '--filter', '{}', '--any-payload']],
  ['a policy that is named and not', ['endpoints', 'update', 'x', '--policy', '7', '--unsigned']],
  ['a dialect that is none', ['endpoints', 'create', 'https://example.com', '--dialect', 'svix']],
  ['a policy on and off at once', ['policies', 'update', '7', '--disable', '--enable']],
  ['an audience that is given and not', ['policies', 'create', 'none', '--audience', 'a', '--any-audience']],
  ['a limit that is none', ['organisations', 'update', 'acme', '--publishes-per-day', 'few']],
  ['a secret that is none', ['listen', '--secret', 'hunter2']],
  ['a URL that is none', ['--url', 'localhost', 'events', 'list']],
  ['a configuration that is wrong', ['events', 'list'], { POSTHORN_URL: 'localhost' }],
] as [string, string[], Record<string, string>?][])(
  '%s is a usage error, told on standard error',
  async (_name, argv, env = {}) => {
    const { code, stdout, stderr } = await runInTest(argv, { env });
    expect({ code, stdout }).toEqual({ code: exitCodes.usage, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('    at ');
  },
);

describe('against an API', () => {
  let api: Receiver;
  beforeEach(async () => {
    api = await startReceiver();
  });
  afterEach(() => api.close());

  const run = (argv: readonly string[], options: Parameters<typeof runInTest>[1] = {}) =>
    runInTest(argv, { ...options, env: { POSTHORN_URL: api.url, POSTHORN_KEY: 'phk_env', ...options.env } });
  const answer = (status: number, body: unknown) =>
    api.behave(respond(status, { body: JSON.stringify(body) }));
  const lastBody = () => JSON.parse(api.requests.at(-1)?.body.toString() ?? '') as unknown;

  test('options come before the environment', async () => {
    answer(200, { data: [], nextCursor: null });
    const env = { POSTHORN_ORGANISATION: 'from-env' };
    await run(['events', 'list', '--organisation', 'from-option'], { env });
    await run(['events', 'list', '--key', 'phk_option'], { env });
    expect(
      api.requests.map(({ headers }) => [headers.authorization, headers['posthorn-organisation']]),
    ).toEqual([
      ['Bearer phk_env', 'from-option'],
      ['Bearer phk_option', 'from-env'],
    ]);
  });

  test('a refusal is exit code 3, with every violation', async () => {
    answer(400, {
      status: 400,
      code: 'invalid_argument',
      detail: '2 problems were found; see violations.',
      violations: [
        { field: '/url', code: 'a', message: 'is wrong' },
        { field: '/name', code: 'b', message: 'is wrong too' },
      ],
    });
    const { code, stdout, stderr } = await run(['endpoints', 'create', 'https://example.com']);
    expect({ code, stdout }).toEqual({ code: exitCodes.refused, stdout: '' });
    expect(stderr).toContain('/url   is wrong (a)\n');
    expect(stderr).toContain('/name  is wrong too (b)\n');
  });

  test('for programs a refusal is one JSON value on standard error', async () => {
    answer(404, { status: 404, code: 'not_found', detail: 'There is no such endpoint.' });
    const { stdout, stderr } = await run(['endpoints', 'show', 'x', '--json']);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toEqual({
      error: { status: 404, code: 'not_found', detail: 'There is no such endpoint.' },
    });
  });

  test('an API that fails, or is not there, is exit code 4', async () => {
    answer(500, { status: 500, code: 'internal', detail: 'Something went wrong on our side.' });
    expect((await run(['events', 'list'])).code).toBe(exitCodes.unavailable);
    await api.close();
    expect((await run(['events', 'list'])).code).toBe(exitCodes.unavailable);
  });

  test('a feed without entries says so, and where to go on', async () => {
    answer(200, { data: [], nextCursor: 'c1', hasMore: false });
    const { code, stdout, stderr } = await run(['feed', 'shop']);
    expect({ code, stdout }).toEqual({ code: exitCodes.ok, stdout: '' });
    expect(stderr).toBe('There is nothing more in the feed.\nGo on with --cursor c1\n');
  });

  test('numbers that JavaScript can not hold reach programs as they were published', async () => {
    api.behave(respond(200, { body: '{"id":"1","data":{"n":12345678901234567890,"x":1.0}}' }));
    const { stdout } = await run(['events', 'show', '1', '--json']);
    expect(stdout).toBe('{"id":"1","data":{"n":12345678901234567890,"x":1.0}}\n');
  });

  test('publish sends the very text of the payload, under an id that is known before it is sent', async () => {
    answer(202, { id: 'e', type: 'order.paid', acceptedAt: '2026-01-01T00:00:00.000Z', duplicate: false });
    const argv = ['publish', 'order.paid', '-', '--label', 'region=eu', '--occurred-at', '1h'];
    argv.push('--deliver-at', '2h');
    const { code } = await run(argv, { stdin: '{"n": 1.0}' });
    expect(code).toBe(exitCodes.ok);
    const body = api.requests[0]?.body.toString() ?? '';
    expect(body).toMatch(/,"data":\{"n": 1\.0\}\}$/);
    expect(JSON.parse(body)).toEqual({
      type: 'order.paid',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      labels: { region: 'eu' },
      occurredAt: '2025-12-31T23:00:00.000Z',
      deliverAt: '2026-01-01T02:00:00.000Z',
      data: { n: 1 },
    });
  });

  test('publish --file tells each refused line, and is exit code 1 then', async () => {
    api.behave(
      respondBy(({ body }) => {
        const { events } = JSON.parse(body.toString()) as { events: { id: string; type: string }[] };
        const data = events.map(({ id, type }) =>
          type === 'bad'
            ? { status: 400, code: 'invalid_argument', detail: 'No such type.' }
            : { id, type, acceptedAt: '2026-01-01T00:00:00.000Z', duplicate: false },
        );
        return respond(202, { body: JSON.stringify({ data }) });
      }),
    );
    const lines = [
      '{"type":"a","data":1}',
      'not json',
      '{"type":"bad","data":2}',
      '',
      '{"type":"a","data":3}',
    ];
    const { code, stdout } = await run(['publish', '--file', '-', '--json'], { stdin: lines.join('\n') });
    expect(code).toBe(exitCodes.failure);
    expect(JSON.parse(stdout)).toMatchObject({
      read: 4,
      accepted: 2,
      duplicates: 0,
      refused: 2,
      unknown: 0,
      refusals: [
        { line: 2, problem: { code: 'invalid_argument' } },
        { line: 3, problem: { detail: 'No such type.' } },
      ],
    });
  });

  test('endpoints update sends only what is given', async () => {
    answer(200, {
      id: '1',
      eventTypes: null,
      labels: null,
      signing: [],
      retryDelaysMs: [],
      headers: {},
      metadata: {},
    });
    const argv = [
      'endpoints',
      'update',
      'my shop',
      '--any-labels',
      '--retry-delays-ms',
      '',
      '--if-version',
      '7',
    ];
    await run([...argv, '--body', '{"name":"from body"}']);
    expect(api.requests[0]).toMatchObject({
      method: 'PATCH',
      path: '/v1/endpoints/my%20shop',
      headers: { 'if-match': '"7"' },
    });
    expect(lastBody()).toEqual({ labels: null, retryDelaysMs: [], name: 'from body' });
  });

  const endpoint = {
    id: '1',
    eventTypes: null,
    labels: null,
    signing: [],
    retryDelaysMs: [],
    headers: {},
    metadata: {},
  };

  test('endpoints create says which dialect, policy and edition, and shows what became of it', async () => {
    answer(201, { ...endpoint, dialect: 'xurrent', verification: 'pending', policy: 'p-1' });
    const created = await run([
      'endpoints',
      'create',
      'https://e.com',
      '--dialect',
      'xurrent',
      '--policy',
      '7',
    ]);
    expect(lastBody()).toEqual({ url: 'https://e.com', dialect: 'xurrent', policy: '7' });
    expect(created.stdout).toMatch(/^dialect +xurrent$/m);
    expect(created.stdout).toMatch(/^verification +pending$/m);
    await run(['endpoints', 'create', 'https://e.com', '--dialect', 'preo', '--edition', 'e1']);
    expect(lastBody()).toEqual({ url: 'https://e.com', dialect: 'preo', editionId: 'e1' });
    await run(['endpoints', 'update', 'x', '--unsigned', '--any-edition']);
    expect(lastBody()).toEqual({ policy: null, editionId: null });
  });

  test('organisations update names the endpoint that gets what no key routes elsewhere, and unnames it', async () => {
    answer(200, { id: 'o', slug: 'acme', retention: {} });
    await run(['organisations', 'update', 'acme', '--default-ricloud-endpoint', 'shop']);
    expect(api.requests.at(-1)).toMatchObject({ method: 'PATCH', path: '/v1/organisations/acme' });
    expect(lastBody()).toEqual({ defaultRicloudEndpoint: 'shop' });
    await run(['organisations', 'update', 'acme', '--oldest-ricloud-endpoint', '--name', 'Acme']);
    expect(lastBody()).toEqual({ defaultRicloudEndpoint: null, name: 'Acme' });
  });

  test('keys create says where the key publishes to', async () => {
    answer(201, { id: 'k', name: 'k', prefix: 'phk_', scopes: [], organisation: 'o', routesTo: 'e1' });
    const { stdout } = await run(['keys', 'create', 'k', '--scope', 'events:write', '--routes-to', 'shop']);
    expect(lastBody()).toEqual({ name: 'k', scopes: ['events:write'], routesTo: 'shop' });
    expect(stdout).toMatch(/^routes to +e1$/m);
  });

  test('organisations and keys are given limits, and those that are not named stay', async () => {
    const limits = { publishesPerSecond: 5, publishesPerDay: null, bytesPerDay: 7, endpoints: 3 };
    answer(200, { id: 'o', slug: 'acme', retention: {}, limits });
    await run(['organisations', 'create', 'acme', '--publishes-per-second', '5', '--max-endpoints', '0']);
    expect(lastBody()).toEqual({
      slug: 'acme',
      name: 'acme',
      limits: { publishesPerSecond: 5, endpoints: 0 },
    });
    const { stdout } = await run([
      'organisations',
      'update',
      'acme',
      '--publishes-per-second',
      'none',
      '--publishes-per-day',
      '9',
    ]);
    expect(lastBody()).toEqual({
      limits: { publishesPerSecond: null, publishesPerDay: 9, bytesPerDay: 7, endpoints: 3 },
    });
    expect(stdout).toMatch(/^publishes per second +5$/m);
    expect(stdout).not.toContain('publishes per day');
    const { endpoints: _, ...ofKey } = limits;
    answer(200, { id: 'k', name: 'k', prefix: 'phk_', scopes: [], organisation: 'o', limits: ofKey });
    await run(['keys', 'update', 'k', '--bytes-per-day', '8']);
    expect(api.requests.at(-1)).toMatchObject({ method: 'PATCH', path: '/v1/keys/k' });
    expect(lastBody()).toEqual({ limits: { publishesPerSecond: 5, publishesPerDay: null, bytesPerDay: 8 } });
    await run(['keys', 'create', 'k', '--publishes-per-day', '1']);
    expect(lastBody()).toEqual({ name: 'k', scopes: ['*'], limits: { publishesPerDay: 1 } });
  });

  test('audit list shows who did what, by what is asked for', async () => {
    const record = {
      occurredAt: '2026-01-31T12:00:00.000Z',
      actor: { kind: 'key', id: 'k', name: 'shop', operator: false },
      action: 'endpoint.update',
      resource: 'e1',
      changedFields: ['url', 'labels'],
      result: 'failed',
      error: 'not_found',
      address: '203.0.113.9',
    };
    answer(200, { data: [record], nextCursor: null });
    const { stdout } = await run(['audit', 'list', '--action', 'endpoint.update', '--result', 'failed']);
    expect(api.requests.at(-1)?.path).toBe('/v1/audit?action=endpoint.update&result=failed&limit=50');
    expect(stdout).toMatch(/key shop +endpoint.update +e1 +failed not_found +203.0.113.9 +url labels/);
  });

  test('endpoints verify asks the receiver again', async () => {
    answer(200, endpoint);
    expect((await run(['endpoints', 'verify', 'shop'])).code).toBe(exitCodes.ok);
    expect(api.requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/endpoints/shop/verify' });
  });

  describe('policies', () => {
    const policy = {
      id: 'p',
      number: 7,
      name: 'n',
      algorithm: 'hs256',
      audience: null,
      expiresInMinutes: null,
      publicKeyPem: null,
      disabled: false,
    };

    test('are created with a key from standard input, and their secret is shown once', async () => {
      answer(201, { ...policy, sharedSecret: 'the-secret' });
      const argv = ['policies', 'create', 'hs256', '--private-key', '-', '--expires-in-minutes', '5'];
      const { stdout, stderr } = await run(argv, { stdin: 'the-secret\n' });
      expect(lastBody()).toEqual({ algorithm: 'hs256', key: 'the-secret', expiresInMinutes: 5 });
      expect(stdout).toMatch(/^shared secret +the-secret$/m);
      expect(stderr).toContain('not shown again');
    });

    test('are changed by what is given, and by nothing else', async () => {
      answer(200, { ...policy, publicKeyPem: '-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n' });
      const { stdout } = await run(['policies', 'update', '7', '--disable', '--never-expires']);
      expect(api.requests.at(-1)).toMatchObject({ method: 'PATCH', path: '/v1/policies/7' });
      expect(lastBody()).toEqual({ disabled: true, expiresInMinutes: null });
      expect(stdout).toMatch(/^-----BEGIN PUBLIC KEY-----$/m);
    });

    test('are listed by their number', async () => {
      answer(200, { data: [policy], nextCursor: null });
      expect((await run(['policies', 'list'])).stdout).toMatch(/^ +7 +hs256 +enabled/m);
    });
  });

  test('endpoints test fails when the attempt did', async () => {
    answer(200, { number: 1, outcome: 'timeout', status: null, response: null });
    expect((await run(['endpoints', 'test', 'x'])).code).toBe(exitCodes.failure);
    answer(200, { number: 1, outcome: 'success', status: 204, response: null });
    expect((await run(['endpoints', 'test', 'x'])).code).toBe(exitCodes.ok);
  });

  test('retrying several deliveries tries each, and is exit code 1 when one was refused', async () => {
    api.behave(
      respondBy(({ path }) =>
        path.includes('gone')
          ? respond(404, { body: '{"status":404,"code":"not_found","detail":"There is no such delivery."}' })
          : respond(202, { body: '{"id":"x"}' }),
      ),
    );
    const { code, stdout, stderr } = await run(['deliveries', 'retry', 'a', 'gone', 'b']);
    expect(code).toBe(exitCodes.failure);
    expect(stdout).toBe('retrying a\nretrying b\n');
    expect(stderr).toContain('gone: not_found');
  });

  test('what a receiver answered can not control the terminal', async () => {
    answer(200, {
      number: 1,
      outcome: 'http_error',
      status: 500,
      response: { headers: { 'x-\u001b': '\u001b[2J' }, body: 'a\u001b]0;title\u0007', truncated: false },
    });
    const { stdout } = await run(['endpoints', 'test', 'x']);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

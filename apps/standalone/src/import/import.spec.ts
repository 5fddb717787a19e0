import { generateKeyPairSync } from 'node:crypto';
import { respond, respondBy, startReceiver, type ReceivedRequest, type Receiver } from '@posthorn/testing';
import { exitCodes } from '../exit-codes.ts';
import { runInTest, type CommandRun } from '../terminal/io.harness.ts';

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}
type Routes = (
  method: string,
  path: string,
  body: Record<string, unknown>,
  request: ReceivedRequest,
) => Answer;

async function serve(routes: Routes): Promise<Receiver> {
  return startReceiver({
    behaviour: respondBy((request) => {
      const text = request.body.toString();
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const {
        status = 200,
        body: answer = {},
        headers = {},
      } = routes(request.method, request.path, body, request);
      return respond(status, { body: JSON.stringify(answer), headers });
    }),
  });
}

/** A native API that remembers endpoints and policies, as far as importing needs it. */
class Destination {
  readonly endpoints = new Map<string, Record<string, unknown>>();
  readonly policies: Record<string, unknown>[] = [];
  readonly writes: string[] = [];
  refuses: string | null = null;

  readonly routes: Routes = (method, path, body) => {
    if (method !== 'GET') this.writes.push(`${method} ${path}`);
    const [, , resource, id = '', action] = path.split('?')[0]?.split('/') ?? [];
    if (resource === 'policies') return this.#policies(method, id, body);
    const endpoint = this.endpoints.get(id);
    if (method === 'POST' && id === '') {
      if (body['uid'] === this.refuses) return problem(400, 'It is refused.');
      const { secret, verification, ...settings } = body;
      const made = {
        policy: null,
        editionId: null,
        state: 'enabled',
        ...settings,
        given: { secret, verification },
      };
      this.endpoints.set(String(body['uid']), made);
      return { status: 201, body: made };
    }
    if (endpoint === undefined) return problem(404, 'There is no such endpoint.');
    if (action === 'disable') endpoint['state'] = 'disabled';
    if (action === 'enable') endpoint['state'] = 'enabled';
    if (action === 'secrets' && method === 'POST') endpoint['given'] = { secret: body['secret'] };
    if (action === 'secrets' && method === 'GET') {
      const { secret } = endpoint['given'] as { secret: string };
      return { body: { data: [{ secret, expiresAt: null }] } };
    }
    if (method === 'PATCH') Object.assign(endpoint, body);
    return { body: endpoint };
  };

  #policies(method: string, id: string, body: Record<string, unknown>): Answer {
    if (method === 'GET') return { body: { data: this.policies, nextCursor: null } };
    if (method === 'POST') {
      const policy = { id: `p${this.policies.length}`, disabled: false, ...body };
      this.policies.push(policy);
      return { status: 201, body: policy };
    }
    const policy = this.policies.find((known) => known['id'] === id);
    return { body: Object.assign(policy ?? {}, body) };
  }
}

function problem(status: number, detail: string): Answer {
  return { status, body: { status, code: status === 404 ? 'not_found' : 'invalid_argument', detail } };
}

let source: Receiver;
let destination: Receiver;
let native: Destination;
let sourceRoutes: Routes;

beforeEach(async () => {
  native = new Destination();
  destination = await serve((...request) => native.routes(...request));
  source = await serve((...request) => sourceRoutes(...request));
});
afterEach(() => Promise.all([source.close(), destination.close()]));

const importing = (...args: readonly string[]): Promise<CommandRun> =>
  runInTest(['--url', destination.url, '--key', 'phk_1', 'import', ...args, '--from', source.url], {
    env: { POSTHORN_FROM_TOKEN: 'theirs' },
  });
const rows = (run: CommandRun): unknown[] =>
  run.stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

const rapidlyEndpoint = (n: number, over: object = {}): object => ({
  id: `e${n}`,
  url: `https://example.com/${n}`,
  format: 'slack',
  secret: `secret-${n}`,
  events: ['share.created'],
  enabled: true,
  ...over,
});
const rapidly =
  (endpoints: readonly object[], perPage = 2): Routes =>
  (_, path) => {
    const page = Number(/page=(\d+)/.exec(path)?.[1]);
    return {
      body: {
        data: endpoints.slice((page - 1) * perPage, page * perPage),
        meta: { pages: Math.ceil(endpoints.length / perPage) },
      },
    };
  };

test('shows the plan and writes nothing without --apply', async () => {
  sourceRoutes = rapidly([1, 2, 3].map((n) => rapidlyEndpoint(n)));
  const run = await importing('rapidly');
  expect(run.code).toBe(exitCodes.ok);
  expect(run.stdout).toMatch(/create +endpoint +rapidly-e3 +https:\/\/example.com\/3/);
  expect(run.stderr).toContain('3 create');
  expect(run.stderr).toContain('Nothing was written. Run it again with --apply to do this.');
  expect(native.writes).toEqual([]);
  expect(source.requests[0]?.headers).toMatchObject({ authorization: 'Bearer theirs' });
});

test('moves rapidly’s endpoints with their secrets, and finds nothing to do the next time', async () => {
  sourceRoutes = rapidly([rapidlyEndpoint(1), rapidlyEndpoint(2, { enabled: false })]);
  const run = await importing('rapidly', '--apply');
  expect(run.code).toBe(exitCodes.ok);
  expect(native.endpoints.get('rapidly-e1')).toEqual({
    dialect: 'rapidly',
    uid: 'rapidly-e1',
    url: 'https://example.com/1',
    format: 'slack',
    eventTypes: ['share.created'],
    policy: null,
    editionId: null,
    state: 'enabled',
    given: { secret: 'secret-1', verification: undefined },
  });
  expect(native.endpoints.get('rapidly-e2')).toMatchObject({ state: 'disabled' });
  native.writes.length = 0;
  const again = await importing('rapidly', '--apply');
  expect(again.stderr).toContain('2 unchanged');
  expect(native.writes).toEqual([]);
});

test('changes only what differs since', async () => {
  sourceRoutes = rapidly([rapidlyEndpoint(1)]);
  await importing('rapidly', '--apply');
  sourceRoutes = rapidly([
    rapidlyEndpoint(1, { url: 'https://example.com/new', secret: 'other', enabled: false }),
  ]);
  native.writes.length = 0;
  const run = await runInTest([
    '--url',
    destination.url,
    '--json',
    'import',
    'rapidly',
    '--apply',
    '--from',
    source.url,
    '--from-token',
    't',
  ]);
  expect(rows(run)).toEqual([
    {
      result: 'updated',
      kind: 'endpoint',
      name: 'rapidly-e1',
      url: 'https://example.com/new',
      note: 'url, secret, disabled',
    },
  ]);
  expect(native.writes).toEqual([
    'PATCH /v1/endpoints/rapidly-e1',
    'POST /v1/endpoints/rapidly-e1/secrets/rotate',
    'POST /v1/endpoints/rapidly-e1/disable',
  ]);
});

test('moves ricloud’s configs of every state, all pages, and asks none that was valid again', async () => {
  sourceRoutes = (_, path) => {
    const config = (id: string, state: string): object => ({
      id,
      url: `https://example.com/${id}`,
      secret: `s-${id}`,
      state,
    });
    if (path.includes('state=deactivated'))
      return { body: { data: [config('c', 'deactivated')], has_more: false } };
    return path.includes('after_id=a')
      ? { body: { data: [config('b', 'invalid')], has_more: false } }
      : { body: { data: [config('a', 'valid')], has_more: true } };
  };
  const run = await importing('ricloud', '--apply');
  expect(run.stderr).toContain('3 created');
  expect(source.requests[0]?.headers).toMatchObject({ authorization: 'Token theirs' });
  expect([...native.endpoints].map(([uid, { state, given }]) => [uid, state, given])).toEqual([
    ['ricloud-a', 'enabled', { secret: 's-a', verification: 'passed' }],
    ['ricloud-b', 'enabled', { secret: 's-b', verification: undefined }],
    ['ricloud-c', 'disabled', { secret: 's-c', verification: undefined }],
  ]);
});

test('takes preo’s secrets from the file, follows its links, and says which are missing', async () => {
  const endpoint = (id: string): object => ({
    id,
    name: id,
    url: `https://example.com/${id}`,
    events: ['order.paid'],
    edition_id: null,
    timeout_seconds: 20,
    is_active: true,
    secret: null,
  });
  sourceRoutes = (_, path) =>
    path.includes('page=2')
      ? { body: { next: null, results: [endpoint('b')] } }
      : { body: { next: `${source.url}/webhook-endpoints/?page=2`, results: [endpoint('a')] } };
  const file = JSON.stringify({ endpoints: [{ id: 'a', secret: 'of-a' }] });
  const run = await importing('preo', '--apply', '--file', file);
  expect(run.code).toBe(exitCodes.failure);
  expect(run.stdout).toMatch(/impossible +endpoint +preo-b .*its secret is missing: give it in --file/);
  expect([...native.endpoints.keys()]).toEqual(['preo-a']);
  expect(native.endpoints.get('preo-a')).toMatchObject({
    timeoutMs: 20_000,
    name: 'a',
    given: { secret: 'of-a' },
  });
});

test('moves xurrent’s policies with their names and keys, its endpoints from the file, and disables what is disabled last', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const policies = [
    { id: 1, name: 'aa', disabled: true, jwt_alg: 'es256', jwt_audience: 'us', jwt_claim_expires_in: 5 },
    { id: 2, name: 'bb', disabled: false, jwt_alg: 'none', jwt_audience: null, jwt_claim_expires_in: null },
  ];
  sourceRoutes = (_, path) =>
    path.includes('search_after')
      ? { body: [policies[1]] }
      : {
          body: [policies[0]],
          headers: { link: `<${source.url}/webhook_policies?search_after=x>; rel="next"` },
        };
  const file = {
    policies: [{ name: 'aa', key }],
    endpoints: [{ id: 'crm', url: 'https://example.com/crm', policy: 'aa', eventTypes: ['person.*'] }],
  };
  const args = ['xurrent', '--from-account', 'wdc', '--file', JSON.stringify(file), '--apply'];
  const run = await importing(...args);
  expect(run.code).toBe(exitCodes.ok);
  expect(source.requests[0]?.headers).toMatchObject({
    'x-4me-account': 'wdc',
    authorization: 'Bearer theirs',
  });
  expect(native.policies).toEqual([
    { id: 'p0', name: 'aa', algorithm: 'es256', audience: 'us', expiresInMinutes: 5, disabled: true, key },
    { id: 'p1', name: 'bb', algorithm: 'none', audience: null, expiresInMinutes: null, disabled: false },
  ]);
  expect(native.endpoints.get('xurrent-crm')).toMatchObject({
    policy: 'p0',
    eventTypes: ['person.*'],
    given: { verification: 'passed' },
  });
  expect(native.writes).toEqual([
    'POST /v1/policies',
    'POST /v1/policies',
    'POST /v1/endpoints',
    'PATCH /v1/policies/p0',
  ]);
  native.writes.length = 0;
  expect((await importing(...args)).stderr).toContain('3 unchanged');
  expect(native.writes).toEqual([]);
});

test('goes on when one is refused, and tells which and why', async () => {
  sourceRoutes = rapidly([1, 2, 3].map((n) => rapidlyEndpoint(n)));
  native.refuses = 'rapidly-e2';
  const run = await importing('rapidly', '--apply');
  expect(run.code).toBe(exitCodes.failure);
  expect(run.stdout).toMatch(/refused +endpoint +rapidly-e2 .*It is refused\./);
  expect([...native.endpoints.keys()]).toEqual(['rapidly-e1', 'rapidly-e3']);
});

test('tells everything that is wrong with the file at once', async () => {
  const file = { endpoints: [{ secret: 7, colour: 'red' }, { id: 'a' }, { id: 'a' }], policies: {}, more: 1 };
  const run = await importing('preo', '--file', JSON.stringify(file));
  expect(run.code).toBe(exitCodes.usage);
  for (const field of [
    '/more',
    '/endpoints/0/colour',
    '/endpoints/0/id',
    '/endpoints/0/secret',
    '/endpoints/2',
    '/policies',
  ]) {
    expect(run.stderr).toMatch(new RegExp(`^  ${field}  `, 'm'));
  }
});

test.each([
  [['nonsense'], exitCodes.usage, 'ricloud, xurrent, rapidly, preo'],
  [['preo', '--file', '{'], exitCodes.usage, "--file isn't JSON"],
])('refuses the arguments %j', async (args, code, message) => {
  const run = await importing(...args);
  expect(run.code).toBe(code);
  expect(run.stderr).toContain(message);
});

test('needs a token', async () => {
  const run = await runInTest(['--url', destination.url, 'import', 'preo', '--from', source.url]);
  expect(run.code).toBe(exitCodes.usage);
  expect(run.stderr).toContain('POSTHORN_FROM_TOKEN');
});

test('tells what the other API answered, and sends its token nowhere else', async () => {
  sourceRoutes = () => ({ status: 401, body: { detail: 'Invalid token.' } });
  const refused = await importing('preo');
  expect(refused.code).toBe(exitCodes.refused);
  expect(refused.stderr).toContain('answered 401: {"detail":"Invalid token."}');
  sourceRoutes = () => ({ body: { next: 'https://elsewhere.example/', results: [] } });
  const elsewhere = await importing('preo');
  expect(elsewhere.code).toBe(exitCodes.unavailable);
  expect(elsewhere.stderr).toContain('links to another server');
  sourceRoutes = () => ({ body: [] });
  expect((await importing('preo')).stderr).toContain('is it the one that was named?');
});

/** The habits that every route shares: keys, organisations, methods, parameters, bodies, errors. */
import { DomainError } from '@posthorn/models';
import { acme, globex, tokens } from '../../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleHealth } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;
/** The organisation that the last call was about. */
let askedFor: string | undefined;
let traceSeen: { requestId: string; traceparent: string | undefined } | undefined;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        listEndpoints: ({ organisationId }, { requestId, traceparent }) => {
          askedFor = organisationId;
          traceSeen = { requestId, traceparent };
          return Promise.resolve({ endpoints: [], nextCursor: '' });
        },
        getEndpoint: ({ idOrUid }) =>
          idOrUid === 'breaks'
            ? Promise.reject(new Error('a private detail'))
            : Promise.reject(new DomainError('not_found', 'There is no such endpoint.')),
        createEndpoint: ({ endpoint }) => {
          askedFor = endpoint?.organisationId;
          return Promise.resolve({
            endpoint: sampleEndpoint(),
            secrets: [{ scheme: 1, secret: 'whsec_x', createdAt: new Date(0), expiresAt: undefined }],
          });
        },
      },
      activity: { getHealth: () => Promise.resolve({ endpoints: [sampleHealth()] }) },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const violationsOf = (body: unknown): unknown => (body as { violations?: unknown }).violations;
const newEndpoint = { url: 'https://example.com/hooks' };

const malformed = `, error="invalid_token", error_description="The Authorization header is not 'Bearer <key>'."`;

describe('keys', () => {
  test.each([
    ['no Authorization header', {}, ''],
    ['another scheme', { Authorization: 'Basic abc' }, ''],
    [
      'an unknown key',
      { Authorization: 'Bearer nobody-has-this-key' },
      ', error="invalid_token", error_description="The API key is not valid."',
    ],
    ['no key after Bearer', { Authorization: 'Bearer ' }, malformed],
    ['two words', { Authorization: 'Bearer a b' }, malformed],
  ])('%s answers 401 and says which scheme to use', async (_, headers, error) => {
    const answer = await running.fetch('/v1/endpoints', { headers });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="posthorn"${error}`);
    expect(answer.body).toMatchObject({
      code: 'unauthenticated',
      requestId: answer.headers.get('x-request-id'),
    });
  });

  test('a missing scope answers 403 and names the scope', async () => {
    const answer = await running.call('POST', '/v1/endpoints', { token: tokens.reader, body: newEndpoint });
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({
      code: 'permission_denied',
      detail: expect.stringContaining('endpoints:write') as unknown,
    });
  });

  test('a key without the scope learns nothing about the body that it sent', async () => {
    const answer = await running.call('POST', '/v1/endpoints', { token: tokens.reader, body: '{' });
    expect(answer.status).toBe(403);
  });

  test('what is for operators answers a tenant 403, whatever its scopes', async () => {
    const answers = await Promise.all(
      ['/v1/organisations', `/v1/organisations/${acme.slug}`, '/v1/organisations/unknown'].map((path) =>
        running.call('GET', path),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });
});

describe('organisations', () => {
  test('a tenant’s key implies its own', async () => {
    await running.call('GET', '/v1/endpoints');
    expect(askedFor).toBe(acme.id);
  });

  test.each([acme.id, acme.slug])('a tenant may name its own as %s', async (name) => {
    const answer = await running.call('GET', '/v1/endpoints', { headers: { 'Posthorn-Organisation': name } });
    expect([answer.status, askedFor]).toEqual([200, acme.id]);
  });

  test('naming another tenant’s answers exactly like naming one that does not exist', async () => {
    const [theirs, unknown] = await Promise.all(
      [globex.slug, 'nothing'].map((name) =>
        running.call('GET', '/v1/endpoints', { headers: { 'Posthorn-Organisation': name } }),
      ),
    );
    const anonymous = (answer: typeof theirs, name: string): string =>
      JSON.stringify({ ...(answer?.body as object), requestId: '' }).replaceAll(name, '…');
    expect(theirs?.status).toBe(404);
    expect(anonymous(theirs, globex.slug)).toBe(anonymous(unknown, 'nothing'));
  });

  test.each([globex.id, globex.slug])('an operator names it in the header as %s', async (name) => {
    const answer = await running.call('GET', '/v1/endpoints', {
      token: tokens.operator,
      headers: { 'Posthorn-Organisation': name },
    });
    expect([answer.status, askedFor]).toEqual([200, globex.id]);
  });

  test('an operator may name it in the body of an endpoint', async () => {
    const answer = await running.call('POST', '/v1/endpoints', {
      token: tokens.operator,
      body: { ...newEndpoint, organisation: 'globex' },
    });
    expect([answer.status, askedFor]).toEqual([201, globex.id]);
  });

  test('an operator that names none is told where to', async () => {
    const get = await running.call('GET', '/v1/endpoints', { token: tokens.operator });
    const post = await running.call('POST', '/v1/endpoints', { token: tokens.operator, body: newEndpoint });
    expect([get.status, violationsOf(get.body)]).toEqual([
      400,
      [expect.objectContaining({ field: '?Posthorn-Organisation', code: 'required' })],
    ]);
    expect([post.status, violationsOf(post.body)]).toEqual([
      400,
      [expect.objectContaining({ field: '/organisation', code: 'required' })],
    ]);
  });

  test('a header and a body that name different ones are refused', async () => {
    const answer = await running.call('POST', '/v1/endpoints', {
      token: tokens.operator,
      headers: { 'Posthorn-Organisation': 'acme' },
      body: { ...newEndpoint, organisation: 'globex' },
    });
    expect([answer.status, violationsOf(answer.body)]).toEqual([
      400,
      [expect.objectContaining({ field: '/organisation', code: 'conflict' })],
    ]);
  });
});

describe('paths and methods', () => {
  test.each([
    '/v1/nothing',
    '/nothing',
    '/',
    '/v1',
    '/v1/',
    '/v1/endpoints/',
    '/V1/endpoints',
    '/v1//endpoints',
    '/v1/endpoints/x/y/z',
  ])('nothing at %s: a problem, key or not', async (path) => {
    const answer = await running.fetch(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });

  test.each(['/v1/endpoints/%zz', '/%ff', '/v1/%c3%28'])(
    'an undecodable path, as %s, is a bad request',
    async (path) => {
      const answer = await running.fetch(path, { headers: { Authorization: `Bearer ${tokens.acme}` } });
      expect([answer.status, answer.body]).toEqual([
        400,
        expect.objectContaining({ code: 'invalid_argument' }),
      ]);
    },
  );

  test.each([
    ['PUT', '/v1/endpoints', 'GET, POST, HEAD, OPTIONS'],
    ['DELETE', '/v1/filters/evaluate', 'POST, OPTIONS'],
    ['GET', '/v1/events/batch', 'POST, OPTIONS'],
    ['POST', '/livez', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/docs', 'GET, HEAD, OPTIONS'],
  ])('%s %s isn’t possible: 405 with what is', async (method, path, allow) => {
    const answer = await running.fetch(path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
    expect(answer.body).toMatchObject({ code: 'method_not_allowed' });
  });

  test('OPTIONS answers with what is possible, without a key', async () => {
    const answer = await running.fetch('/v1/endpoints/x', { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, PATCH, DELETE, HEAD, OPTIONS']);
  });

  test('HEAD answers as GET would, without the body', async () => {
    const head = await running.call('HEAD', '/v1/endpoints');
    const get = await running.call('GET', '/v1/endpoints');
    expect([head.status, head.text, head.headers.get('content-length')]).toEqual([
      200,
      '',
      String(get.text.length),
    ]);
  });

  test('parameters of a path are decoded', async () => {
    const answer = await running.call('GET', '/v1/endpoints/%62reaks');
    expect(answer.status).toBe(500);
  });
});

describe('answers', () => {
  test('what breaks inside answers 500 without a word of the reason', async () => {
    const answer = await running.call('GET', '/v1/endpoints/breaks');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('private');
  });

  test('may not be stored nor sniffed, and don’t say what made them', async () => {
    const answer = await running.call('GET', '/v1/endpoints');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-powered-by')).toBeNull();
    expect(answer.headers.get('server')).toBeNull();
  });

  test('carry the caller’s request id, which goes on to the services with the trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await running.call('GET', '/v1/endpoints', {
      headers: { 'X-Request-Id': 'mine-42', traceparent },
    });
    expect(answer.headers.get('x-request-id')).toBe('mine-42');
    expect(traceSeen).toEqual({ requestId: 'mine-42', traceparent });
  });

  test.each(['', 'x'.repeat(129), 'a b', '<script>'])(
    'replace a request id that is no good: %j',
    async (id) => {
      const answer = await running.call('GET', '/v1/endpoints', {
        headers: { 'X-Request-Id': id, traceparent: 'nonsense' },
      });
      expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{12}-[0-9a-z]+$/);
      expect(traceSeen?.traceparent).toBeUndefined();
    },
  );
});

describe('query parameters', () => {
  test.each([
    ['limit=0', '?limit', 'invalid_value'],
    ['limit=251', '?limit', 'invalid_value'],
    ['limit=1.5', '?limit', 'invalid_value'],
    ['limit=ten', '?limit', 'invalid_value'],
    ['limit=', '?limit', 'empty'],
    ['limit', '?limit', 'empty'],
    ['limit=1&limit=2', '?limit', 'repeated'],
    ['limits=1', '?limits', 'unknown_parameter'],
    ['__proto__=1', '?__proto__', 'unknown_parameter'],
    ['state=broken', '?state', 'invalid_value'],
    ['cursor=%00', '?cursor', 'invalid_value'],
    ['cursor=%ff', '?cursor=%ff', 'encoding'],
    ['organisation=acme', '?organisation', 'unknown_parameter'],
  ])('?%s is refused', async (query, field, code) => {
    const answer = await running.call('GET', `/v1/endpoints?${query}`);
    expect([answer.status, violationsOf(answer.body)]).toEqual([
      400,
      [expect.objectContaining({ field, code })],
    ]);
  });

  test('all that is wrong is told at once', async () => {
    const answer = await running.call('GET', '/v1/endpoints?limit=x&state=y&other=z');
    expect(violationsOf(answer.body)).toHaveLength(3);
    expect(answer.body).toMatchObject({ detail: '3 problems were found; see violations.' });
  });

  test('a route without parameters takes none', async () => {
    const answer = await running.call('GET', '/v1/endpoints/x?verbose=1');
    expect([answer.status, violationsOf(answer.body)]).toEqual([
      400,
      [expect.objectContaining({ field: '?verbose' })],
    ]);
  });

  test('an empty query string is none', async () => {
    expect((await running.call('GET', '/v1/endpoints?')).status).toBe(200);
  });
});

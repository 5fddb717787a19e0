import { createTestIo } from '../terminal/io.harness.ts';
import { FakeClock, respond, respondBy, reset, startReceiver, type Receiver } from '@posthorn/testing';
import { createApiClient, type ApiClient, type ApiClientOptions } from './api-client.ts';
import { ApiError, isNobodyThere, isTransient, UnreachableError } from './api-error.ts';
import { exitCodes } from '../exit-codes.ts';

let server: Receiver;
let client: ApiClient;

function connect(options: Partial<ApiClientOptions> = {}): ApiClient {
  const { clock } = createTestIo();
  return createApiClient({ url: server.url, key: 'phk_1', organisation: null, clock, ...options });
}

beforeEach(async () => {
  server = await startReceiver({ behaviour: respond(200, { body: '{"data":[],"nextCursor":null}' }) });
  client = connect();
});
afterEach(async () => {
  await client.close();
  await server.close();
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('It succeeded.'),
    (error: unknown) => error,
  );
}

const problem = (status: number, fields: object = {}): string =>
  JSON.stringify({ status, code: 'invalid_argument', detail: 'No.', ...fields });

test('names the key and the organisation, and sends JSON', async () => {
  const other = connect({ organisation: 'acme', url: `${server.url}/` });
  await other.send('POST', '/v1/things', { body: { a: 1 }, query: { state: ['x', 'y'], none: undefined } });
  await other.send('GET', '/v1/things', { organisation: null });
  await other.close();
  const [first, second] = server.requests;
  expect(first).toMatchObject({
    method: 'POST',
    path: '/v1/things?state=x&state=y',
    headers: {
      authorization: 'Bearer phk_1',
      'posthorn-organisation': 'acme',
      'content-type': 'application/json',
    },
  });
  expect(first?.body.toString()).toBe('{"a":1}');
  expect(second?.headers).not.toHaveProperty('posthorn-organisation');
  expect(second?.headers).not.toHaveProperty('content-type');
});

test('text is sent as it is', async () => {
  await client.send('POST', '/', { body: '{"n": 1.0}' });
  expect(server.requests[0]?.body.toString()).toBe('{"n": 1.0}');
});

test('an answer without a body is undefined', async () => {
  server.behave(204);
  expect(await client.send('DELETE', '/')).toBeUndefined();
});

describe('list', () => {
  /** Answers with numbered items, two pages of them. */
  const pages = respondBy(({ path }) => {
    const isSecond = path.includes('cursor=next');
    const body = isSecond ? { data: [4, 5], nextCursor: null } : { data: [1, 2, 3], nextCursor: 'next' };
    return respond(200, { body: JSON.stringify(body) });
  });

  const collected = async (limit: number | null): Promise<number[]> => {
    const items: number[] = [];
    for await (const item of client.list<number>('/v1/numbers', { limit, query: { state: 'x' } }))
      items.push(item);
    return items;
  };

  test('follows the cursors to the end, with the same filters', async () => {
    server.behave(pages);
    expect(await collected(null)).toEqual([1, 2, 3, 4, 5]);
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/v1/numbers?state=x&limit=250',
      '/v1/numbers?state=x&limit=250&cursor=next',
    ]);
  });

  test('asks for no more than it gives', async () => {
    server.behave(pages);
    expect(await collected(3)).toEqual([1, 2, 3]);
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/numbers?state=x&limit=3']);
  });

  test('asks for another page only when it is wanted', async () => {
    server.behave(pages);
    for await (const item of client.list<number>('/', { limit: null })) if (item === 2) break;
    expect(server.requests).toHaveLength(1);
  });
});

describe('a refusal', () => {
  test('has every violation, the request and exit code 3', async () => {
    const violations = [
      { field: '/url', code: 'invalid', message: 'is no URL' },
      { field: '/eventTypes/0', code: 'invalid', message: 'is no \u001b[31mpattern' },
    ];
    server.behave(respond(400, { body: problem(400, { requestId: 'r1', violations }) }));
    const error = await failureOf(client.send('POST', '/'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      exitCode: exitCodes.refused,
      message: 'invalid_argument: No.',
      details: [
        '  /url           is no URL (invalid)',
        '  /eventTypes/0  is no \\u001b[31mpattern (invalid)',
        'HTTP 400, request r1',
      ],
    });
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ error: { status: 400, violations } });
    expect(isTransient(error)).toBe(false);
  });

  test('of the key says where a key is given', async () => {
    server.behave(respond(401, { body: problem(401) }));
    expect(await failureOf(client.send('GET', '/'))).toMatchObject({
      details: ['Pass a key with --key or POSTHORN_KEY.'],
    });
  });

  test.each([
    [503, exitCodes.unavailable, true],
    [500, exitCodes.unavailable, true],
    [429, exitCodes.refused, true],
    [404, exitCodes.refused, false],
  ])('with %i has exit code %i; worth trying again: %s', async (status, exitCode, isWorthIt) => {
    server.behave(respond(status, { body: problem(status), headers: { 'retry-after': '7' } }));
    const error = await failureOf(client.send('GET', '/'));
    expect(error).toMatchObject({ exitCode, retryAfterMs: 7_000 });
    expect(isTransient(error)).toBe(isWorthIt);
  });

  test('by something that is no Posthorn is told as far as it is known', async () => {
    server.behave(respond(502, { body: '<h1>Bad gateway</h1>', headers: { 'x-request-id': 'p1' } }));
    expect(await failureOf(client.send('GET', '/'))).toMatchObject({
      message: 'http_502: <h1>Bad gateway</h1>',
      details: ['HTTP 502, request p1'],
    });
  });
});

test('a success that is no JSON is told', async () => {
  server.behave(respond(200, { body: '<html>' }));
  expect(await failureOf(client.send('GET', '/'))).toMatchObject({
    exitCode: exitCodes.unavailable,
    message: expect.stringContaining('is it a Posthorn API?'),
  });
});

test('a connection that breaks is unreachable, and worth trying again', async () => {
  server.behave(reset());
  const error = await failureOf(client.send('GET', '/'));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error).toMatchObject({ exitCode: exitCodes.unavailable });
  expect(isTransient(error)).toBe(true);
  expect(isNobodyThere(error)).toBe(false);
});

test('nobody at the address is told with what to do', async () => {
  await server.close();
  const error = await failureOf(client.send('GET', '/'));
  expect(error).toMatchObject({ message: expect.stringContaining('posthorn serve') });
  expect(isNobodyThere(error)).toBe(true);
});

test('Ctrl-C ends what is under way', async () => {
  const controller = new AbortController();
  const interrupted = connect({ signal: controller.signal, clock: new FakeClock() });
  server.behave(() => controller.abort());
  expect(await failureOf(interrupted.send('GET', '/'))).toMatchObject({ name: 'AbortError' });
  await interrupted.close();
});

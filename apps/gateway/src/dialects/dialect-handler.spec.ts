/** What every dialect gets from the framework: the order of checks, and that whatever happens is answered in its own shape. */
import { DomainError } from '@posthorn/models';
import { silentLogger, type Logger } from '@posthorn/runtime';
import { createFakeEndpoints } from '../testing/fake-endpoints.harness.ts';
import { acme, globex, tokens } from '../testing/fake-services.harness.ts';
import { openRaw } from '../testing/raw-connection.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';
import { dialectNames, type DialectName } from './prefixes.ts';

const fake = createFakeEndpoints();
let running: TestGateway;
let seenTrace: { requestId: string; traceparent: string | undefined } | undefined;
const logged: unknown[] = [];
const logger: Logger = {
  ...silentLogger,
  isLevelEnabled: () => true,
  error: (fields: unknown) => void logged.push(fields),
};

beforeAll(async () => {
  running = await startTestGateway({
    logger,
    handlers: {
      endpoints: {
        ...fake.handlers,
        searchEndpoints: async (request, context) => {
          seenTrace = { requestId: context.requestId, traceparent: context.traceparent };
          if (request.ids.length === 0) return fake.handlers.searchEndpoints(request, context);
          throw new Error('a private detail');
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  fake.clear();
  logged.splice(0);
});

/** A list of each dialect, and how its errors are told from the others'. */
const lists: Readonly<
  Record<DialectName, { path: string; scheme: string; hasShape(body: unknown): boolean }>
> = {
  ricloud: { path: '/configs/webhook', scheme: 'Token', hasShape: (body) => has(body, 'error', 'message') },
  xurrent: { path: '/webhook_policies', scheme: 'Bearer', hasShape: (body) => has(body, 'message') },
  rapidly: {
    path: '/api/webhooks/endpoints',
    scheme: 'Bearer',
    hasShape: (body) => has(body, 'error') || has(body, 'detail'),
  },
  preo: { path: '/webhook-endpoints', scheme: 'Bearer', hasShape: (body) => has(body, 'detail') },
};
const has = (body: unknown, ...names: string[]): boolean =>
  names.every((name) => Object.hasOwn(body as object, name));

describe.each(dialectNames)('%s', (name) => {
  const { path, scheme, hasShape } = lists[name];

  test.each([
    ['an unknown route', `${path}/a/b/c/d/e`],
    ['an undecodable path', `${path}/%E0%A4`],
    ['an empty segment', `${path}//x`],
  ])('%s is 404 in its own shape', async (_, unknown) => {
    const answer = await running.fetch(unknown);
    expect([answer.status, hasShape(answer.body)]).toEqual([404, true]);
  });

  test('a wrong method is 404 or 405 in its own shape', async () => {
    const answer = await running.fetch(path, {
      method: 'DELETE',
      headers: { Authorization: `${scheme} ${tokens.acme}` },
    });
    expect([404, 405]).toContain(answer.status);
    expect(hasShape(answer.body)).toBe(true);
  });

  test('no key and a bad key are 401 in its own shape, before anything else is looked at', async () => {
    for (const headers of [{}, { Authorization: `${scheme} nobody` }]) {
      const answer = await running.fetch(path, { method: 'POST', headers, body: '{' });
      expect([answer.status, hasShape(answer.body)]).toEqual([401, true]);
      expect(answer.headers.get('www-authenticate')).not.toBeNull();
    }
  });

  test('a missing scope is 403 in its own shape, before the body is looked at', async () => {
    const headers = { Authorization: `${scheme} ${tokens.publisher}` };
    const answer = await running.fetch(path, { method: 'POST', headers, body: '{' });
    expect([answer.status, hasShape(answer.body)]).toEqual([403, true]);
  });

  test('a body that is too large is refused in its own shape', async () => {
    const headers = { Authorization: `${scheme} ${tokens.acme}` };
    const answer = await running.fetch(path, { method: 'POST', headers, body: 'x'.repeat(2_000_000) });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });

  test('every answer names its request: the caller’s own name for it where it is a sane one', async () => {
    const answer = await running.fetch(path, { headers: { 'X-Request-Id': 'mine-1' } });
    expect(answer.headers.get('x-request-id')).toBe('mine-1');
  });

  test('requests are counted by route and status, and those to nowhere under one name', async () => {
    await running.fetch(path);
    await running.fetch(`${path}/nowhere/at/all/${Math.PI}`);
    const { text } = await running.fetch('/metrics');
    expect(text).toMatch(
      new RegExp(`posthorn_http_requests_total\\{[^}]*route="${path}"[^}]*status="401"[^}]*\\} \\d`),
    );
    expect(text).toContain(`route="(${name}, no such route)"`);
    expect(text).not.toContain('nowhere');
  });
});

test('HEAD is GET without the body', async () => {
  fake.add('ricloud');
  const answer = await running.fetch('/configs/webhook', {
    method: 'HEAD',
    headers: { Authorization: `Token ${tokens.acme}` },
  });
  expect([answer.status, answer.text]).toEqual([200, '']);
});

test('the id of the request and its trace go on to the services', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers = { traceparent, 'X-Request-Id': 'mine-2' };
  await running.call('GET', '/configs/webhook', { scheme: 'Token', headers });
  expect(seenTrace).toEqual({ requestId: 'mine-2', traceparent });
  await running.call('GET', '/configs/webhook', { scheme: 'Token', headers: { traceparent: 'odd' } });
  expect(seenTrace?.traceparent).toBeUndefined();
});

test('a fault of ours is logged with its cause, and tells nothing of it', async () => {
  const { id } = fake.add('ricloud');
  const answer = await running.call('GET', `/configs/webhook/${id}`, { scheme: 'Token' });
  expect([answer.status, answer.text.includes('private')]).toEqual([500, false]);
  expect(logged).toEqual([
    expect.objectContaining({ operation: 'ricloudReadConfig', status: 500, code: 'internal' }),
  ]);
});

test('while keys can’t be checked, every dialect says in its own shape when to come back', async () => {
  const away = await startTestGateway({
    handlers: {
      keys: { authenticate: () => Promise.reject(new DomainError('unavailable', 'config is away')) },
    },
  });
  for (const { path, scheme, hasShape } of Object.values(lists)) {
    const answer = await away.fetch(path, { headers: { Authorization: `${scheme} ${tokens.acme}` } });
    expect([path, answer.status, hasShape(answer.body), answer.headers.get('retry-after')]).toEqual([
      path,
      503,
      true,
      '1',
    ]);
  }
  await away.gateway.stop(1_000);
});

test('an organisation is named in a header by id or slug, and twice only alike', async () => {
  fake.add('ricloud', { organisationId: globex.id });
  const total = async (name: string): Promise<unknown> => {
    const init = {
      scheme: 'Token',
      token: tokens.operator,
      headers: { 'Posthorn-Organisation': name },
    } as const;
    const { status, body } = await running.call('GET', '/configs/webhook', init);
    return [status, (body as { total_count?: number }).total_count];
  };
  expect([
    await total(globex.slug),
    await total(globex.id),
    await total(acme.slug),
    await total('x'),
  ]).toEqual([
    [200, 1],
    [200, 1],
    [200, 0],
    [404, undefined],
  ]);
});

test('characters that a URL should encode are taken as they are', async () => {
  const raw = await openRaw(Number(new URL(running.address).port));
  raw.write(
    'GET /webhook_policies?created_at=>=2020-01-01<2030-01-01&x="[]{}|^` HTTP/1.1\r\n'.replace(
      / (?=HTTP)/,
      '&y=1 ',
    ) + `Host: x\r\nAuthorization: Bearer ${tokens.acme}\r\nConnection: close\r\n\r\n`,
  );
  expect((await raw.closed).split('\r\n')[0]).toMatch(/^HTTP\/1\.1 (?:200|404)/);
});

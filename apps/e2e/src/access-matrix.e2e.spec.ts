/**
 * Who may call what: every route of the OpenAPI document, native and dialects, with no key, keys that count no more, every single
 * scope, and the ids of another tenant. What a route needs is written down here a second time: a route that is not in
 * this table, or needs something else than it says, fails.
 */
import { holdsScope, scopes, type Scope } from '@posthorn/models';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { routesInTable, type Resource, type RouteAccess } from './access-table.ts';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from './tenant.ts';

interface Operation {
  /** Without what tells it from the same route under another path. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly hasBody: boolean;
  readonly scheme: 'Bearer' | 'Token';
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly requestBody?: object;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

let platform: PlatformProcess;
let receiver: Receiver;
let mine: Tenant;
let theirs: Tenant;
let expired: { readonly token: string };
let operations: readonly Operation[];
let documented: ReadonlyMap<string, string>;
/** What belongs to the other tenant. */
let foreign: Readonly<Record<Resource, string>>;

beforeAll(async () => {
  platform = await preparePlatform({ env: { POSTHORN_DIALECT_XURRENT_REQUESTS_PER_HOUR: '1000000' } });
  await platform.start();
  receiver = await startReceiver();
  mine = await createTenant(platform);
  theirs = await createTenant(platform);
  // Gone by the time that it is needed, and not before it is made, however slow the machine is.
  expired = await keyOf(mine, ['*'], { expiresAt: new Date(Date.now() + 8_000).toISOString() });
  const read = await readDocument();
  operations = read.operations;
  documented = read.needs;
  foreign = await resourcesOf(theirs);
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

async function readDocument() {
  const document = (await (await fetch(`${platform.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, DocumentedOperation>>;
  };
  const found: Operation[] = [];
  const needs = new Map<string, string>();
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const name = operation.operationId.replace(/_.*$/, '');
      const [security] = operation.security ?? [];
      const isRicloud = Object.keys(security ?? {}).includes('ricloudToken');
      found.push({
        name,
        method: method.toUpperCase(),
        path,
        hasBody: operation.requestBody !== undefined,
        scheme: isRicloud ? 'Token' : 'Bearer',
      });
      const [said = ''] = /Needs .*$/m.exec(operation.description ?? '') ?? [];
      needs.set(name, said);
    }
  return { operations: found, needs };
}

async function resourcesOf(owner: Tenant): Promise<Readonly<Record<Resource, string>>> {
  const endpoint = async (dialect: string, more: object = {}): Promise<string> =>
    (await owner.endpoint({ url: receiver.url, dialect, ...more })).id;
  const policy = await owner.ok<{ id: string; number: number }>('POST', '/v1/policies', {
    algorithm: 'es256',
  });
  const standard = await endpoint('standard');
  const rapidly = await endpoint('rapidly');
  const preo = await endpoint('preo');
  const ricloud = await endpoint('ricloud');
  await owner.ok('PUT', '/v1/event-types/their.type', {});
  const { data: keys } = await owner.ok<PageAnswer<{ id: string }>>('GET', '/v1/keys');
  const event = await owner.publish({ type: 'share.created', data: { id: 1 } });
  const of = async (endpointId: string): Promise<string> => (await owner.delivery(event.id, endpointId)).id;
  const replay = await owner.ok<{ id: string }>('POST', '/v1/replays', { endpoint: standard, dryRun: true });
  const erasure = await owner.ok<{ id: string }>('POST', '/v1/erasures', { subject: 'nobody' });
  const token = { authorization: `Token ${owner.key}` };
  await owner.call('POST', `/configs/webhook/${ricloud}/test`, {}, token);
  const tasks = await owner.call<{ data: { id: string }[] }>('GET', '/tasks', undefined, token);
  return {
    organisation: owner.id,
    key: keys[0]?.id ?? '',
    eventType: 'their.type',
    endpoint: standard,
    policy: policy.id,
    policyNumber: String(policy.number),
    event: event.id,
    delivery: await of(standard),
    replay: replay.id,
    erasure: erasure.id,
    ricloudEndpoint: ricloud,
    ricloudTask: tasks.body.data[0]?.id ?? '',
    ricloudEvent: event.id,
    rapidlyEndpoint: rapidly,
    rapidlyEvent: event.id,
    preoEndpoint: preo,
    preoDelivery: await of(preo),
  };
}

const accessOf = ({ name }: Operation): RouteAccess => {
  const access = routesInTable[name];
  if (access === undefined) throw new Error(`The route ${name} is not in the table.`);
  return access;
};
const guarded = (): readonly Operation[] =>
  operations.filter((operation) => accessOf(operation).scopes !== 'open');

/** Calls a route with an authorization header; its parameters are `ids`, or what can't be an id. */
async function call(
  operation: Operation,
  authorization: string | undefined,
  ids: Partial<Record<Resource, string>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const { of = {}, body = {} } = accessOf(operation);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const resource = of[name];
    return encodeURIComponent((resource && ids[resource]) ?? 'nothing-there');
  });
  const response = await fetch(platform.url + path, {
    method: operation.method,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(operation.hasBody && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(operation.hasBody && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, type: response.headers.get('content-type'), text };
}

async function keyOf(
  owner: Tenant,
  wanted: readonly Scope[],
  more: object = {},
): Promise<{ id: string; token: string }> {
  // A key that reads a feed names its endpoint.
  const named = wanted.includes('feed:read')
    ? { endpoint: (await owner.endpoint({ url: receiver.url })).id }
    : {};
  const name = wanted.join(' ');
  return owner.ok('POST', '/v1/keys', { name, scopes: wanted, ...named, ...more });
}

/** Runs a check for every one, a few at a time, and answers what it finds wrong. */
async function problemsOf<T>(
  all: readonly T[],
  check: (one: T) => Promise<string | null>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const left = [...all];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        const problem = await check(one);
        if (problem !== null) problems.push(problem);
      }
    }),
  );
  return problems.sort();
}

const titleOf = ({ method, path }: Operation): string => `${method} ${path}`;

test('the table has every route, no other, and what the reference says of each', () => {
  expect([...new Set(operations.map(({ name }) => name))].sort()).toEqual(Object.keys(routesInTable).sort());
  for (const [name, said] of documented) {
    const { scopes: needed, isForOperators } = routesInTable[name] ?? { scopes: [] };
    const list = needed === 'open' ? [] : needed;
    const words =
      list.length === 0
        ? ''
        : `Needs the scope ${list.map((scope) => `\`${scope}\``).join(' and ')}${isForOperators === true ? ' and an operator key' : ''}.`;
    expect([name, said]).toEqual([name, words]);
  }
});

test('without a key that counts, every route answers 401, whatever is wrong with it', async () => {
  const revoked = await keyOf(mine, ['*']);
  await mine.ok('GET', '/v1/endpoints');
  await mine.as({ key: revoked.token }).ok('GET', '/v1/endpoints');
  await mine.call('DELETE', `/v1/keys/${revoked.id}`);
  for (const { token } of [revoked, expired])
    await eventually(
      async () => (await mine.as({ key: token }).call('GET', '/v1/endpoints')).status === 401,
      {
        timeoutMs: patienceMs,
        everyMs: 100,
      },
    );
  const bad: Readonly<Record<string, (scheme: string) => string | undefined>> = {
    none: () => undefined,
    empty: () => '',
    malformed: (scheme) => `${scheme} a b`,
    'of another scheme': () => `Digest ${mine.key}`,
    unknown: (scheme) => `${scheme} phk_0123456789`,
    'cut short': (scheme) => `${scheme} ${mine.key.slice(0, -1)}`,
    'a token nobody signed': (scheme) => `${scheme} eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.`,
    revoked: (scheme) => `${scheme} ${revoked.token}`,
    expired: (scheme) => `${scheme} ${expired.token}`,
  };
  const cases = guarded().flatMap((operation) => Object.keys(bad).map((kind) => ({ operation, kind })));
  expect(
    await problemsOf(cases, async ({ operation, kind }) => {
      const { status } = await call(operation, bad[kind]?.(operation.scheme), foreign);
      return status === 401 ? null : `${titleOf(operation)} with a key that is ${kind}: ${status}`;
    }),
  ).toEqual([]);
});

test('each scope opens the routes that need it and no other; operators’ routes are closed to every tenant', async () => {
  const needed = Object.values(routesInTable).map((access) =>
    access.scopes === 'open' ? [] : access.scopes,
  );
  const sets = [...scopes.map((scope) => [scope]), ...needed.filter((set) => set.length > 0)];
  const distinct = [...new Map(sets.map((set) => [set.join(' '), set])).values()];
  const keys = await Promise.all(
    distinct.map(async (held) => ({ held, token: (await keyOf(mine, held)).token })),
  );
  const cases = guarded().flatMap((operation) => keys.map((key) => ({ operation, ...key })));
  expect(
    await problemsOf(cases, async ({ operation, held, token }) => {
      const { scopes: wanted, isForOperators } = accessOf(operation);
      const holdsAll = wanted !== 'open' && wanted.every((scope) => holdsScope(held, scope));
      const { status, text } = await call(operation, `${operation.scheme} ${token}`);
      const isRight =
        holdsAll && isForOperators !== true
          ? status !== 401 && status !== 403 && status < 500
          : status === 403;
      return isRight ? null : `${titleOf(operation)} with ${held.join(' ')}: ${status} ${text}`;
    }),
  ).toEqual([]);
});

test('an operator is let in everywhere, with an organisation and without', async () => {
  const cases = guarded().flatMap((operation) =>
    [{}, { 'posthorn-organisation': mine.slug }].map((headers) => ({ operation, headers })),
  );
  expect(
    await problemsOf(cases, async ({ operation, headers }) => {
      const { status, text } = await call(operation, `${operation.scheme} ${operatorKey}`, {}, headers);
      return status === 401 || status === 403 || status >= 500
        ? `${titleOf(operation)}: ${status} ${text}`
        : null;
    }),
  ).toEqual([]);
});

/** The answer without what differs from request to request, and without the ids that were asked for. */
function comparable({ status, type, text }: Answer, ids: Readonly<Record<string, string>>): string {
  const masked = Object.values(ids).reduce(
    (all, id) => all.replace(new RegExp(`(?<![\\w-])${id}(?![\\w-])`, 'g'), '<id>'),
    text,
  );
  return `${status} ${type} ${masked.replace(/"requestId":"[^"]*"/, '"requestId":"<request>"')}`;
}

/** Something of the same form that nobody has. */
function unknownLike(id: string): string {
  if (/^\d+$/.test(id)) return '987654';
  return /^[0-9a-f-]{36}$/.test(id) ? id.replace(/[0-9a-f]{11}$/, '0abcdef0123') : `${id}x`;
}

test('another tenant’s ids answer exactly like ids that nobody has', async () => {
  const unknown = Object.fromEntries(
    Object.entries(foreign).map(([resource, id]) => [resource, unknownLike(id)]),
  );
  const cases = guarded().filter((operation) => {
    const { of, isCreatedByName } = accessOf(operation);
    return of !== undefined && isCreatedByName !== true && accessOf(operation).isForOperators !== true;
  });
  expect(cases.length).toBeGreaterThan(40);
  expect(
    await problemsOf(cases, async (operation) => {
      const authorization = `${operation.scheme} ${mine.key}`;
      const theirsAnswer = await call(operation, authorization, foreign);
      const nobodys = await call(operation, authorization, unknown);
      const [one, other] = [comparable(theirsAnswer, foreign), comparable(nobodys, unknown)];
      if (one !== other) return `${titleOf(operation)}: ${one} but ${other}`;
      return theirsAnswer.status < 400 ? `${titleOf(operation)}: ${one}` : null;
    }),
  ).toEqual([]);
});

test('those ids are the other tenant’s: what is read with them is there for itself', async () => {
  const reads = guarded().filter((operation) => {
    const { of, isForOperators, isUnsafe } = accessOf(operation);
    return operation.method === 'GET' && of !== undefined && isForOperators !== true && isUnsafe !== true;
  });
  expect(
    await problemsOf(reads, async (operation) => {
      const { status, text } = await call(operation, `${operation.scheme} ${theirs.key}`, foreign);
      return status === 200 ? null : `${titleOf(operation)}: ${status} ${text}`;
    }),
  ).toEqual([]);
});

test('another tenant’s things can’t be named in a query, a body or a header either', async () => {
  const { endpoint, ricloudEndpoint, event, policy, organisation } = foreign;
  const cases: readonly (readonly [
    string,
    string,
    (id: string) => string,
    ((id: string) => object) | null,
    string,
  ])[] = [
    ['GET', 'deliveries of an endpoint', (id) => `/v1/deliveries?endpointId=${id}`, null, endpoint],
    ['GET', 'deliveries of an event', (id) => `/v1/deliveries?eventId=${id}`, null, event],
    ['GET', 'attempts of an endpoint', (id) => `/v1/attempts?endpointId=${id}`, null, endpoint],
    ['POST', 'a replay', () => '/v1/replays', (id) => ({ endpoint: id, dryRun: true }), endpoint],
    ['POST', 'a retry of many', () => '/v1/deliveries/retry', (id) => ({ endpointId: id }), endpoint],
    [
      'POST',
      'a key that routes',
      () => '/v1/keys',
      (id) => ({ name: 'k', scopes: ['events:write'], routesTo: id }),
      ricloudEndpoint,
    ],
    [
      'POST',
      'an endpoint with a policy',
      () => '/v1/endpoints',
      (id) => ({ url: receiver.url, dialect: 'xurrent', policy: id }),
      policy,
    ],
    [
      'POST',
      'a key for an organisation',
      () => '/v1/keys',
      (id) => ({ name: 'k', scopes: ['*'], organisation: id }),
      organisation,
    ],
    [
      'POST',
      'an endpoint of an organisation',
      () => '/v1/endpoints',
      (id) => ({ url: receiver.url, organisation: id }),
      organisation,
    ],
    [
      'POST',
      'an event of an organisation',
      () => '/v1/events',
      (id) => ({ type: 'a', data: 1, organisation: id }),
      organisation,
    ],
  ];
  for (const [method, what, pathOf, bodyOf, id] of cases) {
    const other = unknownLike(id);
    const [one, two] = await Promise.all(
      [id, other].map(async (named) => {
        const { status, headers, text } = await mine.call(method, pathOf(named), bodyOf?.(named));
        return comparable({ status, type: headers.get('content-type'), text }, { named });
      }),
    );
    expect([what, one]).toEqual([what, two]);
    if (method === 'GET') expect(one).toContain('"data":[]');
    else expect(Number(one?.slice(0, 3))).toBeGreaterThanOrEqual(400);
  }
  for (const name of [theirs.id, theirs.slug]) {
    const { status } = await mine.as({ organisation: name }).call('GET', '/v1/endpoints');
    expect(status).toBe(404);
  }
});

test('nothing of the other tenant was changed by all of this', async () => {
  const { version, state } = await theirs.ok<{ version: number; state: string }>(
    'GET',
    `/v1/endpoints/${foreign.endpoint}`,
  );
  expect({ version, state }).toEqual({ version: 1, state: 'enabled' });
  const { data } = await theirs.ok<PageAnswer<{ organisation: string; actor: { id: string } }>>(
    'GET',
    '/v1/audit?limit=250',
  );
  const { data: keys } = await theirs.ok<PageAnswer<{ id: string }>>('GET', '/v1/keys');
  expect(keys).toHaveLength(1);
  expect(data.every(({ organisation }) => organisation === theirs.id)).toBe(true);
});

/**
 * A team moves from each of the four APIs, served by one Posthorn, to another one: its receivers keep their secrets and keys, and
 * aren't asked anything again.
 */
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { eventually, startReceiver, type Receiver } from '@posthorn/testing';
import { jwtVerify } from 'jose';
import { Webhook } from 'standardwebhooks';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { endCommands, runCommand, type CommandResult } from './posthorn-command.ts';
import { createRestClient, type RestClient } from './rest-client.ts';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from './tenant.ts';

let source: PlatformProcess;
let destination: PlatformProcess;
let theirs: Tenant;
let ours: RestClient;
let receiver: Receiver;

beforeAll(async () => {
  source = await preparePlatform();
  destination = await preparePlatform();
  receiver = await startReceiver();
  await Promise.all([source.start(), destination.start()]);
  theirs = await createTenant(source);
  const operator = createRestClient({ url: destination.url, key: operatorKey });
  await operator.ok('POST', '/v1/organisations', { slug: 'moved', accountUrl: 'https://moved.example.com' });
  ours = operator.as({ organisation: 'moved' });
});
afterAll(async () => {
  await endCommands();
  await receiver.close();
  await Promise.all([source.dispose(), destination.dispose()]);
});

function importing(dialect: string, ...args: readonly string[]): Promise<CommandResult> {
  return runCommand(['--json', 'import', dialect, '--from', source.url, ...args], {
    env: {
      POSTHORN_URL: destination.url,
      POSTHORN_KEY: operatorKey,
      POSTHORN_ORGANISATION: 'moved',
      POSTHORN_FROM_TOKEN: theirs.key,
    },
  });
}

interface Row {
  readonly result: string;
  readonly kind: string;
  readonly name: string;
}

function rowsOf({ stdout, stderr }: CommandResult): readonly Row[] {
  const lines = stdout.trim().split('\n');
  if (stdout.trim() === '') throw new Error(stderr);
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Shows the plan, carries it out, and finds nothing left to do. */
async function move(dialect: string, ...args: readonly string[]): Promise<readonly Row[]> {
  const planned = await importing(dialect, ...args);
  expect(planned.stderr).toContain('Nothing was written.');
  expect(await endpointsOf(dialect)).toEqual([]);
  const moved = await importing(dialect, ...args, '--apply');
  expect([moved.code, moved.stderr]).toEqual([0, '']);
  expect(rowsOf(moved).map(({ name }) => name)).toEqual(rowsOf(planned).map(({ name }) => name));
  const again = await importing(dialect, ...args, '--apply');
  expect(rowsOf(again).map(({ result }) => result)).toEqual(rowsOf(again).map(() => 'unchanged'));
  return rowsOf(moved);
}

interface EndpointView {
  readonly id: string;
  readonly uid: string;
  readonly dialect: string;
  readonly state: string;
  readonly verification: string;
  readonly url: string;
}

async function endpointsOf(dialect: string): Promise<readonly EndpointView[]> {
  const { data } = await ours.ok<PageAnswer<EndpointView>>('GET', '/v1/endpoints?limit=250');
  return data.filter((endpoint) => endpoint.dialect === dialect);
}

/** Publishes at the destination, and answers the request that comes to a path of the receiver. */
async function deliver(path: string, type: string, data: object): Promise<Receiver['requests'][number]> {
  const before = receiver.requests.length;
  await ours.ok('POST', '/v1/events', { type, data });
  return eventually(
    () => {
      const request = receiver.requests.slice(before).find((candidate) => candidate.path.startsWith(path));
      if (request === undefined) throw new Error(`nothing came to ${path}`);
      return request;
    },
    { timeoutMs: patienceMs },
  );
}

const headerOf = (request: { headers: Readonly<Record<string, unknown>> }, name: string): string =>
  String(request.headers[name]);

test('from ricloud: a valid config gets events under its old secret, and is not tested again', async () => {
  const dialect = createRestClient({ url: source.url, key: theirs.key });
  const token = { authorization: `Token ${theirs.key}`, 'ricloud-await': '10' };
  const created = await dialect.call<{ id: string; secret: string; state: string }>(
    'POST',
    '/configs/webhook',
    { url: `${receiver.url}/ricloud` },
    token,
  );
  expect(created.body.state).toBe('valid');
  await dialect.call('POST', '/configs/webhook', { url: `${receiver.url}/off` }, token);
  const { data } = (
    await dialect.call<{ data: { id: string }[] }>('GET', '/configs/webhook', undefined, token)
  ).body;
  await dialect.call('POST', `/configs/webhook/${data[0]?.id}`, { state: 'deactivated' }, token);

  expect((await move('ricloud')).map(({ result, kind }) => [result, kind])).toEqual([
    ['created', 'endpoint'],
    ['created', 'endpoint'],
  ]);
  expect(
    (await endpointsOf('ricloud')).map(({ uid, state, verification }) => [uid, state, verification]),
  ).toEqual([
    [`ricloud-${data[0]?.id}`, 'disabled', expect.any(String)],
    [`ricloud-${created.body.id}`, 'enabled', 'passed'],
  ]);
  const request = await deliver('/ricloud', 'backup.done', { n: 1 });
  expect(request.path).toMatch(/^\/ricloud\/[0-9a-f-]{36}$/);
  const [, t, s] = /^t=(\d+),s=(.+)$/.exec(headerOf(request, 'ricloud-signature')) ?? [];
  const expected = createHmac('sha256', created.body.secret)
    .update(`${t}.${request.body.toString()}`)
    .digest('base64');
  expect(s).toBe(expected);
});

test('from rapidly: format, events, secret and state are as they were', async () => {
  const settings = {
    url: `${receiver.url}/rapidly`,
    dialect: 'rapidly',
    format: 'slack',
    eventTypes: ['share.created'],
  };
  const { secret } = await theirs.ok<{ secret: string }>('POST', '/v1/endpoints', settings);
  const off = await theirs.ok<{ id: string }>('POST', '/v1/endpoints', {
    ...settings,
    url: `${receiver.url}/off`,
  });
  await theirs.ok('PATCH', `/api/webhooks/endpoints/${off.id}`, { enabled: false });
  await move('rapidly');
  expect((await endpointsOf('rapidly')).map(({ state }) => state).sort()).toEqual(['disabled', 'enabled']);
  const request = await deliver('/rapidly', 'share.created', { id: 'x' });
  const key = `whsec_${Buffer.from(secret).toString('base64')}`;
  const headers = Object.fromEntries(
    ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, headerOf(request, name)]),
  );
  expect(new Webhook(key).verify(request.body.toString(), headers)).toMatchObject({ text: 'share.created' });
});

test('from preo: with the secrets that its API does not show, and what is missing is told and can be added', async () => {
  const create = (name: string): Promise<{ id: string; secret: string }> =>
    theirs.ok('POST', '/webhook-endpoints/', {
      organization_id: theirs.id,
      name,
      url: `${receiver.url}/preo`,
      events: ['order.paid'],
      timeout_seconds: 20,
    });
  const first = await create('first');
  const second = await create('second');
  const file = (known: readonly { id: string; secret: string }[]): string =>
    JSON.stringify({ endpoints: known.map(({ id, secret }) => ({ id, secret })) });
  const some = await importing('preo', '--file', file([first]), '--apply');
  expect(some.code).toBe(1);
  expect(rowsOf(some).map(({ result, name }) => [result, name])).toEqual([
    ['created', `preo-${first.id}`],
    ['impossible', `preo-${second.id}`],
  ]);
  const rest = await importing('preo', '--file', file([first, second]), '--apply');
  expect(rowsOf(rest).map(({ result }) => result)).toEqual(['unchanged', 'created']);
  await ours.ok('DELETE', `/v1/endpoints/preo-${second.id}`);
  const request = await deliver('/preo', 'order.paid', { n: 2 });
  expect(headerOf(request, 'x-webhook-signature')).toBe(
    createHmac('sha256', first.secret).update(request.body).digest('hex'),
  );
});

test('from xurrent: policies keep their names and keys, and endpoints come from the file, verified as they were', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const policy = await theirs.ok<{ name: string }>('POST', '/v1/policies', {
    algorithm: 'es256',
    audience: 'receivers',
    expiresInMinutes: 10,
    key: pem,
  });
  const file = {
    policies: [{ name: policy.name, key: pem }],
    endpoints: [{ id: 'crm', url: `${receiver.url}/xurrent`, policy: policy.name, eventTypes: ['person.*'] }],
  };
  const rows = await move('xurrent', '--from-account', theirs.slug, '--file', JSON.stringify(file));
  expect(rows.map(({ kind, result }) => [kind, result])).toEqual([
    ['policy', 'created'],
    ['endpoint', 'created'],
  ]);
  const request = await deliver('/xurrent', 'person.create', { id: 7 });
  const { jwt } = JSON.parse(request.body.toString()) as { jwt: string };
  const response = await fetch(`${destination.url}/.well-known/jwks.json?kid=${policy.name}`);
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  expect(keys.map(({ kid }) => kid)).toEqual([policy.name]);
  // With the key that the receiver had all along.
  const { payload, protectedHeader } = await jwtVerify(jwt, createPublicKey(privateKey), {
    audience: 'receivers',
  });
  expect(protectedHeader.kid).toBe(policy.name);
  expect(payload['data']).toMatchObject({ event: 'person.create', payload: { id: 7 } });
});

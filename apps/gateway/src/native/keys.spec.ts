import { configV1 } from '@posthorn/contracts';
import { acme, globex, tokens } from '../testing/fake-services.harness.ts';
import { sampleTime } from '../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

let running: TestGateway;
let created: configV1.CreateKeyRequest | null = null;
let listed: configV1.ListKeysRequest | null = null;
let updated: configV1.UpdateKeyRequest | null = null;
let deleted: configV1.DeleteKeyRequest | null = null;

const key = configV1.ApiKey.fromPartial({
  id: '01890000-0000-4000-8000-0000000000c1',
  name: 'Order service',
  prefix: 'phk_12345678',
  scopes: ['events:write'],
  organisationId: acme.id,
  createdAt: sampleTime,
});

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      keys: {
        createKey: (request) => {
          created = request;
          return Promise.resolve({ key, token: 'phk_the-token' });
        },
        getKey: () => Promise.resolve({ key }),
        listKeys: (request) => {
          listed = request;
          return Promise.resolve({ keys: [key], nextCursor: '' });
        },
        updateKey: (request) => {
          updated = request;
          return Promise.resolve({ key });
        },
        deleteKey: (request) => {
          deleted = request;
          return Promise.resolve({});
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  created = null;
});

const input = { name: 'Order service', scopes: ['events:write'] };

test('is created with its token, which no other answer shows', async () => {
  const answer = await running.call('POST', '/v1/keys', {
    body: { ...input, expiresAt: '2099-01-01T00:00:00+02:00' },
  });
  const shown = {
    id: key.id,
    name: 'Order service',
    prefix: 'phk_12345678',
    scopes: ['events:write'],
    organisation: acme.id,
    expiresAt: null,
    lastUsedAt: null,
    createdAt: '2026-01-31T12:00:00.000Z',
    routesTo: null,
    endpoint: null,
    limits: { publishesPerSecond: null, publishesPerDay: null, bytesPerDay: null },
  };
  expect([answer.status, answer.body]).toEqual([201, { ...shown, token: 'phk_the-token' }]);
  expect(created?.key).toMatchObject({
    organisationId: acme.id,
    expiresAt: new Date('2098-12-31T22:00:00.000Z'),
  });
  expect((await running.call('GET', `/v1/keys/${key.id}`)).body).toEqual(shown);
});

test('is made by an operator for the organisation that it names', async () => {
  await running.call('POST', '/v1/keys', {
    token: tokens.operator,
    body: { ...input, organisation: 'globex' },
  });
  expect(created?.key?.organisationId).toBe(globex.id);
});

test('an operator key is made only when null is said in so many words', async () => {
  const { operator: token } = tokens;
  const forgotten = await running.call('POST', '/v1/keys', { token, body: input });
  expect([forgotten.status, created]).toEqual([400, null]);
  const meant = await running.call('POST', '/v1/keys', { token, body: { ...input, organisation: null } });
  expect([meant.status, created]).toEqual([
    201,
    expect.objectContaining({ key: expect.objectContaining({ organisationId: undefined }) as unknown }),
  ]);
});

test('a tenant can’t make an operator key, nor one of another tenant, nor set a token', async () => {
  const answers = await Promise.all(
    [{ organisation: null }, { organisation: 'globex' }, { token: 'x'.repeat(40) }].map((more) =>
      running.call('POST', '/v1/keys', { body: { ...input, ...more } }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([400, 404, 403]);
  expect(created).toBeNull();
});

test('an operator may set the token', async () => {
  const token = 'a-token-that-a-customer-brought';
  const body = { ...input, organisation: 'acme', token };
  expect((await running.call('POST', '/v1/keys', { token: tokens.operator, body })).status).toBe(201);
  expect(created?.token).toBe(token);
});

test.each([
  ['no name', { scopes: ['*'] }, '/name'],
  ['no scopes', { name: 'x' }, '/scopes'],
  ['an empty list of scopes', { name: 'x', scopes: [] }, '/scopes'],
  ['an unknown scope', { name: 'x', scopes: ['*', 'events:admin'] }, '/scopes/1'],
  ['a time in the past', { ...input, expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
  ['no time', { ...input, expiresAt: 'tomorrow' }, '/expiresAt'],
  ['a day that isn’t', { ...input, expiresAt: '2099-02-30T00:00:00Z' }, '/expiresAt'],
  ['a short token', { ...input, token: 'short' }, '/token'],
  ['a token with spaces', { ...input, token: 'a token with spaces in it' }, '/token'],
  ['a route that is no text', { ...input, routesTo: 1 }, '/routesTo'],
])('%s is refused', async (_, body, field) => {
  const answer = await running.call('POST', '/v1/keys', { body });
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
  ]);
});

test('are listed for a tenant, for all, or for the organisation that an operator names', async () => {
  await running.call('GET', '/v1/keys');
  expect(listed?.organisationId).toBe(acme.id);
  await running.call('GET', '/v1/keys', { token: tokens.operator });
  expect(listed?.organisationId).toBeUndefined();
  await running.call('GET', '/v1/keys', {
    token: tokens.operator,
    headers: { 'Posthorn-Organisation': 'globex' },
  });
  expect(listed?.organisationId).toBe(globex.id);
});

test('is changed in the fields that are given, and revoked', async () => {
  await running.call('PATCH', `/v1/keys/${key.id}`, { body: { expiresAt: null, scopes: ['*'] } });
  expect(updated).toMatchObject({
    id: key.id,
    organisationId: acme.id,
    updateMask: ['expires_at', 'scopes'],
  });
  expect((await running.call('DELETE', `/v1/keys/${key.id}`)).status).toBe(204);
  expect(deleted).toEqual({ id: key.id, organisationId: acme.id });
});

test('can’t be moved to another organisation, nor get another token', async () => {
  for (const body of [{ organisation: 'globex' }, { token: 'x'.repeat(40) }]) {
    expect((await running.call('PATCH', `/v1/keys/${key.id}`, { body })).status).toBe(400);
  }
});

test('what a key publishes can be routed to one endpoint, and back to the default', async () => {
  await running.call('POST', '/v1/keys', { body: { ...input, routesTo: 'my-config' } });
  expect(created?.key).toMatchObject({ routesTo: 'my-config' });
  await running.call('PATCH', `/v1/keys/${key.id}`, { body: { routesTo: null } });
  expect(updated).toMatchObject({ updateMask: ['routes_to'], key: { routesTo: undefined } });
});

test('is given limits, and others in their place', async () => {
  await running.call('POST', '/v1/keys', { body: { ...input, limits: { bytesPerDay: 1000 } } });
  expect(created?.key?.limits).toEqual({ bytesPerDay: 1000n });
  await running.call('PATCH', `/v1/keys/${key.id}`, { body: { limits: { publishesPerDay: 7 } } });
  expect(updated).toMatchObject({ updateMask: ['limits'], key: { limits: { publishesPerDay: 7n } } });
  const wrong = await running.call('PATCH', `/v1/keys/${key.id}`, { body: { limits: { endpoints: 7 } } });
  expect([wrong.status, wrong.body]).toMatchObject([400, { violations: [{ field: '/limits/endpoints' }] }]);
});

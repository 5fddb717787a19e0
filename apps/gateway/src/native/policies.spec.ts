import { configV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme, tokens } from '../testing/fake-services.harness.ts';
import { sampleTime } from '../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const { POLICY_ALGORITHM_HS256, POLICY_ALGORITHM_RS256 } = configV1.PolicyAlgorithm;

let running: TestGateway;
const asked = new Map<string, unknown>();

const id = '01890000-0000-4000-8000-0000000000b1';
const policy = configV1.Policy.fromPartial({
  id,
  number: 7n,
  organisationId: acme.id,
  name: 'a1b2',
  algorithm: POLICY_ALGORITHM_RS256,
  expiresInMinutes: 5,
  publicKeyPem: 'PEM',
  createdAt: sampleTime,
  updatedAt: sampleTime,
});
const shown = {
  id,
  number: 7,
  organisation: acme.id,
  name: 'a1b2',
  algorithm: 'rs256',
  audience: null,
  expiresInMinutes: 5,
  publicKeyPem: 'PEM',
  disabled: false,
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      policies: {
        createPolicy: (request) => {
          asked.set('create', request);
          const algorithm = request.policy?.algorithm ?? 0;
          const isShared = algorithm === POLICY_ALGORITHM_HS256;
          return Promise.resolve({
            policy: { ...policy, algorithm, publicKeyPem: isShared ? undefined : 'PEM' },
            sharedSecret: isShared ? 'the-secret' : undefined,
          });
        },
        getPolicy: ({ idOrNumber }) =>
          idOrNumber === '7' || idOrNumber === id
            ? Promise.resolve({ policy })
            : Promise.reject(new DomainError('not_found', 'There is no such policy.')),
        listPolicies: (request) => {
          asked.set('list', request);
          return Promise.resolve({ policies: [policy], nextCursor: 'bmV4dA' });
        },
        updatePolicy: (request) => {
          asked.set('update', request);
          return Promise.resolve({ policy });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => asked.clear());

test('a policy is created with what is given, and shown with its public key', async () => {
  const body = { algorithm: 'rs256', audience: 'receivers', expiresInMinutes: 5, name: 'kept', key: 'PEM' };
  const answer = await running.call('POST', '/v1/policies', { body });
  expect([answer.status, answer.body]).toEqual([201, shown]);
  expect(asked.get('create')).toMatchObject({
    policy: {
      organisationId: acme.id,
      name: 'kept',
      algorithm: POLICY_ALGORITHM_RS256,
      audience: 'receivers',
    },
    key: 'PEM',
  });
});

test('a shared secret is in the answer to its creation, and in no other', async () => {
  const { body } = await running.call('POST', '/v1/policies', { body: { algorithm: 'hs256' } });
  expect(body).toMatchObject({ sharedSecret: 'the-secret', publicKeyPem: null });
  const read = await running.call('GET', '/v1/policies/7');
  expect(read.text).not.toContain('ecret');
});

test('a policy is found by its number and by its id', async () => {
  for (const name of ['7', id]) {
    expect((await running.call('GET', `/v1/policies/${name}`)).body).toEqual(shown);
  }
  expect((await running.call('GET', '/v1/policies/8')).status).toBe(404);
});

test('policies are listed in pages', async () => {
  const { body } = await running.call('GET', '/v1/policies?limit=1');
  expect(body).toEqual({ data: [shown], nextCursor: 'bmV4dA' });
  expect(asked.get('list')).toEqual({ organisationId: acme.id, limit: 1, cursor: '' });
});

test('a change names the fields that it is about, and null clears one', async () => {
  const body = { expiresInMinutes: null, disabled: true };
  expect((await running.call('PATCH', '/v1/policies/7', { body })).body).toEqual(shown);
  expect(asked.get('update')).toMatchObject({
    idOrNumber: '7',
    policy: { disabled: true, expiresInMinutes: undefined },
    updateMask: ['expires_in_minutes', 'disabled'],
  });
});

test.each([
  ['no algorithm', {}, '/algorithm'],
  ['an unknown algorithm', { algorithm: 'RS256' }, '/algorithm'],
  ['no time at all', { algorithm: 'none', expiresInMinutes: 0 }, '/expiresInMinutes'],
  ['an empty audience', { algorithm: 'none', audience: '' }, '/audience'],
  ['a name with spaces', { algorithm: 'none', name: 'a b' }, '/name'],
  ['a public key', { algorithm: 'rs256', publicKeyPem: 'PEM' }, '/publicKeyPem'],
])('%s is refused', async (_, body, field) => {
  const answer = await running.call('POST', '/v1/policies', { body });
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
  ]);
  expect(asked.has('create')).toBe(false);
});

test('reading takes endpoints:read, writing endpoints:write', async () => {
  const { reader: token } = tokens;
  const body = { algorithm: 'none' };
  expect((await running.call('GET', '/v1/policies', { token })).status).toBe(200);
  expect((await running.call('POST', '/v1/policies', { token, body })).status).toBe(403);
  expect((await running.call('PATCH', '/v1/policies/7', { token, body })).status).toBe(403);
});

import { configV1 } from '@posthorn/contracts';
import { DomainError, type ErrorCode, type Principal } from '@posthorn/models';
import { eventually } from '@posthorn/testing';
import { acme, tokens } from '../../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

interface Kept {
  readonly digest: string;
  readonly reservation: string;
  answer: configV1.StoredAnswer | undefined;
}

/** What the idempotency service keeps, as the real one does: see apps/config. */
const kept = new Map<string, Kept>();
const principals = new Set<Principal['kind']>();
let isKeepingAway = false;
let createdCount = 0;
let failure: ErrorCode | null = null;
/** What creating waits for. */
let gate: Promise<undefined> | null = null;
let running: TestGateway;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      idempotency: {
        reserve: ({ owner, key, digest }, { principal }) => {
          principals.add(principal.kind);
          if (isKeepingAway) return Promise.reject(new DomainError('unavailable', 'The store is away.'));
          const place = `${owner} ${key}`;
          const text = Buffer.from(digest).toString('hex');
          const found = kept.get(place);
          if (found === undefined) {
            const reservation = `r${kept.size}`;
            kept.set(place, { digest: text, reservation, answer: undefined });
            return Promise.resolve({ answer: undefined, inProgress: false, reservation });
          }
          if (found.digest !== text) {
            return Promise.reject(
              new DomainError('idempotency_mismatch', 'It was used with another request.'),
            );
          }
          return Promise.resolve({
            answer: found.answer,
            inProgress: found.answer === undefined,
            reservation: '',
          });
        },
        complete: ({ owner, key, answer, reservation }) => {
          const place = `${owner} ${key}`;
          const found = kept.get(place);
          if (found?.reservation !== reservation) return Promise.resolve({});
          if (answer === undefined) kept.delete(place);
          else found.answer = answer;
          return Promise.resolve({});
        },
      },
      endpoints: {
        createEndpoint: async () => {
          createdCount++;
          await gate;
          return failure === null
            ? Promise.resolve({
                endpoint: sampleEndpoint(),
                secrets: [
                  { scheme: 1, secret: 'whsec_shown-once', createdAt: sampleTime, expiresAt: undefined },
                ],
              })
            : Promise.reject(new DomainError(failure, 'No.'));
        },
      },
      keys: {
        createKey: () =>
          Promise.resolve({
            key: configV1.ApiKey.fromPartial({ id: 'k', name: 'k', scopes: ['*'], createdAt: sampleTime }),
            token: 'phk_shown-once',
          }),
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  kept.clear();
  isKeepingAway = false;
  createdCount = 0;
  failure = null;
  gate = null;
});

const body = { url: 'https://example.com/hooks' };
const create = (key: string, more: object = {}): ReturnType<TestGateway['call']> =>
  running.call('POST', '/v1/endpoints', { body: { ...body, ...more }, headers: { 'Idempotency-Key': key } });

test('the same key and request is carried out once and answered the same, without the secret', async () => {
  const first = await create('k1');
  const second = await create('k1');
  expect([first.status, second.status, createdCount]).toEqual([201, 201, 1]);
  const { secret, ...rest } = first.body as { secret?: string };
  expect(secret).toBe('whsec_shown-once');
  expect(second.body).toEqual(rest);
  expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([
    null,
    'true',
  ]);
  expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
  expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
});

test('nothing secret is kept', async () => {
  await create('k1');
  await running.call('POST', '/v1/keys', {
    token: tokens.operator,
    body: { name: 'k', scopes: ['*'], organisation: null },
    headers: { 'Idempotency-Key': 'k2' },
  });
  const stored = [...kept.values()].map(({ answer }) => Buffer.from(answer?.body ?? []).toString());
  expect(stored).toHaveLength(2);
  expect(stored.join()).not.toContain('shown-once');
});

test('the same key with another request answers 409', async () => {
  await create('k1');
  const other = await create('k1', { name: 'other' });
  expect([other.status, other.body]).toEqual([
    409,
    expect.objectContaining({ code: 'idempotency_mismatch' }),
  ]);
  expect(createdCount).toBe(1);
});

test('while a request is carried out, the same one is told to wait', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  gate = promise;
  const first = create('k1');
  await eventually(() => createdCount === 1);
  const second = await create('k1');
  expect([second.status, second.headers.get('retry-after')]).toEqual([409, '1']);
  resolve(undefined);
  expect((await first).status).toBe(201);
  expect(createdCount).toBe(1);
});

test.each(['already_exists', 'invalid_argument', 'unavailable', 'not_found'] as const)(
  'after %s, which changed nothing, the key is free again',
  async (code) => {
    failure = code;
    await create('k1');
    failure = null;
    expect((await create('k1')).status).toBe(201);
  },
);

test.each(['internal', 'deadline_exceeded'] as const)(
  'after %s, of which nobody knows the outcome, it isn’t carried out again at once',
  async (code) => {
    failure = code;
    await create('k1');
    failure = null;
    expect((await create('k1')).status).toBe(409);
    expect(createdCount).toBe(1);
  },
);

test('a request that is refused before it is carried out takes no key', async () => {
  await running.call('POST', '/v1/endpoints', { body: {}, headers: { 'Idempotency-Key': 'k1' } });
  expect(kept.size).toBe(0);
});

test('the keys of tenants and of operators are apart, and kept by the gateway on its own behalf', async () => {
  await create('k1');
  await running.call('POST', '/v1/endpoints', {
    token: tokens.operator,
    body,
    headers: { 'Idempotency-Key': 'k1', 'Posthorn-Organisation': 'acme' },
  });
  expect([...kept.keys()]).toEqual([`${acme.id} k1`, 'operator k1']);
  expect([...principals]).toEqual(['service']);
});

test('an operator’s key for one organisation isn’t the same request for another', async () => {
  const post = (organisation: string): ReturnType<TestGateway['call']> =>
    running.call('POST', '/v1/endpoints', {
      token: tokens.operator,
      body,
      headers: { 'Idempotency-Key': 'k1', 'Posthorn-Organisation': organisation },
    });
  expect([(await post('acme')).status, (await post('globex')).status]).toEqual([201, 409]);
});

test('while keys can’t be kept, a request with one is refused and one without is carried out', async () => {
  isKeepingAway = true;
  expect((await create('k1')).status).toBe(503);
  expect((await running.call('POST', '/v1/endpoints', { body })).status).toBe(201);
});

test.each(['', 'x'.repeat(256), 'ü'])('the key %j is refused', async (key) => {
  const answer = await create(key);
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field: '?Idempotency-Key' })] }),
  ]);
});

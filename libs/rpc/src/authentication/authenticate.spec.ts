import { createHash } from 'node:crypto';
import { configV1 } from '@posthorn/contracts';
import { DomainError, servicePrincipal } from '@posthorn/models';
import { createMetrics, silentLogger, systemClock, type Clock } from '@posthorn/runtime';
import { createAuthenticate, type Authenticate } from './authenticate.ts';
import { defineService } from '../calls/define-service.ts';
import { createInProcessClient } from '../in-process.ts';

const edge = servicePrincipal('edge');
/** Moves by hand; nothing here sets a timer on it. */
let nowMs = Date.parse('2026-01-01T00:00:00.000Z');
const clock: Clock = { ...systemClock, now: () => nowMs, monotonic: () => nowMs };
const advance = (ms: number): void => {
  nowMs += ms;
};
let key: configV1.ApiKey | undefined;
let isAway: boolean;
let asked: Buffer[];
let authenticate: Authenticate;

beforeEach(() => {
  key = configV1.ApiKey.fromPartial({ id: 'k1', organisationId: 'o1', scopes: ['events:write'] });
  isAway = false;
  asked = [];
  const unused = (): Promise<never> => Promise.reject(new Error('unused'));
  const registration = defineService(configV1.KeyServiceService, {
    createKey: unused,
    getKey: unused,
    listKeys: unused,
    updateKey: unused,
    deleteKey: unused,
    authenticate: ({ tokenSha256 }) => {
      asked.push(Buffer.from(tokenSha256));
      if (isAway) return Promise.reject(new DomainError('unavailable', 'away'));
      return key === undefined
        ? Promise.reject(new DomainError('unauthenticated', 'unknown'))
        : Promise.resolve({ key });
    },
  });
  const keys = createInProcessClient(registration, {
    logger: silentLogger,
    metrics: createMetrics(),
    clock: systemClock,
  });
  authenticate = createAuthenticate({ keys, principal: edge, clock });
});

const call = async (header: string | undefined = 'Bearer the-token'): Promise<unknown> =>
  authenticate(header);

test('a key becomes its principal; only the hash of the token is asked about', async () => {
  expect(await call()).toEqual({ kind: 'key', id: 'k1', organisationId: 'o1', scopes: ['events:write'] });
  expect(asked).toEqual([createHash('sha256').update('the-token').digest()]);
});

test('what a key publishes goes where the key says', async () => {
  key = configV1.ApiKey.fromPartial({ id: 'k1', organisationId: 'o1', scopes: ['*'], routesTo: 'e1' });
  expect(await call()).toMatchObject({ routesTo: 'e1' });
});

test('the limits of a key come with it, where it has any', async () => {
  key = configV1.ApiKey.fromPartial({ id: 'k1', scopes: ['*'], limits: { publishesPerDay: 5n } });
  expect(await call()).toMatchObject({
    limits: { publishesPerSecond: null, publishesPerDay: 5, bytesPerDay: null },
  });
});

test('a key without limits has none', async () => {
  key = configV1.ApiKey.fromPartial({ id: 'k1', scopes: ['*'], limits: {} });
  expect(await call()).not.toHaveProperty('limits');
});

test('a key without an organisation is an operator’s', async () => {
  key = configV1.ApiKey.fromPartial({ id: 'k2', scopes: ['*'] });
  expect(await call()).toMatchObject({ organisationId: null });
});

test('a key that was seen a moment ago is known at once', async () => {
  await call();
  expect(authenticate('bearer  the-token')).toMatchObject({ id: 'k1' });
  expect(asked).toHaveLength(1);
});

test('a revoked key is refused within 5 seconds, also when it is in use all the time', async () => {
  await call();
  key = undefined;
  const outcomes: string[] = [];
  for (let ms = 0; ms < 5_000; ms += 250) {
    advance(250);
    await call().then(
      () => outcomes.push('works'),
      (error: unknown) => outcomes.push(DomainError.from(error).code),
    );
  }
  expect(outcomes.at(-1)).toBe('unauthenticated');
});

test('while config is away, a key seen in the last 15 minutes works and any other is told to come back', async () => {
  await call();
  isAway = true;
  advance(14 * 60_000);
  expect(await call()).toMatchObject({ id: 'k1' });
  await expect(call('Bearer another')).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 });
  advance(15 * 60_000);
  await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
});

test('a key that has expired is refused, also while config is away', async () => {
  key = configV1.ApiKey.fromPartial({ id: 'k1', scopes: [], expiresAt: new Date(clock.now() + 1_000) });
  await call();
  isAway = true;
  advance(1_000);
  await expect(call()).rejects.toMatchObject({ code: 'unauthenticated' });
});

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Token x',
  'Bearer a b',
  'Bearer tökén',
  `Bearer ${'x'.repeat(2_000)}`,
])('the header %j is refused without asking anyone', async (header) => {
  await expect((async () => authenticate(header))()).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(asked).toEqual([]);
});

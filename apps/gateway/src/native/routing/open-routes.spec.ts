import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { configV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { sampleEndpoint } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

const { POLICY_ALGORITHM_ES256 } = configV1.PolicyAlgorithm;
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKeyPem = String(publicKey.export({ type: 'spki', format: 'pem' }));

let running: TestGateway;
let isAway = false;
let confirmed: string[] = [];
let started: string | null = null;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        confirmVerification: ({ code }, { principal }) => {
          expect(principal).toMatchObject({ kind: 'service', id: 'gateway' });
          if (isAway) return Promise.reject(new DomainError('unavailable', 'away'));
          if (code !== 'the-code') return Promise.reject(new DomainError('not_found', 'No such callback.'));
          confirmed.push(code);
          return Promise.resolve({});
        },
        startVerification: ({ idOrUid }) => {
          started = idOrUid;
          return idOrUid === 'plain'
            ? Promise.reject(new DomainError('failed_precondition', 'These are not verified.'))
            : Promise.resolve({
                endpoint: sampleEndpoint({ dialect: 'xurrent', verification: 'pending' }),
              });
        },
      },
      policies: {
        getPublicKey: ({ name }) =>
          isAway
            ? Promise.reject(new DomainError('unavailable', 'away'))
            : name === 'the policy'
              ? Promise.resolve({ algorithm: POLICY_ALGORITHM_ES256, publicKeyPem })
              : Promise.reject(new DomainError('not_found', 'There is no such policy.')),
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  isAway = false;
  confirmed = [];
});

describe('the callback of a verification', () => {
  test('is called without a key, by GET or POST, as often as one likes, whatever the body', async () => {
    const post = { method: 'POST', body: 'anything', headers: { 'Content-Type': 'text/plain' } };
    const answers = [
      await running.fetch('/callbacks/the-code'),
      await running.fetch('/callbacks/the-code', { method: 'POST' }),
      await running.fetch('/callbacks/the-code', post),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers[0]?.body).toEqual({ verification: 'passed' });
    expect(answers[0]?.headers.get('cache-control')).toBe('no-store');
    expect(confirmed).toHaveLength(3);
  });

  test("answers 404 to a code that is nobody's or over, and 503 while that cannot be told", async () => {
    expect((await running.fetch('/callbacks/other')).status).toBe(404);
    isAway = true;
    expect((await running.fetch('/callbacks/the-code')).status).toBe(503);
  });

  test('has no other methods', async () => {
    const answer = await running.fetch('/callbacks/the-code', { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')]);
  });
});

describe('the public keys', () => {
  test("are none without a name, so that nobody's can be counted", async () => {
    expect((await running.fetch('/.well-known/jwks.json')).body).toEqual({ keys: [] });
    expect((await running.fetch('/.well-known/jwks.json?kid=')).body).toEqual({ keys: [] });
  });

  test('show the key of the policy that is named, as a key that a library can use', async () => {
    const answer = await running.fetch('/.well-known/jwks.json?kid=the%20policy');
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = answer.body as { keys: [Record<string, string>] };
    expect(keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: 'the policy',
        alg: 'ES256',
        use: 'sig',
      },
    ]);
    const read = createPublicKey({ key: keys[0], format: 'jwk' });
    expect(read.export({ type: 'spki', format: 'pem' })).toBe(publicKeyPem);
  });

  test("are none for a name that is nobody's", async () => {
    const answer = await running.fetch('/.well-known/jwks.json?kid=other');
    expect([answer.status, answer.body]).toEqual([200, { keys: [] }]);
  });

  test('are a 503 while they cannot be looked up', async () => {
    isAway = true;
    expect((await running.fetch('/.well-known/jwks.json?kid=the%20policy')).status).toBe(503);
  });
});

describe('asking for a verification', () => {
  test('answers with the endpoint, pending', async () => {
    const answer = await running.call('POST', '/v1/endpoints/mine/verify');
    expect([answer.status, started]).toEqual([200, 'mine']);
    expect(answer.body).toMatchObject({ dialect: 'xurrent', verification: 'pending' });
  });

  test('is a 409 where nothing is verified', async () => {
    const answer = await running.call('POST', '/v1/endpoints/plain/verify');
    expect([answer.status, answer.body]).toEqual([
      409,
      expect.objectContaining({ code: 'failed_precondition' }),
    ]);
  });
});

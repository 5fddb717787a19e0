import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { policyAlgorithms, type PolicyAlgorithm } from '@posthorn/models';
import { prepareJwsSigner } from './jws.ts';

interface Keys {
  readonly key: string | null;
  readonly verifyWith: KeyObject | null;
}

const secret = 'a shared secret of sixty-four printable characters: 0123456789abcdef';
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const p256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const p384 = pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const p521 = pem(generateKeyPairSync('ec', { namedCurve: 'P-521' }));
const shared: Keys = { key: secret, verifyWith: createSecretKey(secret, 'utf8') };

function pem({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Keys {
  return { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), verifyWith: publicKey };
}

const keys: Record<PolicyAlgorithm, Keys> = {
  none: { key: null, verifyWith: null },
  hs256: shared,
  hs384: shared,
  hs512: shared,
  rs256: rsa,
  rs384: rsa,
  rs512: rsa,
  es256: p256,
  es384: p384,
  es512: p521,
};

const payload = '{"data":{"payload":{"total": 12.50}},"jti":"x"}';

function part(jws: string, index: number): string {
  return Buffer.from(jws.split('.')[index] ?? '', 'base64url').toString();
}

describe('a JWS', () => {
  it.each(policyAlgorithms.filter((algorithm) => algorithm !== 'none'))(
    'by %s is verified by jose, with the payload byte for byte',
    async (algorithm) => {
      const { key, verifyWith } = keys[algorithm];
      if (verifyWith === null) throw new Error(`There is no key for ${algorithm}.`);
      const jws = prepareJwsSigner({ algorithm, keyId: 'policy', key }).sign(Buffer.from(payload));

      const verified = await compactVerify(jws, verifyWith, { algorithms: [algorithm.toUpperCase()] });

      expect(Buffer.from(verified.payload).toString()).toBe(payload);
    },
  );

  it.each(policyAlgorithms)('by %s names type, algorithm and key in that order', (algorithm) => {
    const jws = prepareJwsSigner({ algorithm, keyId: 'policy', key: keys[algorithm].key }).sign(
      Buffer.from('{}'),
    );
    const alg = algorithm === 'none' ? 'none' : algorithm.toUpperCase();

    expect(part(jws, 0)).toBe(`{"typ":"JWT","alg":"${alg}","kid":"policy"}`);
  });

  it('by none ends with a full stop and an empty signature', () => {
    const jws = prepareJwsSigner({ algorithm: 'none', keyId: 'policy', key: null }).sign(
      Buffer.from(payload),
    );

    expect(jws).toMatch(/^[\w-]+\.[\w-]+\.$/);
    expect(part(jws, 1)).toBe(payload);
  });

  it.each<[PolicyAlgorithm, number]>([
    ['es256', 64],
    ['es384', 96],
    ['es512', 132],
  ])('by %s has r and s side by side in %i bytes, not DER', (algorithm, bytes) => {
    const jws = prepareJwsSigner({ algorithm, keyId: 'policy', key: keys[algorithm].key }).sign(
      Buffer.from('{}'),
    );

    expect(Buffer.from(jws.split('.')[2] ?? '', 'base64url')).toHaveLength(bytes);
  });

  it('is what openssl makes of the same bytes', () => {
    const jws = prepareJwsSigner({ algorithm: 'hs256', keyId: 'k', key: 'secret' }).sign(
      Buffer.from('{"a":1}'),
    );

    // printf '%s' 'eyJ0….eyJhIjoxfQ' | openssl dgst -sha256 -hmac secret -binary, in base64url.
    expect(jws).toBe(
      'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJhIjoxfQ.CG69QLxKEHj7BpRORy0jFjznccoqVC0WK3_HQVQINuU',
    );
  });
});

describe('a key that does not fit', () => {
  it.each<[string, PolicyAlgorithm, string | null]>([
    ['none at all', 'hs256', null],
    ['no PEM', 'rs256', 'not a key'],
    ['a key of another type', 'rs256', p256.key],
    ['a key on another curve', 'es256', p384.key],
  ])('is refused: %s', (_what, algorithm, key) => {
    expect(() => prepareJwsSigner({ algorithm, keyId: 'policy', key })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });

  it('is not repeated in the error', () => {
    const prepare = (): unknown =>
      prepareJwsSigner({ algorithm: 'es256', keyId: 'policy', key: 'very private' });

    expect(prepare).toThrow('must be a private key on the curve prime256v1 as PEM');
  });
});

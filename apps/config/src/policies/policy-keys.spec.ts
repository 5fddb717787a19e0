import { createHmac, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { DomainError, policyAlgorithms, policyKeyTypes, type PolicyKeyType } from '@posthorn/models';
import { createSeededRandom } from '@posthorn/testing';
import { generatePolicyKey, readPolicyKey, type PolicyKey } from './policy-keys.ts';

const random = createSeededRandom(9);
const pem = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string =>
  String(key.export({ type, format: 'pem' }));
const codeOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return DomainError.from(error).violations[0]?.code;
  }
};

/** What an RFC 7518 library does: the digest by the algorithm's number. */
function signsAndVerifies(algorithm: string, { key, publicKeyPem }: PolicyKey): boolean {
  const digest = `sha${algorithm.slice(2)}`;
  const message = Buffer.from('header.payload');
  if (key === null) return publicKeyPem === null;
  if (publicKeyPem === null) return createHmac(digest, key).update(message).digest().length > 0;
  return verify(digest, message, publicKeyPem, sign(digest, message, key));
}

describe('a key that is made here', () => {
  it.each(policyAlgorithms)('signs with %s what its public half verifies', async (algorithm) => {
    const key = await generatePolicyKey(policyKeyTypes[algorithm], random.bytes);
    expect(signsAndVerifies(algorithm, key)).toBe(true);
    expect(key.publicKeyPem?.startsWith('-----BEGIN PUBLIC KEY-----')).toBe(
      /^[re]s/.test(algorithm) ? true : undefined,
    );
    expect(key.publicKeyPem?.length ?? 0).toBeLessThan(2048);
  });

  it('is a printable text of 64 characters or more where a secret is shared', async () => {
    const { key } = await generatePolicyKey('secret', random.bytes);
    expect(key).toMatch(/^[\x21-\x7e]{64,}$/);
  });
});

describe('a key that its owner brings along', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  it('is taken in every form of PEM and kept as one', () => {
    const { key, publicKeyPem } = readPolicyKey('rsa', pem(rsa.privateKey, 'pkcs1'));
    expect(key).toBe(pem(rsa.privateKey));
    expect(publicKeyPem).toBe(String(rsa.publicKey.export({ type: 'spki', format: 'pem' })));
    expect(readPolicyKey('rsa', pem(rsa.privateKey)).key).toBe(key);
    expect(readPolicyKey('p-256', pem(p256.privateKey, 'sec1')).key).toBe(pem(p256.privateKey));
    expect(readPolicyKey('secret', 's'.repeat(64))).toEqual({ key: 's'.repeat(64), publicKeyPem: null });
  });

  it.each<[PolicyKeyType, string, string]>([
    ['none', 'anything', 'not_offered'],
    ['secret', 'short', 'too_short'],
    ['rsa', 'no PEM', 'invalid_format'],
    ['rsa', String(rsa.publicKey.export({ type: 'spki', format: 'pem' })), 'invalid_format'],
    ['rsa', pem(p256.privateKey), 'invalid_value'],
    ['rsa', pem(short.privateKey), 'invalid_value'],
    ['p-256', pem(rsa.privateKey), 'invalid_value'],
    ['p-384', pem(p256.privateKey), 'invalid_value'],
    ['p-521', pem(p256.privateKey), 'invalid_value'],
  ])('is refused for the type %s when it is of another: %#', (type, given, code) => {
    expect(codeOf(() => readPolicyKey(type, given))).toBe(code);
  });

  it('is never repeated when it is refused', () => {
    const given = pem(p256.privateKey);
    try {
      readPolicyKey('rsa', given);
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain(given.split('\n')[1]);
    }
    expect.assertions(1);
  });
});

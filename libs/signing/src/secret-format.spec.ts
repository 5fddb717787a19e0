import { createPublicKey, verify } from 'node:crypto';
import { checkSecret, decodeSecret, generateSecret, publicJwkOf, publicKeyOf } from './secret-format.ts';
import { prepareV1aKey } from './standard-v1a.ts';

const seed = 'TEST'.repeat(8);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const codes = (text: string, scheme: 'v1' | 'v1a'): string[] =>
  checkSecret(text, scheme).map(({ code }) => code);

describe('checkSecret', () => {
  it.each([
    ['24 bytes', `whsec_${base64('x'.repeat(24))}`],
    ['64 bytes', `whsec_${base64('x'.repeat(64))}`],
    ['padding left out', `whsec_${base64('x'.repeat(25)).replace(/=+$/, '')}`],
  ])('accepts a v1 secret: %s', (_, text) => {
    expect(checkSecret(text, 'v1')).toEqual([]);
  });

  it.each([
    ['another prefix', base64('x'.repeat(24)), 'invalid_prefix'],
    ['the prefix of a private key', `whsk_${base64(seed)}`, 'invalid_prefix'],
    ['23 bytes', `whsec_${base64('x'.repeat(23))}`, 'invalid_length'],
    ['65 bytes', `whsec_${base64('x'.repeat(65))}`, 'invalid_length'],
    ['nothing after the prefix', 'whsec_', 'invalid_length'],
    ['white space', `whsec_${base64('x'.repeat(24))} `, 'invalid_base64'],
    ['the URL-safe alphabet', `whsec_${Buffer.alloc(24, 0xfb).toString('base64url')}`, 'invalid_base64'],
    ['half of the padding', `whsec_${base64('x'.repeat(25)).slice(0, -1)}`, 'invalid_base64'],
    ['stray bits in the last character', `whsec_${base64('x'.repeat(25)).slice(0, -3)}h`, 'invalid_base64'],
  ])('refuses a v1 secret: %s', (_, text, code) => {
    expect(codes(text, 'v1')).toEqual([code]);
  });

  it('accepts a private key as a seed, and as a seed with its public key', () => {
    const publicBytes = decodeSecret(publicKeyOf(`whsk_${base64(seed)}`), 'whpk').bytes;
    const pair = Buffer.concat([Buffer.from(seed), publicBytes]).toString('base64');
    expect(checkSecret(`whsk_${base64(seed)}`, 'v1a')).toEqual([]);
    expect(checkSecret(`whsk_${pair}`, 'v1a')).toEqual([]);
    expect(publicKeyOf(`whsk_${pair}`)).toBe(publicKeyOf(`whsk_${base64(seed)}`));
  });

  it('refuses a private key whose halves do not belong together, or of another length', () => {
    expect(codes(`whsk_${base64(seed + seed)}`, 'v1a')).toEqual(['key_mismatch']);
    expect(codes(`whsk_${base64(seed.slice(1))}`, 'v1a')).toEqual(['invalid_length']);
  });

  it('names the field that it was given', () => {
    expect(checkSecret('', 'v1', '/secrets/0')).toEqual([
      { field: '/secrets/0', code: 'invalid_prefix', message: 'This must begin with whsec_.' },
    ]);
  });
});

describe('generateSecret', () => {
  it('makes secrets of 32 random bytes that pass the check', () => {
    const asked: number[] = [];
    const randomBytes = (count: number): Uint8Array => {
      asked.push(count);
      return new Uint8Array(count).fill(7);
    };
    expect(checkSecret(generateSecret('v1', randomBytes), 'v1')).toEqual([]);
    expect(checkSecret(generateSecret('v1a', randomBytes), 'v1a')).toEqual([]);
    expect(asked).toEqual([32, 32]);
  });
});

describe('public keys', () => {
  it('publishes a JWK that verifies what the private key signs', () => {
    const privateKey = `whsk_${base64(seed)}`;
    const signature = prepareV1aKey(privateKey)
      .sign('a.1.', [Buffer.from('{}')])
      .slice('v1a,'.length);
    const key = createPublicKey({ key: publicJwkOf(privateKey), format: 'jwk' });
    expect(verify(null, Buffer.from('a.1.{}'), key, Buffer.from(signature, 'base64'))).toBe(true);
  });
});

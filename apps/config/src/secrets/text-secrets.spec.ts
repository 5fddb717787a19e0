import { createSeededRandom } from '@posthorn/testing';
import { checkTextSecret, generateTextSecret, isRapidlySecret, maxTextSecretLength } from './text-secrets.ts';

const random = createSeededRandom(5);
const generate = (dialect: 'ricloud' | 'rapidly' | 'preo'): string =>
  generateTextSecret(dialect, random.bytes);

describe('a secret that is made here', () => {
  it('has the prefix of rapidly and 48 characters of unpadded base64url', () => {
    expect(generate('rapidly')).toMatch(/^rapidly_whs_[A-Za-z0-9_-]{48}$/);
  });

  it("carries a check in rapidly's form, which a single wrong character breaks", () => {
    const secret = generate('rapidly');
    expect(isRapidlySecret(secret)).toBe(true);
    for (let at = 'rapidly_whs_'.length; at < secret.length; at++) {
      const other = secret[at] === 'A' ? 'B' : 'A';
      expect(isRapidlySecret(secret.slice(0, at) + other + secret.slice(at + 1))).toBe(false);
    }
    expect(isRapidlySecret(secret.slice(0, -1))).toBe(false);
    expect(isRapidlySecret(`${secret}A`)).toBe(false);
  });

  it.each(['ricloud', 'preo'] as const)('is a random text of 32 characters or more for %s', (dialect) => {
    const [first, second] = [generate(dialect), generate(dialect)];
    expect(first).toMatch(/^[\x21-\x7e]{32,}$/);
    expect(second).not.toBe(first);
  });
});

describe('a secret that its owner brings along', () => {
  it.each(['x', 'top-secret', 'whsec_notbase64!', ' \u00e9\n ', 'x'.repeat(maxTextSecretLength)])(
    'may be %j',
    (secret) => {
      expect(checkTextSecret(secret)).toEqual([]);
    },
  );

  it.each([
    ['', 'too_short'],
    ['x'.repeat(maxTextSecretLength + 1), 'too_long'],
    ['\ud800', 'invalid_format'],
  ])('may not be %j', (secret, code) => {
    expect(checkTextSecret(secret)).toMatchObject([{ field: '/secret', code }]);
  });
});

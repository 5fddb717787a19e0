import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { apiTokenBytes, hasValidChecksum, newApiToken, tokenPrefix } from './api-token.ts';

const bytes = fc.uint8Array({ minLength: apiTokenBytes, maxLength: apiTokenBytes });
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('newApiToken', () => {
  it('has the form that secret scanners know, with the CRC-32 of its random part', () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const token = newApiToken(random);
        expect(token).toMatch(/^phk_[0-9A-Za-z]{36}$/);
        const crc = [...token.slice(34)].reduce((sum, digit) => sum * 62 + alphabet.indexOf(digit), 0);
        expect(crc).toBe(crc32(token.slice(4, 34)));
        expect(hasValidChecksum(token)).toBe(true);
      }),
    );
  });

  it('differs when the bytes differ', () => {
    fc.assert(
      fc.property(bytes, bytes, (first, second) => {
        fc.pre(first.join() !== second.join());
        expect(newApiToken(first)).not.toBe(newApiToken(second));
      }),
    );
  });

  it('draws each character from the whole alphabet about evenly', () => {
    const counts = new Map<string, number>();
    // A fixed sequence of bytes without a pattern in base 62.
    let state = 1;
    const next = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24;
    for (let i = 0; i < 2000; i++) {
      const random = Uint8Array.from({ length: apiTokenBytes }, next);
      for (const character of newApiToken(random).slice(4, 34)) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort().join('')).toBe(alphabet);
    const expected = (2000 * 30) / 62;
    for (const count of counts.values()) expect(Math.abs(count / expected - 1)).toBeLessThan(0.2);
  });

  it('refuses fewer bytes than it needs', () => {
    expect(() => newApiToken(new Uint8Array(8))).toThrow(RangeError);
  });
});

describe('hasValidChecksum', () => {
  const token = newApiToken(new Uint8Array(apiTokenBytes).fill(7));

  it('finds every single character that was changed', () => {
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'x' ? 'y' : 'x') + token.slice(at + 1);
      expect(hasValidChecksum(changed)).toBe(false);
    }
  });

  it.each([[''], ['phk_'], ['phk_short'], [`${'a'.repeat(40)}`]])('is false of %j', (text) => {
    expect(hasValidChecksum(text)).toBe(false);
  });

  it('is false of a token with something before or behind it', () => {
    expect([`${token} `, ` ${token}`, `${token}0`].some(hasValidChecksum)).toBe(false);
  });
});

describe('tokenPrefix', () => {
  it('shows eight random characters of a token of ours', () => {
    const token = newApiToken(new Uint8Array(apiTokenBytes).fill(7));
    expect(tokenPrefix(token)).toBe(token.slice(0, 12));
  });

  it('shows at most a quarter of a token that an operator chose', () => {
    expect(tokenPrefix('0123456789abcdef')).toBe('0123');
    expect(tokenPrefix('x'.repeat(100))).toBe('xxxxxxxx');
  });
});

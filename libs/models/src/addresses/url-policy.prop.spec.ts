import fc from 'fast-check';
import { isPublicAddress } from './address.ts';
import { createAllowList } from './cidr.ts';
import { checkTargetUrl } from './url-policy.ts';

const policy = { requireHttps: false, allow: createAllowList([]) };

describe('checkTargetUrl, whatever the text', () => {
  it('accepts nothing but what it gives back: http or https, a host, no credentials, no fragment', () => {
    const piece = fc.constantFrom(
      'http:',
      'https://',
      '//',
      '/',
      '@',
      ':',
      '#',
      '?',
      '\\',
      ' ',
      '%00',
      '.',
      '[',
      ']',
      '::1',
      '127.0.0.1',
      'localhost',
      'a.example',
      '8.8.8.8',
      '0x7f',
      '1',
      'é',
      '\t',
      '\u202e',
      '80',
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 6 }).map((pieces) => `http://${pieces.join('')}`),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const checked = checkTargetUrl(candidate, policy);
        if (!checked.ok) {
          expect(checked.violations.length).toBeGreaterThan(0);
          return;
        }
        const { url, name } = checked;
        expect(['http:', 'https:']).toContain(url.protocol);
        expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
        const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
        if (name === null) expect(isPublicAddress(host)).toBe(true);
        else expect(name.endsWith('localhost') && /(^|\.)localhost$/.test(name)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('accepts ordinary web URLs', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (text) => {
        expect(checkTargetUrl(text, policy).ok).toBe(true);
      }),
    );
  });
});

import fc from 'fast-check';
import { maxRetryAfterMs, parseRetryAfter } from './retry-after.ts';

const now = new Date('2025-06-15T12:00:00.250Z');

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['86400', maxRetryAfterMs],
    ['86401', maxRetryAfterMs],
    ['9'.repeat(400), maxRetryAfterMs],
    ['Sun, 15 Jun 2025 12:00:10 GMT', 9750],
    ['Sunday, 15-Jun-25 12:00:10 GMT', 9750],
    ['Sun Jun 15 12:00:10 2025', 9750],
    ['Sun Jun  1 12:00:10 2025', 0],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', maxRetryAfterMs],
    ['Sun, 15 Jun 2025 12:00:60 GMT', 59_750],
  ])('reads %j as %d ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  it.each([
    [null],
    [undefined],
    [''],
    ['soon'],
    ['-1'],
    ['1.5'],
    ['1e3'],
    ['0x10'],
    ['12 s'],
    ['2025-06-15T12:00:10Z'],
    ['Sun, 31 Jun 2025 12:00:10 GMT'],
    ['Sun, 15 Foo 2025 12:00:10 GMT'],
    ['Sun, 15 Jun 2025 24:00:10 GMT'],
    ['Sun, 15 Jun 2025 12:61:10 GMT'],
    ['Sun, 15 Jun 2025 12:00:10 CEST'],
    ['Sun, 15 Jun 2025 12:00:10'],
  ])('takes %j for no header at all', (header) => {
    expect(parseRetryAfter(header, now)).toBeNull();
  });

  it('gives null or a wait from 0 to a day for any text', () => {
    const header = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(header, (text) => {
        const waitMs = parseRetryAfter(text, now);
        expect(waitMs === null || (waitMs >= 0 && waitMs <= maxRetryAfterMs)).toBe(true);
      }),
    );
  });

  it('reads what toUTCString writes, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_000 }), (seconds) => {
        const date = new Date(now.getTime() - 250 + seconds * 1000);
        expect(parseRetryAfter(date.toUTCString(), now)).toBe(seconds * 1000 - 250);
      }),
    );
  });
});

import fc from 'fast-check';
import { encodeAttribute } from './cloudevents.ts';

describe('encodeAttribute', () => {
  it('gives the example of the HTTP binding', () => {
    expect(encodeAttribute('Euro € 😀')).toBe('Euro%20%E2%82%AC%20%F0%9F%98%80');
  });

  it('leaves printable ASCII alone, but for space, double quote and percent sign', () => {
    const printable = Array.from({ length: 0x7f - 0x21 }, (_, index) =>
      String.fromCharCode(0x21 + index),
    ).join('');
    expect(encodeAttribute(printable)).toBe(printable.replace('%', '%25').replace('"', '%22'));
    expect(encodeAttribute(' "%')).toBe('%20%22%25');
  });

  it('is reversible, and safe as a header value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = encodeAttribute(text);
        expect(encoded).toMatch(/^[\x21\x23-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(text.toWellFormed());
      }),
    );
  });
});

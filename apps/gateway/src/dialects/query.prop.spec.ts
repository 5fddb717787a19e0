import fc from 'fast-check';
import { parseQuery } from './query.ts';

const text = fc.string({ unit: 'grapheme' });

test('what was encoded is read as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
      const sent = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
      expect(parseQuery(sent.join('&')).pairs).toEqual(pairs);
    }),
  );
});

test('whatever is sent, it has pairs', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (any) => {
      expect(parseQuery(any).pairs).toBeInstanceOf(Array);
    }),
  );
});

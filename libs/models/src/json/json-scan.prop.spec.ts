import fc from 'fast-check';
import { scanArray, scanObject } from './json-scan.ts';

const encoder = new TextEncoder();
const decode = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 3 });

/** A string as JSON text, some of its characters escaped in ways that JSON.stringify wouldn't choose. */
const stringText = fc
  .tuple(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom('plain', 'unicode', 'solidus'))
  .map(([text, style]) => {
    const plain = JSON.stringify(text);
    if (style === 'solidus') return plain.replaceAll('/', '\\/');
    if (style === 'plain') return plain;
    const units = Array.from({ length: text.length }, (_, i) =>
      text.charCodeAt(i).toString(16).padStart(4, '0'),
    );
    return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
  });

const scalarText = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    'null',
    '1.0',
    '-0',
    '1e5',
    '1E+2',
    '12345678901234567890',
    '0.10',
    '"\\\\"',
    '"{[\\""',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  stringText,
);

/** JSON text of a value, with white space wherever it may stand. */
const { value: valueText } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalarText,
    fc.array(padded(tie('value')), { maxLength: 4 }).map((elements) => `[${elements.join(',')}]`),
    fc
      .array(fc.tuple(padded(stringText), padded(tie('value'))), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`),
  ),
}));

function padded(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, text, space).map((parts) => parts.join(''));
}

/** JSON objects in which a few characters were removed, doubled or replaced; many of them are still JSON. */
const mutatedObject = fc
  .tuple(
    fc
      .array(fc.tuple(stringText, valueText), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom('', '{', '}', '[', ']', '"', ',', ':', '\\', ' ', '1', 'é'),
        fc.boolean(),
      ),
      { maxLength: 3 },
    ),
  )
  .map(([whole, edits]) =>
    edits.reduce((text, [where, replacement, isInserted]) => {
      const at = where % (text.length + 1);
      return text.slice(0, at) + replacement + text.slice(isInserted ? at : at + 1);
    }, whole),
  )
  // An edit may have cut a surrogate pair in two, which no bytes can say.
  .filter((text) => text.isWellFormed());

describe('scanObject', () => {
  it('finds in any JSON object what JSON.parse finds, as the very bytes of each value', () => {
    const member = fc.tuple(stringText, space, space, valueText, space);
    const object = fc.uniqueArray(member, { selector: ([key]) => JSON.parse(key) as string, maxLength: 6 });
    fc.assert(
      fc.property(object, space, space, (members, before, after) => {
        const text = `${before}{${members.map(([k, a, b, v, c]) => `${a}${k}${b}:${a}${v}${c}`).join(',')}}${after}`;
        const bytes = encoder.encode(text);
        const scanned = scanObject(bytes);
        if (!scanned.ok) throw new Error(`${scanned.problem.message} ${text}`);

        const found = scanned.members.map(({ key, start, end }) => [key, decode(bytes.subarray(start, end))]);
        expect(found).toEqual(members.map(([key, , , value]) => [JSON.parse(key), value]));

        const parsed: unknown = JSON.parse(text);
        expect(
          Object.fromEntries(found.map(([key = '', value = '']) => [key, JSON.parse(value) as unknown])),
        ).toEqual(parsed);
      }),
      { numRuns: 300 },
    );
  });

  it('accepts what JSON.parse accepts, names that come twice excepted, and finds the same in it', () => {
    fc.assert(
      fc.property(mutatedObject, (text) => {
        const bytes = encoder.encode(text);
        const scanned = scanObject(bytes);
        const parsed = tryParse(text);
        if (parsed === undefined) return;
        if (!scanned.ok) {
          const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
          expect(!isObject || scanned.problem.code === 'duplicate_key').toBe(true);
          return;
        }
        const found = scanned.members.map(({ key, start, end }) => [
          key,
          JSON.parse(decode(bytes.subarray(start, end))) as unknown,
        ]);
        expect(Object.fromEntries(found)).toEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });

  it('ends with its own result on any bytes, the problem within them', () => {
    const structural = fc.constantFrom(...encoder.encode('{}[]",:\\ \n1a'));
    const bytes = fc.array(fc.oneof({ weight: 4, arbitrary: structural }, fc.integer({ min: 0, max: 255 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(bytes, fc.boolean(), (list, isOpened) => {
        const input = Uint8Array.from(isOpened ? [0x7b, ...list] : list);
        for (const scanned of [scanObject(input), scanArray(input)]) {
          if (scanned.ok) continue;
          expect(scanned.problem.offset).toBeGreaterThanOrEqual(0);
          expect(scanned.problem.offset).toBeLessThanOrEqual(input.length);
          expect(scanned.problem.column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('scanArray', () => {
  it('finds in any JSON array what JSON.parse finds, as the very bytes of each element', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(space, valueText, space), { maxLength: 6 }),
        space,
        (elements, around) => {
          const text = `${around}[${elements.map((parts) => parts.join('')).join(',')}]${around}`;
          const bytes = encoder.encode(text);
          const scanned = scanArray(bytes);
          if (!scanned.ok) throw new Error(`${scanned.problem.message} ${text}`);
          const found = scanned.elements.map(({ start, end }) => decode(bytes.subarray(start, end)));
          expect(found).toEqual(elements.map(([, value]) => value));
          expect(found.map((value) => JSON.parse(value) as unknown)).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Undefined for what isn't JSON. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

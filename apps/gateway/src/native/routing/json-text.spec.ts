import fc from 'fast-check';
import { DomainError, maxJsonDepth, type Violation } from '@posthorn/models';
import { checkJsonText } from './json-text.ts';

function problemOf(text: string): Violation | null {
  try {
    checkJsonText(text);
    return null;
  } catch (error) {
    return DomainError.from(error).violations[0] ?? null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('takes what JSON.parse takes and nothing else', () => {
  const texts = [
    '{}',
    '[]',
    ' {"a" : [1, -0.5e+3, true, null, "x\\u00e9\\n"]} ',
    '"text"',
    '0',
    '-0',
    'null',
    '',
    ' ',
    '{',
    '[',
    '[1,]',
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '[1 2]',
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    'tru',
    'True',
    'NaN',
    '"\t"',
    '"\\x"',
    '"\\u12"',
    '"open',
    '{"a":1}}',
    '[1]]',
    '{]',
    '[}',
    '1 2',
    '\ufeff{}',
    '// x\n{}',
    '{"a":1} x',
    '[,1]',
    '{"a":}',
    '{"a":1 "b":2}',
  ];
  for (const text of texts) expect([text, problemOf(text) === null]).toEqual([text, isJson(text)]);
});

test('agrees with JSON.parse on texts that were damaged at one place', () => {
  const damaged = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', '{', '}', '[', ']', '"', ',', ':', '\\', '1', ' ', 'x'),
    )
    .map(([text, at, insert]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + insert + text.slice(insert === '' ? place + 1 : place);
    });
  fc.assert(
    fc.property(damaged, (text) => {
      const problem = problemOf(text);
      if (problem?.code !== 'duplicate_key') expect(problem === null).toBe(isJson(text));
    }),
    { numRuns: 500 },
  );
});

test('says on which line and column the syntax is wrong', () => {
  expect(problemOf('{\n  "a": 1,\n  "b" 2\n}')).toEqual({
    field: '',
    code: 'syntax',
    message: 'The body is not JSON: here ":" is wanted (line 3, column 7).',
  });
  expect(problemOf('{"a":')?.message).toBe(
    'The body is not JSON: it ends where a value is wanted (line 1, column 6).',
  );
});

test('finds a name that comes twice at any depth, however it is escaped', () => {
  expect(problemOf('{"a":[{"x/y":1,"z":2,"x\\u002fy":3}]}')).toMatchObject({
    field: '/a/0/x~1y',
    code: 'duplicate_key',
  });
  expect(problemOf('{"a":{"b":1},"c":{"b":2}}')).toBeNull();
  expect(problemOf('{"__proto__":1,"constructor":2}')).toBeNull();
});

test('takes the deepest nesting that is allowed and refuses one more', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  expect(problemOf(nested(maxJsonDepth))).toBeNull();
  expect(problemOf(nested(maxJsonDepth + 1))).toMatchObject({ code: 'too_deep' });
  expect(problemOf('{"a":'.repeat(100_000))).toMatchObject({ code: 'too_deep' });
});

test('reads a long text in one pass', () => {
  const text = JSON.stringify({
    list: Array.from({ length: 20_000 }, (_, i) => ({ i, text: 'ü'.repeat(20) })),
  });
  expect(problemOf(text)).toBeNull();
  expect(problemOf(`"${'x'.repeat(2_000_000)}"`)).toBeNull();
});

import { maxJsonDepth, scanArray, scanObject } from './json-scan.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array, { start, end }: { start: number; end: number }): string =>
  new TextDecoder().decode(bytes.subarray(start, end));

function membersOf(text: string): readonly (readonly [key: string, value: string])[] {
  const bytes = bytesOf(text);
  const scanned = scanObject(bytes);
  if (!scanned.ok) throw new Error(scanned.problem.message);
  return scanned.members.map((member) => [member.key, textOf(bytes, member)]);
}

describe('scanObject', () => {
  it('gives every value as the bytes that were sent, without the white space around it', () => {
    const text =
      '\n{ "a" : 1.0 ,\t"b":12345678901234567890,"c": "\\u0041 \\" }" ,"d":{ "x" : [1, {}] },"e":[ ] , "é":null}\r\n';
    expect(membersOf(text)).toEqual([
      ['a', '1.0'],
      ['b', '12345678901234567890'],
      ['c', '"\\u0041 \\" }"'],
      ['d', '{ "x" : [1, {}] }'],
      ['e', '[ ]'],
      ['é', 'null'],
    ]);
  });

  it.each(['{}', ' { } '])('finds no members in %j', (text) => {
    expect(membersOf(text)).toEqual([]);
  });

  it('is not misled by brackets, quotes and backslashes within strings', () => {
    expect(membersOf('{"a":"\\\\","b":"}{][,:","c":["\\"]"]}')).toEqual([
      ['a', '"\\\\"'],
      ['b', '"}{][,:"'],
      ['c', '["\\"]"]'],
    ]);
  });

  it('resolves the escapes of names, and keeps a byte order mark in one', () => {
    expect(membersOf('{"\\u0061\\n":1,"\ufeffb":2}').map(([key]) => key)).toEqual(['a\n', '\ufeffb']);
  });

  it.each([
    ['{"a":1,"a":2}', 7],
    ['{"a":1,"\\u0061":2}', 7],
    ['{"é":1,"\\u00e9":2}', 8],
    ['{"__proto__":1,"__proto__":2}', 15],
    ['{"":1,"":2}', 6],
  ])('finds the name that comes twice in %s', (text, offset) => {
    expect(scanObject(bytesOf(text))).toMatchObject({
      ok: false,
      problem: { code: 'duplicate_key', offset },
    });
  });

  it('leaves names that come twice further down to JSON.parse', () => {
    expect(membersOf('{"a":{"b":1,"b":2}}')).toHaveLength(1);
  });

  it.each([
    ['', 'wrong_type', 0],
    ['  ', 'wrong_type', 2],
    ['[1]', 'wrong_type', 0],
    ['"a"', 'wrong_type', 0],
    ['\ufeff{}', 'wrong_type', 0],
    ['{', 'truncated', 1],
    ['{"a', 'truncated', 3],
    ['{"a\\"', 'truncated', 5],
    ['{"a\\', 'truncated', 4],
    ['{"a"', 'truncated', 4],
    ['{"a":', 'truncated', 5],
    ['{"a":1', 'truncated', 6],
    ['{"a":[1', 'truncated', 7],
    ['{"a":1,', 'truncated', 7],
    ['{"a":1,}', 'unexpected', 7],
    ['{,}', 'unexpected', 1],
    ['{a:1}', 'unexpected', 1],
    ['{"a" 1}', 'unexpected', 5],
    ['{"a":}', 'unexpected', 5],
    ['{"a":1 2}', 'unexpected', 7],
    ['{"a":1"b"}', 'unexpected', 6],
    ['{"a":"x""b":1}', 'unexpected', 8],
    ['{"a":1]', 'unexpected', 6],
    ['{}{}', 'unexpected', 2],
    ['{} x', 'unexpected', 3],
    ['{"a":[1}}', 'unbalanced', 7],
    ['{"a":{]}', 'unbalanced', 6],
  ])('refuses %j: %s at %d', (text, code, offset) => {
    expect(scanObject(bytesOf(text))).toMatchObject({ ok: false, problem: { code, offset } });
  });

  it('says in which line and column the problem is', () => {
    expect(scanObject(bytesOf('{\n  "a": 1,\r\n  b: 2\n}'))).toMatchObject({
      problem: { line: 3, column: 3 },
    });
    expect(scanObject(bytesOf('x'))).toMatchObject({ problem: { line: 1, column: 1 } });
  });

  it('takes a depth up to its bound, the outermost object counted, and no deeper', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(scanObject(bytesOf(nested(maxJsonDepth))).ok).toBe(true);
    expect(scanObject(bytesOf(nested(maxJsonDepth + 1)))).toMatchObject({ problem: { code: 'too_deep' } });
    expect(scanObject(bytesOf('{"a":[]}'), { maxDepth: 1 })).toMatchObject({
      problem: { code: 'too_deep', offset: 5 },
    });
    expect(scanObject(bytesOf('{"a":1}'), { maxDepth: 1 }).ok).toBe(true);
  });

  it('refuses a depth of a million without running out of stack', () => {
    const text = `{"a":${'[{"b":'.repeat(500_000)}`;
    expect(scanObject(bytesOf(text))).toMatchObject({ problem: { code: 'too_deep' } });
  });

  it('reads a range of the bytes as if there were no others', () => {
    const bytes = bytesOf('[{"a":1},{"b":2]');
    expect(scanObject(bytes, { start: 1, end: 8 })).toEqual({
      ok: true,
      members: [{ key: 'a', start: 6, end: 7 }],
    });
    expect(scanObject(bytes, { start: 9 })).toMatchObject({ problem: { offset: 15, column: 7 } });
    expect(scanObject(bytes, { start: 1, end: 7 })).toMatchObject({
      problem: { code: 'truncated', offset: 7 },
    });
    expect(scanObject(bytes, { start: 99, end: 3 })).toMatchObject({ problem: { code: 'wrong_type' } });
  });
});

describe('scanArray', () => {
  it('gives the elements of a member that scanObject found, to be scanned in turn', () => {
    const bytes = bytesOf('{"events":[ {"type":"a"} , {"type":"b"},3,"x" ]}');
    const body = scanObject(bytes);
    const [events] = body.ok ? body.members : [];
    const scanned = scanArray(bytes, events);
    const elements = scanned.ok ? scanned.elements : [];
    expect(elements.map((element) => textOf(bytes, element))).toEqual([
      '{"type":"a"}',
      '{"type":"b"}',
      '3',
      '"x"',
    ]);
    expect(scanObject(bytes, elements[1])).toMatchObject({ ok: true, members: [{ key: 'type' }] });
    expect(scanObject(bytes, elements[2])).toMatchObject({ ok: false, problem: { code: 'wrong_type' } });
  });

  it.each(['[]', ' [ ] '])('finds no elements in %j', (text) => {
    expect(scanArray(bytesOf(text))).toEqual({ ok: true, elements: [] });
  });

  it.each([
    ['{}', 'wrong_type', 0],
    ['[', 'truncated', 1],
    ['[1', 'truncated', 2],
    ['[1,]', 'unexpected', 3],
    ['[,1]', 'unexpected', 1],
    ['[1 2]', 'unexpected', 3],
    ['["a":1]', 'unexpected', 4],
    ['[1}', 'unexpected', 2],
    ['[1]]', 'unexpected', 3],
  ])('refuses %j: %s at %d', (text, code, offset) => {
    expect(scanArray(bytesOf(text))).toMatchObject({ ok: false, problem: { code, offset } });
  });
});

import { readPayload } from './payload.ts';

const read = (text: string): unknown => readPayload(Buffer.from(text));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('reading a payload', () => {
  it.each(['{}', '[]', 'null', 'true', '0', '"text"', ' {"a":[1.0,-2e3]}\n', '"\\u00e4"', nested(128)])(
    'takes %s',
    (text) => {
      expect(read(text)).toEqual({ value: JSON.parse(text) as unknown });
    },
  );

  it.each([
    ['', 'required'],
    ['{', 'syntax'],
    ['{"a":1,}', 'syntax'],
    ["{'a':1}", 'syntax'],
    ['NaN', 'syntax'],
    ['01', 'syntax'],
    ['{} {}', 'syntax'],
    ['"a\nb"', 'syntax'],
    [nested(129), 'too_deep'],
    [`{"a":${nested(128)}}`, 'too_deep'],
    ['['.repeat(100_000), 'too_deep'],
  ])('refuses %j as %s', (text, code) => {
    expect(read(text)).toMatchObject({ violation: { field: '/data', code } });
  });

  it('counts no brackets within strings', () => {
    const text = `{"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}"}`;
    expect(read(text)).toEqual({ value: JSON.parse(text) as unknown });
  });

  it('refuses what is not UTF-8', () => {
    expect(readPayload(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ violation: { code: 'encoding' } });
    expect(readPayload(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31))).toMatchObject({
      violation: { code: 'syntax' },
    });
  });

  it('reads a part of a larger buffer', () => {
    const whole = new TextEncoder().encode('xx{"a":1}yy');
    expect(readPayload(whole.subarray(2, 9))).toEqual({ value: { a: 1 } });
  });
});

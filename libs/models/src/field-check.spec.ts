import { checkCount, checkForm, checkInteger, checkText, checkWebUrl } from './field-check.ts';

const codes = (violations: readonly { code: string }[]): readonly string[] =>
  violations.map(({ code }) => code);

describe('checkText', () => {
  it('counts characters as JSON Schema does, so that one beyond the basic plane is one', () => {
    expect(checkText('😀'.repeat(5), '/name', { maxLength: 5 })).toEqual([]);
    expect(codes(checkText('😀'.repeat(6), '/name', { maxLength: 5 }))).toEqual(['too_long']);
    expect(codes(checkText('é'.repeat(6), '/name', { maxLength: 5 }))).toEqual(['too_long']);
    expect(codes(checkText('a'.repeat(11), '/name', { maxLength: 5 }))).toEqual(['too_long']);
  });

  it('refuses what is too short', () => {
    expect(codes(checkText('', '/name', { minLength: 1, maxLength: 5 }))).toEqual(['too_short']);
    expect(checkText('', '/name', { maxLength: 5 })).toEqual([]);
  });

  it.each(['a\0b', 'a\nb', 'a\u007fb', 'a\u0085b', '\ud800'])('refuses %j in a line of text', (text) => {
    expect(codes(checkText(text, '/name', { maxLength: 5 }))).toEqual(['invalid_format']);
  });

  it('takes line ends and tabs, but no other control characters, where there may be lines', () => {
    expect(checkText('a\r\n\tb', '/name', { maxLength: 5, multiline: true })).toEqual([]);
    expect(codes(checkText('a\u001bb', '/name', { maxLength: 5, multiline: true }))).toEqual([
      'invalid_format',
    ]);
  });
});

describe('checkInteger', () => {
  it.each([[1], [5], [10]])('accepts %d from 1 to 10', (value) => {
    expect(checkInteger(value, '/n', { min: 1, max: 10 })).toEqual([]);
  });

  it.each([[0], [11], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY]])(
    'refuses %d from 1 to 10',
    (value) => {
      expect(checkInteger(value, '/n', { min: 1, max: 10 })).toEqual([
        { field: '/n', code: 'out_of_range', message: 'A whole number from 1 to 10 is wanted.' },
      ]);
    },
  );
});

describe('checkCount', () => {
  it('says how many there may be', () => {
    expect(checkCount(1, '/list', { min: 1, max: 2 })).toEqual([]);
    expect(codes(checkCount(0, '/list', { min: 1, max: 2 }))).toEqual(['too_few']);
    expect(codes(checkCount(3, '/list', { min: 1, max: 2 }))).toEqual(['too_many']);
  });
});

describe('checkForm', () => {
  it('gives the rule as the message', () => {
    expect(checkForm('b', '/x', /^a$/, 'Only a.')).toEqual([
      { field: '/x', code: 'invalid_format', message: 'Only a.' },
    ]);
  });
});

describe('checkWebUrl', () => {
  it.each(['https://example.com/logo.png', 'http://localhost/x?y#z'])('accepts %s', (text) => {
    expect(checkWebUrl(text, '/iconUrl', 2048)).toEqual([]);
  });

  it.each([
    '',
    'example.com',
    'javascript:alert(1)',
    'data:image/png;base64,',
    'https://',
    'https://a b/',
    'https:\\\\x',
  ])('refuses %j', (text) => {
    expect(codes(checkWebUrl(text, '/iconUrl', 2048))).toEqual(['invalid_format']);
  });

  it('refuses what is too long', () => {
    expect(codes(checkWebUrl(`https://a/${'x'.repeat(100)}`, '/iconUrl', 50))).toEqual(['too_long']);
  });
});

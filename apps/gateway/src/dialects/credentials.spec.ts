import { bearerOf } from './credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test.each([
  ['Token abc', ['token'], 'Bearer abc'],
  ['token  abc ', ['token'], 'Bearer abc'],
  ['Bearer abc', ['bearer', 'basic'], 'Bearer abc'],
  [basic('abc:x'), ['bearer', 'basic'], 'Bearer abc'],
  [basic('abc'), ['basic'], 'Bearer abc'],
  [basic('abc:x:y'), ['basic'], 'Bearer abc'],
] as const)('%s is the key of %s', (header, schemes, bearer) => {
  expect(bearerOf(header, schemes)).toBe(bearer);
});

test.each([
  [undefined, ['bearer']],
  ['', ['bearer']],
  ['abc', ['bearer']],
  ['Bearer', ['bearer']],
  ['Bearer a b', ['bearer']],
  ['Token abc', ['bearer', 'basic']],
  ['Bearer abc', ['token']],
  [basic('abc:x'), ['bearer']],
] as const)('%s is no key where %s is wanted', (header, schemes) => {
  expect(() => bearerOf(header, schemes)).toThrow(
    expect.objectContaining({ code: 'unauthenticated' }) as Error,
  );
});

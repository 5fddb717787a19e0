import { encodeSource, sourceFromMetadata, sourceKey } from './request-source.ts';

const read = (value: string | undefined) =>
  sourceFromMetadata((name) => (name === sourceKey ? value : undefined));
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('the source of a request arrives as it was sent, whatever a client calls itself', () => {
  const source = { address: '2001:db8::1', userAgent: 'curl/8 “ü” \n' };
  expect(encodeSource(source)).toMatch(/^[\w-]+$/);
  expect(read(encodeSource(source))).toEqual(source);
  const nothing = { address: undefined, userAgent: undefined };
  expect(read(encodeSource(nothing))).toEqual(nothing);
});

test('what a client calls itself is cut at 512 characters', () => {
  const { userAgent } = read(encodeSource({ address: undefined, userAgent: 'x'.repeat(9_000) })) ?? {};
  expect(userAgent).toHaveLength(512);
});

test.each([
  ['none', undefined],
  ['no JSON', 'abc'],
  ['no object', encoded('text')],
])('%s is no source, and no failure', (_, value) => {
  expect(read(value)).toBeUndefined();
});

test('what is no text in it is left out', () => {
  expect(read(encoded({ address: 7, userAgent: ['curl'] }))).toEqual({
    address: undefined,
    userAgent: undefined,
  });
});

import { checkHeaders, headerLimits } from './header-check.ts';

const check = (headers: Record<string, string>): readonly (readonly [string, string])[] =>
  checkHeaders(headers, '/headers').map(({ field, code }) => [field, code]);

describe('checkHeaders', () => {
  it.each([
    [{}],
    [{ Authorization: 'Bearer abc', 'X-Tenant': 'a b\tc', 'x_y.z~': '' }],
    [{ Accept: '*/*', 'Proxied-By': 'x', Webhooks: 'y' }],
  ])('accepts %j', (headers) => {
    expect(check(headers)).toEqual([]);
  });

  it.each([
    '__proto__',
    'Host',
    'content-length',
    'Content-Type',
    'CONNECTION',
    'Transfer-Encoding',
    'TE',
    'Upgrade',
    'User-Agent',
    'Expect',
    'webhook-id',
    'Webhook-Signature',
    'Proxy-Authorization',
    'ce-id',
    'traceparent',
  ])('refuses %s, which is not the owner to set', (name) => {
    expect(check({ [name]: 'x' })).toEqual([[`/headers/${name}`, 'reserved']]);
  });

  it.each(['', 'a b', 'a:', ':authority', 'a\r\nb', 'é', 'a/b'])('refuses the name %j', (name) => {
    expect(check({ [name]: 'x' })).toEqual([[`/headers/${name.replace('/', '~1')}`, 'invalid_format']]);
  });

  it.each(['a\r\nX-Forged: 1', 'a\nb', '\0', 'é', ' a', 'a ', '\ta', 'a\u007f'])(
    'refuses the value %j',
    (value) => {
      expect(check({ 'X-A': value })).toEqual([['/headers/X-A', 'invalid_format']]);
    },
  );

  it('refuses a header that is given twice, in whatever case', () => {
    expect(check({ 'X-A': '1', 'x-a': '2' })).toEqual([['/headers/x-a', 'duplicate']]);
  });

  it('bounds number and lengths', () => {
    const many = Object.fromEntries(
      Array.from({ length: headerLimits.headers + 1 }, (_, i) => [`X-${i}`, '']),
    );
    expect(check(many)).toEqual([['/headers', 'too_many']]);
    expect(check({ ['a'.repeat(headerLimits.nameLength)]: 'x'.repeat(headerLimits.valueLength) })).toEqual(
      [],
    );
    expect(check({ ['a'.repeat(headerLimits.nameLength + 1)]: '' })).toMatchObject([
      [expect.anything(), 'too_long'],
    ]);
    expect(check({ a: 'x'.repeat(headerLimits.valueLength + 1) })).toEqual([['/headers/a', 'too_long']]);
  });
});

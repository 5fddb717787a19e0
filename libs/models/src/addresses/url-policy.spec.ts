import { createAllowList } from './cidr.ts';
import { checkResolvedTarget, checkTargetUrl, maxUrlLength, type UrlPolicy } from './url-policy.ts';

const policy: UrlPolicy = { requireHttps: false, allow: createAllowList([]) };
const strict: UrlPolicy = { ...policy, requireHttps: true };
const local: UrlPolicy = { requireHttps: true, allow: createAllowList(['127.0.0.0/8', 'fd00::/8']) };

const codesOf = (text: string, by = policy): readonly string[] => {
  const checked = checkTargetUrl(text, by);
  return checked.ok ? [] : checked.violations.map(({ code }) => code);
};

describe('checkTargetUrl', () => {
  it.each([
    ['https://example.com/hooks?x=1', 'example.com'],
    ['http://example.com:8080', 'example.com'],
    ['HTTPS://Example.COM./', 'example.com'],
    ['https://bücher.example/é', 'xn--bcher-kva.example'],
    ['https://my_host.example/a/../b', 'my_host.example'],
    ['https://8.8.8.8/', null],
    ['https://[2606:4700:4700::1111]/', null],
  ])('accepts %s and names what has to be resolved', (text, name) => {
    expect(checkTargetUrl(text, policy)).toMatchObject({ ok: true, name });
  });

  it.each([
    [''],
    ['example.com'],
    ['//example.com'],
    ['ftp://example.com/'],
    ['file:///etc/passwd'],
    ['javascript:alert(1)'],
    ['http:example.com'],
    ['http:/example.com'],
    ['http:///example.com'],
    ['http://?x'],
    ['http://'],
    ['https://exa mple.com/'],
    [' https://example.com/'],
    ['https://example.com/\n'],
    ['https://exam\tple.com/'],
    ['https://example.com/\0'],
    ['https://example.com/\u0085'],
    ['https://example.com/\u00a0'],
    ['https://example.com/\u2028'],
    ['https://example.com/\u200b'],
    ['https://example.com\\@evil.example/'],
    ['https://exa%00mple.com/'],
    ['https://example..com/'],
    ['https://.example.com/'],
    [`https://${'a'.repeat(64)}.com/`],
    [`https://${'a.'.repeat(127)}com/`],
    ['https://example.com:99999/'],
    ['https://example.com:0/'],
    ['https://[::1/'],
    ['https://[fe80::1%25eth0]/'],
    ['https://1.2.3.256/'],
  ])('refuses %j, which is no URL that could be meant', (text) => {
    expect(codesOf(text)).toEqual(['invalid_format']);
  });

  it('refuses what is too long, and nothing that is not', () => {
    const sized = (length: number): string => 'https://example.com/'.padEnd(length, 'x');
    expect(codesOf(sized(maxUrlLength))).toEqual([]);
    expect(codesOf(sized(maxUrlLength + 1))).toEqual(['too_long']);
  });

  it.each([
    ['https://user@example.com/'],
    ['https://user:password@example.com/'],
    ['https://:password@example.com/'],
    ['https://@example.com/'],
  ])('refuses credentials: %s', (text) => {
    expect(codesOf(text)).toEqual(['credentials_not_allowed']);
  });

  it('takes an @ in a path for what it is', () => {
    expect(codesOf('https://example.com/@user?to=a@b')).toEqual([]);
  });

  it('refuses a fragment', () => {
    expect(codesOf('https://example.com/#part')).toEqual(['fragment_not_allowed']);
    expect(codesOf('https://example.com/#')).toEqual(['fragment_not_allowed']);
  });

  it('names all that is wrong with the parts at once', () => {
    expect(codesOf('http://u@127.0.0.1/#x', strict)).toEqual([
      'credentials_not_allowed',
      'fragment_not_allowed',
      'address_not_public',
    ]);
  });

  it.each([
    ['http://127.0.0.1/'],
    ['http://127.0.0.1./'],
    ['http://127.1/'],
    ['http://0x7f.1/'],
    ['http://0177.0.0.1/'],
    ['http://2130706433/'],
    ['http://0x7f000001/'],
    ['http://①②⑦.0.0.1/'],
    ['http://%31%32%37.0.0.1/'],
    ['http://0/'],
    ['http://10.1.2.3/'],
    ['http://169.254.169.254/latest/meta-data'],
    ['http://[::1]/'],
    ['http://[::ffff:127.0.0.1]/'],
    ['http://[::ffff:8.8.8.8]/'],
    ['http://[64:ff9b::7f00:1]/'],
    ['http://[fe80::1]/'],
    ['http://localhost/'],
    ['http://LOCALHOST:3000/'],
    ['http://localhost./'],
    ['http://app.localhost/'],
    ['http://loc%61lhost/'],
  ])('refuses %s, which is not public', (text) => {
    expect(codesOf(text)).toEqual(['address_not_public']);
  });

  it('accepts names that only look like localhost', () => {
    expect(codesOf('https://localhost.example.com/')).toEqual([]);
    expect(codesOf('https://notlocalhost/')).toEqual([]);
  });

  it('accepts what the allow list names, plain http too, with nothing left to resolve', () => {
    for (const text of [
      'http://127.0.0.1:9000/',
      'http://0x7f.1/',
      'http://[fd00::1]/',
      'http://localhost:9000/',
    ]) {
      expect(checkTargetUrl(text, local)).toMatchObject({ ok: true, name: null });
    }
    expect(codesOf('http://10.0.0.1/', local)).toEqual(['address_not_public']);
  });

  it('refuses plain http to a public address where https is required', () => {
    expect(codesOf('http://8.8.8.8/', strict)).toEqual(['https_required']);
    expect(codesOf('https://8.8.8.8/', strict)).toEqual([]);
    expect(codesOf('http://8.8.8.8/')).toEqual([]);
  });

  it('points to the field that the caller names', () => {
    expect(checkTargetUrl('x', policy, '/target')).toMatchObject({ violations: [{ field: '/target' }] });
  });
});

describe('checkResolvedTarget', () => {
  const check = (text: string, addresses: readonly string[], by = policy): readonly string[] =>
    checkResolvedTarget(new URL(text), addresses, by).map(({ code }) => code);

  it('refuses a name when any of its addresses is not public, without telling which', () => {
    const [violation] = checkResolvedTarget(new URL('https://a.example/'), ['8.8.8.8', '10.1.2.3'], policy);
    expect(violation).toMatchObject({ field: '/url', code: 'address_not_public' });
    expect(violation?.message).not.toContain('10.1.2.3');
  });

  it('accepts public addresses, allowed ones, and a name that does not resolve', () => {
    expect(check('http://a.example/', ['8.8.8.8', '2606:4700::1'])).toEqual([]);
    expect(check('https://a.example/', ['127.0.0.1', '8.8.8.8'], local)).toEqual([]);
    expect(check('http://a.example/', [])).toEqual([]);
  });

  it('where https is required, accepts plain http only when every address is allowed', () => {
    expect(check('http://a.example/', ['127.0.0.1'], local)).toEqual([]);
    expect(check('http://a.example/', ['127.0.0.1', '8.8.8.8'], local)).toEqual(['https_required']);
    expect(check('http://a.example/', [], local)).toEqual(['https_required']);
    expect(check('https://a.example/', [], local)).toEqual([]);
  });
});

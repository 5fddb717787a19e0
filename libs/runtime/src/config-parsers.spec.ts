import {
  boolean,
  bytes,
  choice,
  cidr,
  durationMs,
  integer,
  list,
  nameServer,
  path,
  proxyUrl,
  text,
  url,
  type ConfigParser,
} from './config-parsers.ts';

const port = integer({ min: 0, max: 65_535 });
const timeout = durationMs({ min: 100, max: 60_000 });
const size = bytes({ min: 1, max: 2 ** 30 });

describe('config values', () => {
  it.each<[string, ConfigParser<unknown>, string, unknown]>([
    ['text', text(), 'a b', 'a b'],
    ['an integer at its lower bound', port, '0', 0],
    ['an integer at its upper bound', port, '65535', 65_535],
    ['a negative integer', integer({ min: -5, max: 5 }), '-5', -5],
    ['yes', boolean, 'TRUE', true],
    ['no', boolean, 'off', false],
    ['a choice', choice(['debug', 'info']), 'info', 'info'],
    ['a list', list(port), '1, 2,,3', [1, 2, 3]],
    ['an IPv4 CIDR', cidr, '127.0.0.0/8', '127.0.0.0/8'],
    ['an IPv6 CIDR', cidr, 'fd00::/8', 'fd00::/8'],
    ['a single address', cidr, '10.0.0.1', '10.0.0.1'],
    ['a URL, without the slash at its end', url, 'https://hooks.example.com/', 'https://hooks.example.com'],
    ['a URL with a path', url, 'http://example.com:8080/posthorn/', 'http://example.com:8080/posthorn'],
    ['milliseconds', timeout, '1500', 1_500],
    ['seconds', timeout, '15s', 15_000],
    ['a minute', timeout, '1 m', 60_000],
    ['bytes', size, '262144', 262_144],
    ['KiB', size, '256KiB', 262_144],
    ['a name server', nameServer, '10.0.0.53', '10.0.0.53'],
    ['a name server with a port', nameServer, '10.0.0.53:5353', '10.0.0.53:5353'],
    ['a name server of IPv6', nameServer, 'fd00::53', 'fd00::53'],
    ['a name server of IPv6 with a port', nameServer, '[fd00::53]:53', '[fd00::53]:53'],
    ['a proxy', proxyUrl, 'http://proxy:3128', new URL('http://proxy:3128')],
    ['a proxy with credentials', proxyUrl, 'https://u:p%40@proxy/', new URL('https://u:p%40@proxy/')],
    ['an absolute path', path, '/data', '/data'],
    ['a relative path', path, 'data', `${process.cwd()}/data`],
  ])('take %s', (_what, parser, given, value) => {
    expect(parser.parse(given)).toEqual(value);
  });

  it.each<[string, ConfigParser<unknown>, string]>([
    ['text that is too short', text({ minLength: 32 }), 'short'],
    ['an integer over its bound', port, '65536'],
    ['an integer under its bound', port, '-1'],
    ['a fraction', port, '1.5'],
    ['a number in another notation', port, '1e3'],
    ['digits with blanks', port, ' 1'],
    ['a maybe', boolean, 'maybe'],
    ['another choice', choice(['debug', 'info']), 'Info'],
    ['a list with one wrong item', list(port), '1,x,3'],
    ['a CIDR with bits beyond its prefix', cidr, '10.0.0.1/8'],
    ['a name in place of an address', cidr, 'localhost'],
    ['a URL without a scheme', url, 'example.com'],
    ['a URL of another scheme', url, 'ftp://example.com'],
    ['a URL with credentials', url, 'https://user:pass@example.com'],
    ['a URL with a query', url, 'https://example.com/?a=b'],
    ['a duration under its bound', timeout, '99'],
    ['a duration over its bound', timeout, '2m'],
    ['a duration in an unknown unit', timeout, '1 week'],
    ['a unit that every object knows', timeout, '1constructor'],
    ['a size in an unknown unit', size, '1kb'],
    ['a size without digits', size, 'KiB'],
    ['a name in place of a name server', nameServer, 'dns.example'],
    ['a name server of IPv6 with a port but no brackets', nameServer, '[fd00::53'],
    ['IPv4 in brackets', nameServer, '[10.0.0.53]:53'],
    ['a name server with port 0', nameServer, '10.0.0.53:0'],
    ['a name server with a port that is none', nameServer, '10.0.0.53:65536'],
    ['a name server without its port', nameServer, '10.0.0.53:'],
    ['a zone id', nameServer, '[fe80::1%25eth0]:53'],
    ['a proxy without a scheme', proxyUrl, 'proxy:3128'],
    ['a proxy of another kind', proxyUrl, 'socks5://proxy:1080'],
    ['a proxy with a path', proxyUrl, 'http://proxy:3128/x'],
    ['a proxy with half an escape', proxyUrl, 'http://u%4:p@proxy:3128'],
    ['a proxy with a line end in its credentials', proxyUrl, 'http://u%0d%0a:p@proxy:3128'],
    ['a path with a zero character', path, 'a\0b'],
  ])('refuse %s', (_what, parser, given) => {
    expect(parser.parse(given)).toBeUndefined();
  });
});

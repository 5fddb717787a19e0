import { cidrContains, createAllowList, parseCidr } from './cidr.ts';
import { parseIp } from './ip.ts';

const contains = (range: string, address: string): boolean => {
  const cidr = parseCidr(range);
  const bytes = parseIp(address);
  if (cidr === null || bytes === null) throw new Error(`not readable: ${range} ${address}`);
  return cidrContains(cidr, bytes);
};

describe('parseCidr', () => {
  it.each([['10.0.0.0/8'], ['0.0.0.0/0'], ['1.2.3.4/32'], ['1.2.3.4'], ['::/0'], ['fc00::/7'], ['::1']])(
    'reads %s',
    (text) => {
      expect(parseCidr(text)).toMatchObject({ text });
    },
  );

  it.each([
    [''],
    ['10.0.0.0/'],
    ['10.0.0.0/33'],
    ['10.0.0.0/-1'],
    ['10.0.0.0/08'],
    ['10.0.0.0/8/8'],
    ['10.0.0/8'],
    ['::/129'],
    ['10.0.0.1/8'],
    ['fc01::/7'],
    ['/8'],
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

describe('cidrContains', () => {
  it.each([
    ['172.16.0.0/12', '172.16.0.0', true],
    ['172.16.0.0/12', '172.31.255.255', true],
    ['172.16.0.0/12', '172.32.0.0', false],
    ['172.16.0.0/12', '172.15.255.255', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::', false],
    ['::/0', '1.2.3.4', false],
    ['fe80::/10', 'febf::1', true],
    ['fe80::/10', 'fec0::', false],
    ['::ffff:0:0/96', '::ffff:1.2.3.4', true],
  ])('of %s and %s is %j', (range, address, expected) => {
    expect(contains(range, address)).toBe(expected);
  });
});

describe('createAllowList', () => {
  it('holds what any of its ranges holds, and nothing that is not an address', () => {
    const allow = createAllowList(['127.0.0.0/8', '::1']);
    expect(['127.0.0.1', '127.255.0.1', '::1'].every(allow.contains)).toBe(true);
    expect(['128.0.0.1', '::2', '::ffff:127.0.0.1', 'localhost', ''].some(allow.contains)).toBe(false);
  });

  it('holds nothing when it is empty', () => {
    expect(createAllowList([]).contains('127.0.0.1')).toBe(false);
  });

  it('names every range that it could not read', () => {
    expect(() => createAllowList(['127.0.0.0/8', 'local', '10.0.0.1/8'])).toThrow(
      new RangeError('Not a CIDR: "local", "10.0.0.1/8".'),
    );
  });
});

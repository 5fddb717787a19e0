import { addressClass, isPublicAddress, mayReach } from './address.ts';
import { createAllowList } from './cidr.ts';

describe('addresses that are not public', () => {
  it.each([
    ['0.0.0.0', 'this host'],
    ['0.255.255.255', 'this network'],
    ['10.0.0.0', 'private use'],
    ['10.255.255.255', 'private use'],
    ['100.64.0.1', 'shared address space'],
    ['100.127.255.255', 'shared address space'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['168.63.129.16', "Azure's platform"],
    ['169.254.169.254', 'link-local'],
    ['172.16.0.1', 'private use'],
    ['172.31.255.255', 'private use'],
    ['192.0.0.9', 'port control anycast'],
    ['192.0.0.11', 'IETF protocol assignments'],
    ['192.0.2.1', 'documentation'],
    ['192.31.196.1', 'AS112'],
    ['192.52.193.1', 'AMT'],
    ['192.88.99.1', '6to4 relay anycast'],
    ['192.168.255.255', 'private use'],
    ['192.175.48.6', 'AS112'],
    ['198.18.0.1', 'benchmarking'],
    ['198.19.255.255', 'benchmarking'],
    ['198.51.100.7', 'documentation'],
    ['203.0.113.7', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'limited broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::127.0.0.1', 'IPv4-compatible'],
    ['::8.8.8.8', 'IPv4-compatible'],
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:8.8.8.8', 'IPv4-mapped'],
    ['::ffff:0:127.0.0.1', 'IPv4-translated'],
    ['64:ff9b::10.0.0.1', 'NAT64'],
    ['64:ff9b::8.8.8.8', 'NAT64'],
    ['64:ff9b:1::1', 'NAT64, local use'],
    ['100::1', 'discard only'],
    ['100:0:0:1::1', 'dummy prefix'],
    ['2001::1', 'Teredo'],
    ['2001:1::1', 'port control anycast'],
    ['2001:1::4', 'IETF protocol assignments'],
    ['2001:2::1', 'benchmarking'],
    ['2001:3::1', 'AMT'],
    ['2001:4:112::1', 'AS112'],
    ['2001:1f::1', 'ORCHID'],
    ['2001:2f::1', 'ORCHIDv2'],
    ['2001:3f::1', 'drone remote identification'],
    ['2001:1ff:ffff::', 'IETF protocol assignments'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4'],
    ['2620:4f:8000::1', 'AS112'],
    ['3fff:fff::1', 'documentation'],
    ['4000::1', 'not global unicast'],
    ['5f00::1', 'segment routing'],
    ['fc00::1', 'unique local'],
    ['fdff::1', 'unique local'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
  ])('%s: %s', (address, range) => {
    expect(addressClass(address)).toMatchObject({ isPublic: false, range });
  });

  it.each([['localhost'], [''], ['127.1'], ['0177.0.0.1'], ['fe80::1%eth0'], ['2606:4700::1%1'], ['[::1]']])(
    '%j, which is no address at all',
    (text) => {
      expect(addressClass(text)).toEqual({ isPublic: false, range: 'not an IP address', cidr: null });
    },
  );
});

describe('isPublicAddress', () => {
  it.each([
    ['1.1.1.1'],
    ['8.8.8.8'],
    ['9.255.255.255'],
    ['11.0.0.0'],
    ['100.63.255.255'],
    ['100.128.0.0'],
    ['126.255.255.255'],
    ['128.0.0.0'],
    ['172.15.255.255'],
    ['172.32.0.0'],
    ['192.0.1.0'],
    ['198.17.255.255'],
    ['198.20.0.0'],
    ['223.255.255.255'],
    ['2000::1'],
    ['2001:200::1'],
    ['2001:4860:4860::8888'],
    ['2003::1'],
    ['2606:4700:4700::1111'],
    ['3ffe::1'],
    ['3fff:1000::1'],
  ])('is true of %s, which borders on what is not', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe('mayReach', () => {
  it('is true of what is public or allowed, in the very form that is allowed', () => {
    const allow = createAllowList(['127.0.0.0/8']);
    expect(mayReach('8.8.8.8', allow)).toBe(true);
    expect(mayReach('127.0.0.1', allow)).toBe(true);
    expect(mayReach('::ffff:127.0.0.1', allow)).toBe(false);
    expect(mayReach('10.0.0.1', allow)).toBe(false);
  });
});

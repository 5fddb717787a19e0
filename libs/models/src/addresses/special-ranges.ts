import { parseCidr, type Cidr } from './cidr.ts';

/**
 * The addresses that no webhook receiver lives at: every block of the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890
 * and what followed it), also those few that are reachable; multicast; what was deprecated but is still routed by some (site-local);
 * every standard form that carries an IPv4 address within an IPv6 one; and the one public address at which a cloud answers each of its
 * machines with that machine's own settings (other clouds use link-local ones). A block of a network's own (a NAT64 prefix of RFC 6052 that isn't
 * the well-known one) can't be told from a public one: that is for the network to close.
 */
export interface SpecialRange {
  readonly cidr: Cidr;
  /** For people. */
  readonly name: string;
  /** Where it is set aside. */
  readonly source: string;
}

/** Narrow blocks stand before the wider ones that hold them, so that the first that holds an address is its most precise name. */
export const specialRanges: readonly SpecialRange[] = (
  [
    // iana-ipv4-special-registry
    ['0.0.0.0/32', 'this host', 'RFC 1122, section 3.2.1.3'],
    ['0.0.0.0/8', 'this network', 'RFC 791, section 3.2'],
    ['10.0.0.0/8', 'private use', 'RFC 1918'],
    ['100.64.0.0/10', 'shared address space', 'RFC 6598'],
    ['127.0.0.0/8', 'loopback', 'RFC 1122, section 3.2.1.3'],
    ['169.254.0.0/16', 'link-local', 'RFC 3927'],
    ['172.16.0.0/12', 'private use', 'RFC 1918'],
    ['192.0.0.0/29', 'IPv4 service continuity', 'RFC 7335'],
    ['192.0.0.8/32', 'dummy address', 'RFC 7600'],
    ['192.0.0.9/32', 'port control anycast', 'RFC 7723'],
    ['192.0.0.10/32', 'TURN anycast', 'RFC 8155'],
    ['192.0.0.170/31', 'NAT64 discovery', 'RFC 8880'],
    ['192.0.0.0/24', 'IETF protocol assignments', 'RFC 6890, section 2.1'],
    ['192.0.2.0/24', 'documentation', 'RFC 5737'],
    ['192.31.196.0/24', 'AS112', 'RFC 7535'],
    ['192.52.193.0/24', 'AMT', 'RFC 7450'],
    ['192.88.99.2/32', '6a44 relay anycast', 'RFC 6751'],
    ['192.88.99.0/24', '6to4 relay anycast', 'RFC 7526'],
    ['192.168.0.0/16', 'private use', 'RFC 1918'],
    ['192.175.48.0/24', 'AS112', 'RFC 7534'],
    ['198.18.0.0/15', 'benchmarking', 'RFC 2544'],
    ['198.51.100.0/24', 'documentation', 'RFC 5737'],
    ['203.0.113.0/24', 'documentation', 'RFC 5737'],
    ['255.255.255.255/32', 'limited broadcast', 'RFC 8190'],
    ['240.0.0.0/4', 'reserved', 'RFC 1112, section 4'],
    // ipv4-address-space
    ['224.0.0.0/4', 'multicast', 'RFC 5771'],
    // public, but inside a network of theirs it is the machine's own service
    ['168.63.129.16/32', "Azure's platform", 'learn.microsoft.com, "What is IP address 168.63.129.16?"'],

    // iana-ipv6-special-registry
    ['::/128', 'unspecified', 'RFC 4291, section 2.5.2'],
    ['::1/128', 'loopback', 'RFC 4291, section 2.5.3'],
    ['::ffff:0:0/96', 'IPv4-mapped', 'RFC 4291, section 2.5.5.2'],
    ['64:ff9b::/96', 'NAT64', 'RFC 6052'],
    ['64:ff9b:1::/48', 'NAT64, local use', 'RFC 8215'],
    ['100::/64', 'discard only', 'RFC 6666'],
    ['100:0:0:1::/64', 'dummy prefix', 'RFC 9780'],
    ['2001::/32', 'Teredo', 'RFC 4380'],
    ['2001:1::1/128', 'port control anycast', 'RFC 7723'],
    ['2001:1::2/128', 'TURN anycast', 'RFC 8155'],
    ['2001:1::3/128', 'service registration anycast', 'RFC 9665'],
    ['2001:2::/48', 'benchmarking', 'RFC 5180'],
    ['2001:3::/32', 'AMT', 'RFC 7450'],
    ['2001:4:112::/48', 'AS112', 'RFC 7535'],
    ['2001:10::/28', 'ORCHID', 'RFC 4843'],
    ['2001:20::/28', 'ORCHIDv2', 'RFC 7343'],
    ['2001:30::/28', 'drone remote identification', 'RFC 9374'],
    ['2001::/23', 'IETF protocol assignments', 'RFC 2928'],
    ['2001:db8::/32', 'documentation', 'RFC 3849'],
    ['2002::/16', '6to4', 'RFC 3056'],
    ['2620:4f:8000::/48', 'AS112', 'RFC 7534'],
    ['3fff::/20', 'documentation', 'RFC 9637'],
    ['5f00::/16', 'segment routing', 'RFC 9602'],
    ['fc00::/7', 'unique local', 'RFC 4193'],
    ['fe80::/10', 'link-local', 'RFC 4291, section 2.5.6'],
    // ipv6-address-space, and forms that carry an IPv4 address
    ['::/96', 'IPv4-compatible', 'RFC 4291, section 2.5.5.1'],
    ['::ffff:0:0:0/96', 'IPv4-translated', 'RFC 2765, section 2.1'],
    ['fec0::/10', 'site-local', 'RFC 3879'],
    ['ff00::/8', 'multicast', 'RFC 4291, section 2.7'],
  ] as const
).map(([text, name, source]) => ({ cidr: requireCidr(text), name, source }));

/** The only space of IPv6 that is given out for global unicast (RFC 4291, section 2.4): what lies outside isn't public, named above or not. */
export const globalUnicast: Cidr = requireCidr('2000::/3');

function requireCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new RangeError(`Not a CIDR: ${text}.`);
  return cidr;
}

import { cidrContains, parseCidr, type AllowList, type Cidr } from './cidr.ts';
import { parseIp } from './ip.ts';

/**
 * Which addresses are public: those that belong to none of the ranges below and, for IPv6, lie in 2000::/3, the only space that is
 * given out for global unicast. Every range of the IANA special-purpose registries counts, also those few that are reachable: no
 * webhook receiver lives there. Forms that carry an IPv4 address within an IPv6 one (mapped, NAT64, 6to4, Teredo) are refused whatever
 * they carry: what they reach depends on the network that they are used in. An operator who needs them allows them by CIDR.
 */
export interface AddressClass {
  readonly isPublic: boolean;
  /** The special range that it lies in, for people; null when it is public. */
  readonly range: string | null;
  /** That range as a CIDR; null when it is public or no address at all. */
  readonly cidr: string | null;
}

/** The class of an address, given as text without brackets. What isn't an address isn't public; nor is one with a zone id. */
export function addressClass(address: string): AddressClass {
  const bytes = parseIp(address);
  if (bytes === null) return { isPublic: false, range: 'not an IP address', cidr: null };
  const special = specialRanges.find(({ cidr }) => cidrContains(cidr, bytes));
  if (special !== undefined) return { isPublic: false, range: special.name, cidr: special.cidr.text };
  if (bytes.length === 16 && !cidrContains(globalUnicast, bytes)) {
    return { isPublic: false, range: 'not global unicast', cidr: '::/0' };
  }
  return { isPublic: true, range: null, cidr: null };
}

/** Whether a delivery may go there without being allowed expressly. */
export function isPublicAddress(address: string): boolean {
  return addressClass(address).isPublic;
}

/** Whether a delivery may go there: to be asked of the very address that is connected to. */
export function mayReach(address: string, allow: AllowList): boolean {
  return isPublicAddress(address) || allow.contains(address);
}

/**
 * IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its successors), multicast, and what was deprecated but is still
 * routed by some (site-local, IPv4-compatible). Narrow ranges stand before the wider ones that hold them, so that names are precise.
 */
const specialRanges: readonly { readonly cidr: Cidr; readonly name: string }[] = (
  [
    ['0.0.0.0/8', 'this network'],
    ['10.0.0.0/8', 'private use'],
    ['100.64.0.0/10', 'shared address space'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local'],
    ['172.16.0.0/12', 'private use'],
    ['192.0.0.0/24', 'IETF protocol assignments'],
    ['192.0.2.0/24', 'documentation'],
    ['192.31.196.0/24', 'AS112'],
    ['192.52.193.0/24', 'AMT'],
    ['192.88.99.0/24', '6to4 relay anycast'],
    ['192.168.0.0/16', 'private use'],
    ['192.175.48.0/24', 'AS112'],
    ['198.18.0.0/15', 'benchmarking'],
    ['198.51.100.0/24', 'documentation'],
    ['203.0.113.0/24', 'documentation'],
    ['224.0.0.0/4', 'multicast'],
    ['255.255.255.255/32', 'limited broadcast'],
    ['240.0.0.0/4', 'reserved'],
    ['::/128', 'unspecified'],
    ['::1/128', 'loopback'],
    ['::/96', 'IPv4-compatible'],
    ['::ffff:0:0/96', 'IPv4-mapped'],
    ['64:ff9b::/96', 'NAT64'],
    ['64:ff9b:1::/48', 'NAT64, local use'],
    ['100::/64', 'discard only'],
    ['100:0:0:1::/64', 'dummy prefix'],
    ['2001::/32', 'Teredo'],
    ['2001:2::/48', 'benchmarking'],
    ['2001:3::/32', 'AMT'],
    ['2001:4:112::/48', 'AS112'],
    ['2001:10::/28', 'ORCHID'],
    ['2001:20::/28', 'ORCHIDv2'],
    ['2001:30::/28', 'drone remote identification'],
    ['2001::/23', 'IETF protocol assignments'],
    ['2001:db8::/32', 'documentation'],
    ['2002::/16', '6to4'],
    ['2620:4f:8000::/48', 'AS112'],
    ['3fff::/20', 'documentation'],
    ['5f00::/16', 'segment routing'],
    ['fc00::/7', 'unique local'],
    ['fe80::/10', 'link-local'],
    ['fec0::/10', 'site-local'],
    ['ff00::/8', 'multicast'],
  ] as const
).map(([text, name]) => ({ cidr: requireCidr(text), name }));

const globalUnicast = requireCidr('2000::/3');

function requireCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new RangeError(`Not a CIDR: ${text}.`);
  return cidr;
}

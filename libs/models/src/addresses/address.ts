import { cidrContains, type AllowList } from './cidr.ts';
import { parseIp } from './ip.ts';
import { globalUnicast, specialRanges } from './special-ranges.ts';

/**
 * Which addresses are public: those that belong to none of the ranges of special-ranges.ts and, for IPv6, lie in the space that is given
 * out for global unicast. Forms that carry an IPv4 address within an IPv6 one (mapped, NAT64, 6to4, Teredo) are refused whatever
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

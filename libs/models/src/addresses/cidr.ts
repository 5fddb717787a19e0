import { parseIp, type IpBytes } from './ip.ts';

/** A range of addresses of one family: those that begin with the same `prefixLength` bits. */
export interface Cidr {
  readonly text: string;
  readonly bytes: IpBytes;
  readonly prefixLength: number;
}

/** A CIDR such as `10.0.0.0/8` or `fd00::/8`, or a single address. Null when it is neither, or has bits set beyond the prefix. */
export function parseCidr(text: string): Cidr | null {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = parseIp(address);
  if (bytes === null || rest.length > 0) return null;
  const bits = bytes.length * 8;
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return null;
  const prefixLength = length === undefined ? bits : Number(length);
  if (prefixLength > bits) return null;
  const cidr = { text, bytes, prefixLength };
  const hasHostBits = bytes.some((byte, index) => (byte & ~prefixMask(prefixLength, index)) !== 0);
  return hasHostBits ? null : cidr;
}

/** Whether the address lies in the range. An IPv4 address lies in no IPv6 range, nor the other way round. */
export function cidrContains(cidr: Cidr, address: IpBytes): boolean {
  return (
    address.length === cidr.bytes.length &&
    cidr.bytes.every((byte, index) => ((address[index] ?? 0) & prefixMask(cidr.prefixLength, index)) === byte)
  );
}

/** Addresses that deliveries may reach although they aren't public. */
export interface AllowList {
  /** Whether the address (text without brackets) is in the list; false for what isn't an address. */
  readonly contains: (address: string) => boolean;
}

/** A list of ranges; throws a RangeError that names each text that isn't a CIDR: use `parseCidr` first to report them better. */
export function createAllowList(cidrs: readonly string[]): AllowList {
  const parsed = cidrs.map((text) => ({ text, cidr: parseCidr(text) }));
  const wrong = parsed.filter(({ cidr }) => cidr === null).map(({ text }) => JSON.stringify(text));
  if (wrong.length > 0) throw new RangeError(`Not a CIDR: ${wrong.join(', ')}.`);
  const ranges = parsed.flatMap(({ cidr }) => (cidr === null ? [] : [cidr]));
  return {
    contains(address) {
      const bytes = ranges.length === 0 ? null : parseIp(address);
      return bytes !== null && ranges.some((range) => cidrContains(range, bytes));
    },
  };
}

/** The bits of the byte at that place which belong to the prefix. */
function prefixMask(prefixLength: number, index: number): number {
  const bits = Math.min(Math.max(prefixLength - index * 8, 0), 8);
  return (0xff << (8 - bits)) & 0xff;
}

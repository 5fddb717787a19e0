import fc from 'fast-check';
import { addressClass, isPublicAddress } from './address.ts';
import { cidrContains, parseCidr } from './cidr.ts';
import { parseIp } from './ip.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();

describe('addresses', () => {
  it('are read in whatever way they are written, and always as the same bytes', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const bytes = parseIp(text);
        expect(bytes).toHaveLength(16);
        // What the URL parser makes of the address is the same address.
        const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(parseIp(canonical)).toEqual(bytes);
        expect(addressClass(canonical)).toEqual(addressClass(text));
      }),
    );
  });

  it('of IPv4 are judged the same in each disguise that the URL parser understands', () => {
    fc.assert(
      fc.property(ipv4, fc.constantFrom('decimal', 'hex', 'octal', 'short'), (text, disguise) => {
        const bytes = parseIp(text) ?? [];
        const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
        const [a = 0, b = 0] = bytes;
        const disguised = {
          decimal: String(number),
          hex: bytes.map((byte) => `0x${byte.toString(16)}`).join('.'),
          octal: bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
          short: `${a}.${b}.${number % 65_536}`,
        }[disguise];
        expect(new URL(`http://${disguised}/`).hostname).toBe(text);
      }),
    );
  });

  it('that carry an IPv4 address within an IPv6 one are never public', () => {
    const prefix = fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::');
    fc.assert(
      fc.property(prefix, ipv4, (before, address) => {
        expect(isPublicAddress(before + address)).toBe(false);
      }),
    );
  });

  it('that are not public lie in the range that is named', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (text) => {
        const { isPublic, cidr } = addressClass(text);
        const range = cidr === null ? null : parseCidr(cidr);
        const bytes = parseIp(text) ?? [];
        expect(isPublic).toBe(range === null);
        if (range !== null) expect(cidrContains(range, bytes)).toBe(true);
      }),
    );
  });

  it('never make anything but a verdict of a text that is not one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '.', '%', '/', ' ') }), (text) => {
        expect(typeof isPublicAddress(text)).toBe('boolean');
      }),
    );
  });
});

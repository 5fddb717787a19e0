import { addressClass } from './address.ts';
import { parseIp } from './ip.ts';
import { specialRanges } from './special-ranges.ts';

/** Where a block that borders on this one isn't public either: the address just before or after it, and the block that it is in. */
const neighbours: Readonly<Record<string, { readonly before?: string; readonly after?: string }>> = {
  '0.0.0.0/32': { after: '0.0.0.0/8' },
  '192.0.0.0/29': { after: '192.0.0.8/32' },
  '192.0.0.8/32': { before: '192.0.0.0/29', after: '192.0.0.9/32' },
  '192.0.0.9/32': { before: '192.0.0.8/32', after: '192.0.0.10/32' },
  '192.0.0.10/32': { before: '192.0.0.9/32', after: '192.0.0.0/24' },
  '192.0.0.170/31': { before: '192.0.0.0/24', after: '192.0.0.0/24' },
  '192.88.99.2/32': { before: '192.88.99.0/24', after: '192.88.99.0/24' },
  '224.0.0.0/4': { after: '240.0.0.0/4' },
  '240.0.0.0/4': { before: '224.0.0.0/4' },
  '255.255.255.255/32': { before: '240.0.0.0/4' },
  '::/128': { after: '::1/128' },
  '::1/128': { before: '::/128', after: '::/96' },
  '100::/64': { before: '::/0', after: '100:0:0:1::/64' },
  '100:0:0:1::/64': { before: '100::/64', after: '::/0' },
  '2001::/32': { after: '2001::/23' },
  '2001:1::1/128': { before: '2001::/23', after: '2001:1::2/128' },
  '2001:1::2/128': { before: '2001:1::1/128', after: '2001:1::3/128' },
  '2001:1::3/128': { before: '2001:1::2/128', after: '2001::/23' },
  '2001:2::/48': { before: '2001::/23', after: '2001::/23' },
  '2001:3::/32': { before: '2001::/23', after: '2001::/23' },
  '2001:4:112::/48': { before: '2001::/23', after: '2001::/23' },
  '2001:10::/28': { before: '2001::/23', after: '2001:20::/28' },
  '2001:20::/28': { before: '2001:10::/28', after: '2001:30::/28' },
  '2001:30::/28': { before: '2001:20::/28', after: '2001::/23' },
  // What is no global unicast address is refused without a name of its own.
  '::/96': { after: '::/0' },
  '::ffff:0:0/96': { before: '::/0', after: '::/0' },
  '::ffff:0:0:0/96': { before: '::/0', after: '::/0' },
  '64:ff9b::/96': { before: '::/0', after: '::/0' },
  '64:ff9b:1::/48': { before: '::/0', after: '::/0' },
  '5f00::/16': { before: '::/0', after: '::/0' },
  'fc00::/7': { before: '::/0', after: '::/0' },
  'fe80::/10': { before: '::/0', after: 'fec0::/10' },
  'fec0::/10': { before: 'fe80::/10', after: 'ff00::/8' },
  'ff00::/8': { before: 'fec0::/10' },
};

/** A range's bounds and what lies next to it, reckoned with numbers: another way than that of cidr.ts. */
function boundsOf(text: string): {
  first: string;
  last: string;
  before: string | null;
  after: string | null;
} {
  const [address = '', length] = text.split('/');
  const bytes = parseIp(address) ?? [];
  const bits = BigInt(bytes.length * 8);
  const size = 1n << (bits - BigInt(length ?? bits));
  const first = bytes.reduce((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
  const print = (value: bigint): string =>
    bits === 32n
      ? [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
      : Array.from({ length: 8 }, (_, index) =>
          ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16),
        ).join(':');
  return {
    first: print(first),
    last: print(first + size - 1n),
    before: first === 0n ? null : print(first - 1n),
    after: first + size === 1n << bits ? null : print(first + size),
  };
}

/** The ranges that lie within another one: their bounds may have a more precise name. */
const isWithin = (inner: string, outer: string): boolean => {
  const at = specialRanges.findIndex(({ cidr }) => cidr.text === inner);
  return at !== -1 && at < specialRanges.findIndex(({ cidr }) => cidr.text === outer);
};

describe('a special range', () => {
  it.each(specialRanges.map(({ cidr, name, source }) => [cidr.text, name, source]))(
    '%s (%s, %s) holds its first and its last address, and neither of its neighbours',
    (text) => {
      const { first, last, before, after } = boundsOf(text);
      for (const address of [first, last]) {
        const { isPublic, cidr } = addressClass(address);
        expect(isPublic).toBe(false);
        expect(cidr === text || isWithin(cidr ?? '', text)).toBe(true);
      }
      const { before: cidrBefore = null, after: cidrAfter = null } = neighbours[text] ?? {};
      if (before !== null) expect([before, addressClass(before).cidr]).toEqual([before, cidrBefore]);
      if (after !== null) expect([after, addressClass(after).cidr]).toEqual([after, cidrAfter]);
    },
  );

  it('is in the table once, behind those that lie within it', () => {
    const texts = specialRanges.map(({ cidr }) => cidr.text);
    expect(new Set(texts).size).toBe(texts.length);
    for (const { cidr } of specialRanges) {
      // The first address of a block is in that block, or in a narrower one: never in a wider one that hides it.
      const found = addressClass(boundsOf(cidr.text).first).cidr ?? '';
      expect(Number(found.split('/')[1])).toBeGreaterThanOrEqual(cidr.prefixLength);
    }
  });
});

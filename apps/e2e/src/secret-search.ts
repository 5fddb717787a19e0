/**
 * Looks for secrets where none may be: as they are, in base64 of either alphabet (wherever they stand in what was encoded), in
 * hexadecimal, and what a key's text stands for as raw bytes. All of them at once in one pass, so that whole databases can be looked at.
 */
export interface SecretSearch {
  /** From now on it is looked for. What is shorter than 12 characters or bytes is no secret, but something that may stand anywhere. */
  add(what: string, secret: string | Uint8Array): void;
  /** What was found, each in a few words and without the secret; nothing when all is well. */
  foundIn(where: string, content: Uint8Array | string): readonly string[];
}

interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

const shortestSecret = 12;
/** Of the forms: what is shorter could be there by chance. */
const shortestNeedle = 10;
const prefixBytes = 4;

export function createSecretSearch(): SecretSearch {
  const known = new Set<string | Uint8Array>();
  /** By their first four bytes, read as one number. */
  const byPrefix = new Map<number, Needle[]>();
  /** Says of most numbers that no needle begins with them, without a look into the map. */
  const mayBegin = new Uint8Array(2 ** 16);

  function addNeedle(name: string, bytes: Buffer): void {
    if (bytes.length < shortestNeedle) return;
    const prefix = bytes.readUInt32BE(0);
    const others = byPrefix.get(prefix);
    if (others?.some((needle) => needle.bytes.equals(bytes))) return;
    byPrefix.set(prefix, [...(others ?? []), { name, bytes }]);
    mayBegin[(prefix ^ (prefix >>> 16)) & 0xffff] = 1;
  }

  return {
    add(what, secret) {
      if (secret.length < shortestSecret || known.has(secret)) return;
      known.add(secret);
      for (const [form, bytes] of formsOf(secret)) addNeedle(`${what} (${form})`, bytes);
    },

    foundIn(where, content) {
      const haystack =
        typeof content === 'string'
          ? Buffer.from(content)
          : Buffer.from(content.buffer, content.byteOffset, content.length);
      const found = new Set<string>();
      let last = 0;
      for (let end = 0; end < haystack.length; end++) {
        last = ((last << 8) | (haystack[end] ?? 0)) >>> 0;
        if (mayBegin[(last ^ (last >>> 16)) & 0xffff] === 0) continue;
        const start = end + 1 - prefixBytes;
        if (start < 0) continue;
        for (const { name, bytes } of byPrefix.get(last) ?? []) {
          if (haystack.subarray(start, start + bytes.length).equals(bytes)) found.add(`${name} in ${where}`);
        }
      }
      return [...found];
    },
  };
}

function formsOf(secret: string | Uint8Array): readonly (readonly [string, Buffer])[] {
  if (typeof secret !== 'string') return [['raw', Buffer.from(secret)], ...encodingsOf(Buffer.from(secret))];
  if (secret.startsWith('-----BEGIN')) {
    // Any line of it would do, however its line ends are written.
    const lines = secret.split(/\r?\n/).filter((line) => line.length >= 32 && !line.startsWith('-----'));
    const der = Buffer.from(lines.join(''), 'base64');
    return [
      ...lines.map((line) => ['a line of the PEM', Buffer.from(line)] as const),
      // From where an EC key has its private number; what stands before is much the same in all.
      ['DER', der.subarray(36, 68)],
    ];
  }
  const text = Buffer.from(secret);
  const raw = rawKeyOf(secret);
  return [
    ['clear', text],
    ...encodingsOf(text),
    ...(raw === null ? [] : [['raw', raw] as const, ...encodingsOf(raw)]),
  ];
}

function encodingsOf(bytes: Buffer): readonly (readonly [string, Buffer])[] {
  const hex = bytes.toString('hex');
  return [
    ['hexadecimal', Buffer.from(hex)],
    ['hexadecimal', Buffer.from(hex.toUpperCase())],
    ...[0, 1, 2].flatMap((offset) => {
      // At each of the three places that the secret may begin at within a group of base64; what its neighbours have a part in is cut off.
      const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
        .toString('base64')
        .replace(/=+$/, '');
      const inner = encoded.slice(offset === 0 ? 0 : offset + 1, encoded.length - 2);
      return [
        ['base64', Buffer.from(inner)] as const,
        ['base64url', Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))] as const,
      ];
    }),
  ];
}

/** The key that a text with a prefix of Standard Webhooks stands for. */
function rawKeyOf(secret: string): Buffer | null {
  const [, encoded] = /^wh(?:sec|sk)_([A-Za-z0-9+/]+=*)$/.exec(secret) ?? [];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64');
}

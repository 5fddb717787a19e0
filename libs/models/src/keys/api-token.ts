/**
 * Tokens of API keys: `phk_`, 30 random characters of base 62, and 6 that are the CRC-32 of those 30, so that a scanner for leaked
 * secrets can tell a real token from a text that looks like one. The checksum is never asked on entry.
 */

/** How many random bytes `newApiToken` takes: so many that all tokens are equally likely. */
export const apiTokenBytes = 32;

const mark = 'phk_';
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 30;
const checksumLength = 6;

/** A new token from `apiTokenBytes` random bytes. */
export function newApiToken(randomBytes: Uint8Array): string {
  if (randomBytes.length !== apiTokenBytes)
    throw new RangeError(`A token takes ${apiTokenBytes} random bytes.`);
  const random = toBase62(randomBytes, randomLength);
  return mark + random + checksum(random);
}

/**
 * The first characters of a token, by which its owner recognises it: eight random ones of ours, and of one that an operator set at
 * most a quarter, so that what stays unknown is enough.
 */
export function tokenPrefix(token: string): string {
  return token.slice(
    0,
    hasValidChecksum(token) ? mark.length + 8 : Math.min(8, Math.floor(token.length / 4)),
  );
}

/** Whether a text is a token of ours: what a secret scanner would ask. */
export function hasValidChecksum(token: string): boolean {
  const random = token.slice(mark.length, mark.length + randomLength);
  return /^phk_[0-9A-Za-z]{36}$/.test(token) && token.endsWith(checksum(random));
}

/** The last digits in base 62 of the number that the bytes are, by long division. */
function toBase62(bytes: Uint8Array, digits: number): string {
  const number = [...bytes];
  let text = '';
  for (let digit = 0; digit < digits; digit++) {
    let remainder = 0;
    for (const [index, byte] of number.entries()) {
      const value = remainder * 256 + byte;
      number[index] = Math.floor(value / 62);
      remainder = value % 62;
    }
    text = alphabet.charAt(remainder) + text;
  }
  return text;
}

function checksum(text: string): string {
  const crc = crc32(text);
  return toBase62(
    Uint8Array.of(crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff),
    checksumLength,
  );
}

/** CRC-32 as in zlib (polynomial 0xEDB88320), of ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

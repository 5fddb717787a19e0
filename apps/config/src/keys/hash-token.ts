import { createHash } from 'node:crypto';

/** SHA-256 of a token's UTF-8 bytes: all that is kept of it. Tokens are long and random, so that a plain hash is enough. */
export function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

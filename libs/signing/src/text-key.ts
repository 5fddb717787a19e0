import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** A shared secret whose key is the UTF-8 bytes of its whole text, prefix and all: those of ricloud, rapidly and preo. */
export function textKey(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

/** HMAC-SHA256 over a prefix and the pieces of a body, as if they were one. */
export function hmacSha256(key: KeyObject, prefix: string, body: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('sha256', key).update(prefix);
  for (const piece of body) hmac.update(piece);
  return hmac.digest();
}

import type { KeyObject } from 'node:crypto';
import { hmacSha256 } from './text-key.ts';

/** The header that carries preo's signature. */
export const preoSignatureHeader = 'X-Webhook-Signature';

/** The value of `X-Webhook-Signature`: hex of HMAC-SHA256 over the body alone, so a retry of the same body has the same one. */
export function signPreo(key: KeyObject, body: readonly Uint8Array[]): string {
  return hmacSha256(key, '', body).toString('hex');
}

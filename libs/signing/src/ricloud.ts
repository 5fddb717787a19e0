import type { KeyObject } from 'node:crypto';
import { hmacSha256 } from './text-key.ts';

/** The header that carries ricloud's signature. */
export const ricloudSignatureHeader = 'Ricloud-Signature';

/**
 * The value of `Ricloud-Signature`: `t=<seconds>,s=<base64 of HMAC-SHA256 over "{t}.{body}">`, in the standard alphabet and padded.
 * Receivers refuse a `t` that is ten minutes old, so every attempt is signed anew.
 */
export function signRicloud(key: KeyObject, timestampSeconds: number, body: readonly Uint8Array[]): string {
  const signature = hmacSha256(key, `${timestampSeconds}.`, body).toString('base64');
  return `t=${timestampSeconds},s=${signature}`;
}

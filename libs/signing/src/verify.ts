/**
 * The receiver's side of Standard Webhooks: what `posthorn listen` and the demo do with what they get. Signatures are
 * compared in constant time; of several, one that fits is enough.
 */
import { createHmac, timingSafeEqual, verify as verifySignature } from 'node:crypto';
import { ed25519PublicBytes, ed25519PublicKey } from './ed25519-key.ts';
import { decodeSecret } from './secret-format.ts';
import { webhookHeaders } from './standard-webhooks.ts';

/** How far the timestamp may be from now by default, in seconds: the five minutes of the reference libraries. */
export const defaultToleranceSeconds = 300;

export interface WebhookRequest {
  /** Header values by lower-case name, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it came, byte for byte. */
  readonly body: Uint8Array;
}

export interface VerifyOptions {
  /** What is trusted: `whsec_` secrets, `whpk_` public keys, or `whsk_` private ones. */
  readonly secrets: readonly string[];
  readonly nowSeconds: number;
  readonly toleranceSeconds?: number;
}

export type Verification =
  | { readonly valid: true; readonly id: string; readonly timestampSeconds: number }
  | { readonly valid: false; readonly reason: VerificationFailure; readonly message: string };

export type VerificationFailure =
  | 'missing_header'
  | 'invalid_timestamp'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'no_matching_signature';

/**
 * Whether one of the request's signatures was made with one of the secrets, not long ago.
 *
 * @throws DomainError `invalid_argument` when a secret has a wrong format; never for what the request holds.
 */
export function verify(request: WebhookRequest, options: VerifyOptions): Verification {
  const id = single(request, webhookHeaders.id);
  const timestamp = single(request, webhookHeaders.timestamp);
  const signatures = single(request, webhookHeaders.signature);
  if (id === null || timestamp === null || signatures === null) {
    return refused(
      'missing_header',
      'webhook-id, webhook-timestamp and webhook-signature must be there, once each',
    );
  }
  if (!/^\d{1,12}$/.test(timestamp)) {
    return refused('invalid_timestamp', 'webhook-timestamp must be whole seconds since 1970');
  }
  const age = options.nowSeconds - Number(timestamp);
  const tolerance = options.toleranceSeconds ?? defaultToleranceSeconds;
  if (age > tolerance) return refused('timestamp_too_old', `webhook-timestamp is ${Math.round(age)} s old`);
  if (-age > tolerance)
    return refused('timestamp_too_new', `webhook-timestamp is ${Math.round(-age)} s ahead`);

  const message = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), request.body]);
  const given = signatures.split(' ').map(readSignature);
  const matchers = options.secrets.map((secret) => prepareMatcher(secret, message));
  return matchers.some((matches) => given.some(matches))
    ? { valid: true, id, timestampSeconds: Number(timestamp) }
    : refused('no_matching_signature', 'no signature was made with any of the secrets');
}

interface GivenSignature {
  readonly identifier: string;
  readonly bytes: Buffer;
}

function readSignature(text: string): GivenSignature {
  const [identifier = '', encoded = ''] = text.split(',', 2);
  return { identifier, bytes: Buffer.from(encoded, 'base64') };
}

function prepareMatcher(secret: string, message: Buffer): (given: GivenSignature) => boolean {
  const { kind, bytes } = decodeSecret(secret, 'whsec', 'whpk', 'whsk');
  if (kind === 'whsec') {
    const expected = createHmac('sha256', bytes).update(message).digest();
    return (given) =>
      given.identifier === 'v1' &&
      given.bytes.length === expected.length &&
      timingSafeEqual(given.bytes, expected);
  }
  const key = ed25519PublicKey(kind === 'whpk' ? bytes : ed25519PublicBytes(bytes));
  return (given) => given.identifier === 'v1a' && verifySignature(null, message, key, given.bytes);
}

function single({ headers }: WebhookRequest, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function refused(reason: VerificationFailure, message: string): Verification {
  return { valid: false, reason, message };
}

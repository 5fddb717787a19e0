import { createSecretKey, type KeyObject } from 'node:crypto';
import { decodeSecret } from './secret-format.ts';
import type { SigningKey } from './signing-key.ts';
import { hmacSha256, textKey } from './text-key.ts';

/**
 * Standard Webhooks `v1`: HMAC-SHA256 over `{id}.{timestamp}.{body}` under the bytes behind `whsec_`.
 *
 * @throws DomainError `invalid_argument` when the text isn't a `whsec_` secret.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function prepareV1Key(secret: string): SigningKey {
  return v1Key(createSecretKey(decodeSecret(secret, 'whsec').bytes));
}

/** The same under the UTF-8 bytes of the whole text, whatever its prefix. */
export function prepareTextV1Key(secret: string): SigningKey {
  return v1Key(textKey(secret));
}

function v1Key(key: KeyObject): SigningKey {
  return { sign: (prefix, body) => `v1,${hmacSha256(key, prefix, body).toString('base64')}` };
}

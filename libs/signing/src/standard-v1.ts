import { createHmac, createSecretKey } from 'node:crypto';
import { decodeSecret } from './secret-format.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Standard Webhooks `v1`: HMAC-SHA256 over `{id}.{timestamp}.{body}` under the bytes behind `whsec_`.
 *
 * @throws DomainError `invalid_argument` when the text isn't a `whsec_` secret.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function prepareV1Key(secret: string): SigningKey {
  const key = createSecretKey(decodeSecret(secret, 'whsec').bytes);
  return {
    sign(prefix, body) {
      const hmac = createHmac('sha256', key).update(prefix);
      for (const piece of body) hmac.update(piece);
      return `v1,${hmac.digest('base64')}`;
    },
  };
}

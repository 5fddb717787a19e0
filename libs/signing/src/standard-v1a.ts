import { sign } from 'node:crypto';
import { ed25519PrivateKey } from './ed25519-key.ts';
import { decodeSecret } from './secret-format.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Standard Webhooks `v1a`: ed25519 over `{id}.{timestamp}.{body}` with the private key behind `whsk_`. Ed25519 reads its
 * message twice, so the pieces are put together first: the one copy of a body that signing makes.
 *
 * @throws DomainError `invalid_argument` when the text isn't a `whsk_` key.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
 */
export function prepareV1aKey(secret: string): SigningKey {
  const key = ed25519PrivateKey(decodeSecret(secret, 'whsk').bytes);
  return {
    sign(prefix, body) {
      const message = Buffer.concat([Buffer.from(prefix), ...body]);
      return `v1a,${sign(null, message, key).toString('base64')}`;
    },
  };
}

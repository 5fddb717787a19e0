/**
 * Signing by Standard Webhooks 1.0: every live secret signs, so that a receiver can change over at any moment of a
 * rotation. Decoding a key costs more than signing with it, so it is done once per endpoint version, ahead of the sends.
 */
import { signatureSchemes, type Secret, type SecretScheme, type SignatureScheme } from '@posthorn/models';
import type { SigningKey } from './signing-key.ts';
import { prepareTextV1Key, prepareV1Key } from './standard-v1.ts';
import { prepareV1aKey } from './standard-v1a.ts';

/** The header names of Standard Webhooks, in the order in which they are sent. */
export const webhookHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

/** Signs the requests of one endpoint. */
export interface Signer {
  /**
   * The value of `webhook-signature`: one signature for each secret that is live at that second, space-separated, `v1`
   * before `v1a`, the newest first.
   *
   * @param id the `webhook-id`; must not contain a full stop, which separates the signed parts.
   * @param timestampSeconds the `webhook-timestamp`, whole seconds since 1970.
   * @param body what is sent, in any number of pieces; `v1` doesn't copy them.
   */
  sign(id: string, timestampSeconds: number, body: readonly Uint8Array[]): string;
}

/**
 * Decodes an endpoint's secrets and keeps those whose scheme the endpoint signs with.
 *
 * @throws DomainError `invalid_argument` when one of the secrets has a wrong format.
 */
export function prepareSigner(secrets: readonly Secret[], schemes: readonly SignatureScheme[]): Signer {
  return signerWith(
    signatureSchemes
      .filter((scheme) => schemes.includes(scheme))
      .flatMap((scheme) => preparedKeys(secrets, scheme)),
  );
}

/** The same with secrets whose whole text is the key: how rapidly signs. Its receivers know `v1` only. */
export function prepareTextSigner(secrets: readonly Secret[]): Signer {
  return signerWith(preparedKeys(secrets, 'text'));
}

interface PreparedKey {
  readonly key: SigningKey;
  readonly expiresAtSeconds: number;
}

function preparedKeys(secrets: readonly Secret[], scheme: SecretScheme): PreparedKey[] {
  return secrets
    .filter((secret) => secret.scheme === scheme)
    .sort(newestFirst)
    .map((secret) => ({
      key: prepareKey[scheme](secret.secret),
      expiresAtSeconds: secret.expiresAt === null ? Infinity : secret.expiresAt.getTime() / 1000,
    }));
}

function signerWith(keys: readonly PreparedKey[]): Signer {
  return {
    sign(id, timestampSeconds, body) {
      const prefix = `${id}.${timestampSeconds}.`;
      let header = '';
      for (const { key, expiresAtSeconds } of keys) {
        if (timestampSeconds >= expiresAtSeconds) continue;
        header += header === '' ? key.sign(prefix, body) : ` ${key.sign(prefix, body)}`;
      }
      return header;
    },
  };
}

const prepareKey = {
  v1: prepareV1Key,
  v1a: prepareV1aKey,
  text: prepareTextV1Key,
} as const satisfies Record<SecretScheme, (secret: string) => SigningKey>;

function newestFirst(a: Secret, b: Secret): number {
  return b.createdAt.getTime() - a.createdAt.getTime();
}

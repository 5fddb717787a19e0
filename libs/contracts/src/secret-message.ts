import type { Secret, SecretScheme, SignatureScheme } from '@posthorn/models';
import * as configV1 from './config-v1.ts';
import { createEnumTable } from './enum-table.ts';
import { required } from './required.ts';

/** The schemes that an endpoint may sign with, and their enum. */
export const signatureSchemeTable = createEnumTable({
  v1: configV1.SignatureScheme.SIGNATURE_SCHEME_V1,
  v1a: configV1.SignatureScheme.SIGNATURE_SCHEME_V1A,
} satisfies Record<SignatureScheme, configV1.SignatureScheme>);

/** The schemes that secrets are for, and the same enum. */
export const secretSchemeTable = createEnumTable({
  v1: configV1.SignatureScheme.SIGNATURE_SCHEME_V1,
  v1a: configV1.SignatureScheme.SIGNATURE_SCHEME_V1A,
  text: configV1.SignatureScheme.SIGNATURE_SCHEME_TEXT,
} satisfies Record<SecretScheme, configV1.SignatureScheme>);

/** The secret as a message; `publicKey` (`whpk_…`) goes with a v1a secret where it is shown to its owner. */
export function secretToMessage(secret: Secret, publicKey?: string): configV1.Secret {
  return {
    scheme: secretSchemeTable.toMessage(secret.scheme),
    secret: secret.secret,
    publicKey,
    createdAt: secret.createdAt,
    expiresAt: secret.expiresAt ?? undefined,
  };
}

/** The secret of a message. Throws `invalid_argument` when something is unspecified. */
export function secretFromMessage(message: configV1.Secret): Secret {
  return {
    scheme: secretSchemeTable.fromMessage(message.scheme, '/scheme'),
    secret: message.secret,
    createdAt: required(message.createdAt, '/createdAt'),
    expiresAt: message.expiresAt ?? null,
  };
}

import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Keyring } from './keyring.ts';

/**
 * Authenticated encryption of what is secret at rest: AES-256-GCM (NIST SP 800-38D) under the sealing key of a keyring,
 * opened with whichever key sealed it, so that keys can be rotated. A box reads `v1.<key id>.<iv>.<ciphertext and tag>`,
 * each part in base64url, and opens only in the context that it was sealed for: a ciphertext that was copied into
 * another record is refused. It doesn't hide how long the plaintext is.
 */
export interface SecretBox {
  seal(plaintext: string, context: string): string;
  /** Throws when the box was changed, belongs to another context, or its key isn't in the keyring. */
  open(box: string, context: string): string;
}

/** What every box begins with; the id of its key follows. */
export const boxPrefix = 'v1.';
const ivBytes = 12;
const tagBytes = 16;

/** @param randomBytes the source of the initialisation vectors */
export function createSecretBox(keyring: Keyring, randomBytes: (length: number) => Uint8Array): SecretBox {
  return {
    seal(plaintext, context) {
      const { id, bytes: key } = keyring.sealing;
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(context));
      const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${boxPrefix}${id}.${Buffer.from(iv).toString('base64url')}.${sealed.toString('base64url')}`;
    },

    open(box, context) {
      const [version, keyId = '', iv = '', sealed = ''] = box.split('.');
      if (version !== 'v1') throw new Error('the secret box has an unknown format');
      const key = keyring.find(keyId);
      if (key === undefined)
        throw new Error(`the secret box was sealed with key ${keyId}, which isn't in the keyring`);
      const bytes = Buffer.from(sealed, 'base64url');
      const cut = bytes.length - tagBytes;
      if (cut < 0) throw new Error('the secret box is cut off');
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(iv, 'base64url'), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(cut));
      return Buffer.concat([decipher.update(bytes.subarray(0, cut)), decipher.final()]).toString('utf8');
    },
  };
}

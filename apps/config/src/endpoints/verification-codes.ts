import { createHmac, timingSafeEqual } from 'node:crypto';
import { isId } from '@posthorn/models';
import type { EncryptionKey, Keyring } from '../secrets/keyring.ts';

/** One round of an endpoint's verification. */
export interface VerificationRound {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly verificationId: string;
}

/**
 * The one-time codes of verification callbacks. A code says which round it is for and carries a MAC over that (HMAC-SHA256, 128 bits
 * of it), under a key that is derived from the encryption key: nothing is stored, nobody else can make one, and a new round has a new
 * one. Whether the round is still open, and its time, is for the endpoint to tell.
 */
export interface VerificationCodes {
  codeFor(round: VerificationRound): string;
  /** The round that the code was made for; null when it isn't one of ours. */
  read(code: string): VerificationRound | null;
}

const idBytes = 16;
const macBytes = 16;
const codeBytes = 3 * idBytes + macBytes;

/** The sealing key makes codes, all read them: a code is good while its key is in the keyring. */
export function createVerificationCodes(keyring: Keyring): VerificationCodes {
  const macKeys = new WeakMap<EncryptionKey, Buffer>();
  function macKeyOf(key: EncryptionKey): Buffer {
    let derived = macKeys.get(key);
    if (derived === undefined) {
      derived = createHmac('sha256', key.bytes).update('posthorn verification callback').digest();
      macKeys.set(key, derived);
    }
    return derived;
  }
  const mac = (key: Uint8Array, ids: Uint8Array): Buffer =>
    createHmac('sha256', key).update(ids).digest().subarray(0, macBytes);

  return {
    codeFor({ organisationId, endpointId, verificationId }) {
      const ids = Buffer.concat([organisationId, endpointId, verificationId].map(bytesOfId));
      return Buffer.concat([ids, mac(macKeyOf(keyring.sealing), ids)]).toString('base64url');
    },

    read(code) {
      const bytes = Buffer.from(code, 'base64url');
      if (bytes.length !== codeBytes || bytes.toString('base64url') !== code) return null;
      const ids = bytes.subarray(0, 3 * idBytes);
      const claimed = bytes.subarray(3 * idBytes);
      if (!keyring.keys.some((key) => timingSafeEqual(mac(macKeyOf(key), ids), claimed))) return null;
      const idAt = (index: number): string => idOfBytes(ids.subarray(index * idBytes, (index + 1) * idBytes));
      return { organisationId: idAt(0), endpointId: idAt(1), verificationId: idAt(2) };
    },
  };
}

function bytesOfId(id: string): Buffer {
  if (!isId(id)) throw new TypeError(`"${id}" is no id`);
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

function idOfBytes(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

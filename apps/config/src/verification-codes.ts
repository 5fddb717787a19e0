import { createHmac, timingSafeEqual } from 'node:crypto';
import { isId } from '@posthorn/models';

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

/** @param keys the deployment's encryption keys: the first makes codes, all read them, so that keys can be rotated */
export function createVerificationCodes(keys: readonly Uint8Array[]): VerificationCodes {
  const macKeys = keys.map((key) =>
    createHmac('sha256', key).update('posthorn verification callback').digest(),
  );
  const [newest] = macKeys;
  if (newest === undefined) throw new RangeError('verification codes need a key');
  const mac = (key: Uint8Array, ids: Uint8Array): Buffer =>
    createHmac('sha256', key).update(ids).digest().subarray(0, macBytes);

  return {
    codeFor({ organisationId, endpointId, verificationId }) {
      const ids = Buffer.concat([organisationId, endpointId, verificationId].map(bytesOfId));
      return Buffer.concat([ids, mac(newest, ids)]).toString('base64url');
    },

    read(code) {
      const bytes = Buffer.from(code, 'base64url');
      if (bytes.length !== codeBytes || bytes.toString('base64url') !== code) return null;
      const ids = bytes.subarray(0, 3 * idBytes);
      const claimed = bytes.subarray(3 * idBytes);
      if (!macKeys.some((key) => timingSafeEqual(mac(key, ids), claimed))) return null;
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

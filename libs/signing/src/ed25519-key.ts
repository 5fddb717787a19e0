import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/**
 * Node takes ed25519 keys in DER only. Both wrappings have a fixed prefix before the 32 bytes of the key
 * (RFC 8410 section 7, PKCS #8, and section 4, SubjectPublicKeyInfo).
 */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Bytes of an ed25519 seed, and of a public key. */
export const ed25519KeyBytes = 32;

/** A private key of its 32-byte seed; of a 64-byte `seed ‖ public key` the seed is taken. */
export function ed25519PrivateKey(bytes: Uint8Array): KeyObject {
  const seed = bytes.subarray(0, ed25519KeyBytes);
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' });
}

/** A public key of its 32 bytes. */
export function ed25519PublicKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: 'der', type: 'spki' });
}

/** The 32 bytes of the public key that belongs to a seed. */
export function ed25519PublicBytes(seed: Uint8Array): Buffer {
  const der = createPublicKey(ed25519PrivateKey(seed)).export({ format: 'der', type: 'spki' });
  return der.subarray(publicPrefix.length);
}

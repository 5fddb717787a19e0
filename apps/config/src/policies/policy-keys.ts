import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { checkPolicySecret, DomainError, type Policy, type PolicyKeyType } from '@posthorn/models';
import type { StoredPolicy } from './policy-store.ts';
import type { SecretBox } from '../secrets/secret-box.ts';

/** What a policy signs with, and what its receivers verify with. */
export interface PolicyKey {
  /** A private key as PKCS #8 PEM, or the shared secret whose UTF-8 bytes are the key; null for `none`. */
  readonly key: string | null;
  /** SPKI as PEM; null for shared secrets and for `none`. */
  readonly publicKeyPem: string | null;
}

/** Of RSA keys that we make; those that owners bring may have more. */
const rsaBits = 2048;
/** Signing grows with the cube of the length. */
const maxRsaBits = 4096;
const sharedSecretBytes = 64;

/** Curves by their names in OpenSSL, which are those of RFC 5480. */
const curves = { 'p-256': 'prime256v1', 'p-384': 'secp384r1', 'p-521': 'secp521r1' } as const;

const newKeyPair = promisify(generateKeyPair);

/** A new key of that type. RSA keys take a while; they are made outside the loop. */
export async function generatePolicyKey(
  type: PolicyKeyType,
  randomBytes: (count: number) => Uint8Array,
): Promise<PolicyKey> {
  switch (type) {
    case 'none':
      return { key: null, publicKeyPem: null };
    case 'secret':
      return { key: Buffer.from(randomBytes(sharedSecretBytes)).toString('base64url'), publicKeyPem: null };
    case 'rsa':
      return keyOf((await newKeyPair('rsa', { modulusLength: rsaBits })).privateKey);
    case 'p-256':
    case 'p-384':
    case 'p-521':
      return keyOf((await newKeyPair('ec', { namedCurve: curves[type] })).privateKey);
  }
}

/**
 * The key that an owner brings along.
 *
 * @throws DomainError `invalid_argument` at `/key`. The message never repeats the key.
 */
export function readPolicyKey(type: PolicyKeyType, given: string): PolicyKey {
  switch (type) {
    case 'none':
      throw refused('not_offered', 'The algorithm none signs with no key.');
    case 'secret': {
      const violations = checkPolicySecret(given);
      if (violations.length > 0) throw DomainError.invalid(violations);
      return { key: given, publicKeyPem: null };
    }
    case 'rsa':
    case 'p-256':
    case 'p-384':
    case 'p-521':
      return keyOf(requireType(type, parsePrivateKey(given)));
  }
}

function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw refused('invalid_format', 'A private key is wanted as PEM, without a passphrase.');
  }
}

function requireType(type: keyof typeof curves | 'rsa', key: KeyObject): KeyObject {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (type !== 'rsa') {
    if (key.asymmetricKeyType === 'ec' && namedCurve === curves[type]) return key;
    throw refused('invalid_value', `A private key on the curve ${type.toUpperCase()} is wanted.`);
  }
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= rsaBits && modulusLength <= maxRsaBits) return key;
  throw refused('invalid_value', `A private RSA key of ${rsaBits} to ${maxRsaBits} bits is wanted.`);
}

function keyOf(privateKey: KeyObject): PolicyKey {
  return {
    key: pemOf(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKeyPem: pemOf(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })),
  };
}

function pemOf(exported: string | Buffer): string {
  return exported.toString();
}

function refused(code: string, message: string): DomainError {
  return DomainError.invalid([{ field: '/key', code, message }]);
}

type Owner = Pick<Policy, 'id' | 'organisationId'>;

/** Seals and opens the keys of policies. A box is bound to its policy and the organisation. */
export interface PolicyVault {
  seal(owner: Owner, key: string | null): string;
  open(stored: StoredPolicy): string | null;
}

export function createPolicyVault(box: SecretBox): PolicyVault {
  const contextOf = ({ organisationId, id }: Owner): string => `policy/${organisationId}/${id}`;
  return {
    seal: (owner, key) => box.seal(JSON.stringify({ key }), contextOf(owner)),
    open: ({ policy, sealed }) =>
      (JSON.parse(box.open(sealed, contextOf(policy))) as { readonly key: string | null }).key,
  };
}

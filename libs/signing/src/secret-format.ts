/**
 * The text forms of signing secrets, by Standard Webhooks: base64 behind a prefix that says what it is. `whsec_` is a
 * shared secret of 24 to 64 bytes, `whsk_` an ed25519 private key (its 32-byte seed, or seed and public key, 64 bytes),
 * `whpk_` an ed25519 public key. Padding may be left out; anything else that decoders disagree on (white space, the
 * URL-safe alphabet, stray bits behind the last byte) is refused, because the receiver decodes the same text with a
 * library that we don't know.
 */
import { DomainError, type SignatureScheme, type Violation } from '@posthorn/models';
import { ed25519KeyBytes, ed25519PublicBytes } from './ed25519-key.ts';

/** What a secret's prefix says that it is. */
export const secretKinds = ['whsec', 'whsk', 'whpk'] as const;
export type SecretKind = (typeof secretKinds)[number];

/** The kind of secret that signs for a scheme. */
export const signingSecretKind = { v1: 'whsec', v1a: 'whsk' } as const satisfies Record<
  SignatureScheme,
  SecretKind
>;

/** Fewest and most bytes of a `whsec_` secret. */
export const minSecretBytes = 24;
export const maxSecretBytes = 64;

/** Bytes of a `whsec_` secret that we generate. */
const generatedSecretBytes = 32;

/** A secret with its prefix read and its base64 decoded. */
export interface DecodedSecret {
  readonly kind: SecretKind;
  readonly bytes: Buffer;
}

/**
 * A new secret for a scheme: `whsec_` of 32 random bytes, or `whsk_` of a random ed25519 seed.
 *
 * @param randomBytes gives that many bytes of a cryptographic random source.
 */
export function generateSecret(scheme: SignatureScheme, randomBytes: (count: number) => Uint8Array): string {
  const count = scheme === 'v1' ? generatedSecretBytes : ed25519KeyBytes;
  return encodeSecret(signingSecretKind[scheme], randomBytes(count));
}

/** Every reason why the text can't be a secret that signs for the scheme; none when it can. */
export function checkSecret(text: string, scheme: SignatureScheme, field = '/secret'): Violation[] {
  const problem = readSecret(text, signingSecretKind[scheme]).problem;
  return problem === null ? [] : [{ field, ...problem }];
}

/**
 * Reads a secret of one of the expected kinds.
 *
 * @throws DomainError `invalid_argument`. The message never repeats the secret.
 */
export function decodeSecret(text: string, ...expected: readonly SecretKind[]): DecodedSecret {
  const { problem, decoded } = readSecret(text, ...expected);
  if (decoded === null) throw DomainError.invalid([{ field: '/secret', ...problem }]);
  return decoded;
}

/** The `whpk_` text of the public key that belongs to a `whsk_` private key. */
export function publicKeyOf(privateKey: string): string {
  return encodeSecret('whpk', ed25519PublicBytes(decodeSecret(privateKey, 'whsk').bytes));
}

/** The public key of a `whsk_` private key as a JWK (RFC 8037), for `/.well-known/jwks.json`. */
export function publicJwkOf(privateKey: string): { kty: 'OKP'; crv: 'Ed25519'; x: string } {
  const x = ed25519PublicBytes(decodeSecret(privateKey, 'whsk').bytes).toString('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x };
}

function encodeSecret(kind: SecretKind, bytes: Uint8Array): string {
  return `${kind}_${Buffer.from(bytes).toString('base64')}`;
}

type Problem = Pick<Violation, 'code' | 'message'>;
type Reading = { problem: null; decoded: DecodedSecret } | { problem: Problem; decoded: null };

function readSecret(text: string, ...expected: readonly SecretKind[]): Reading {
  const kind = expected.find((candidate) => text.startsWith(`${candidate}_`));
  if (kind === undefined) {
    const prefixes = expected.map((candidate) => `${candidate}_`).join(' or ');
    return refused('invalid_prefix', `This must begin with ${prefixes}.`);
  }
  const encoded = text.slice(kind.length + 1);
  const bytes = Buffer.from(encoded, 'base64');
  const canonical = bytes.toString('base64');
  if (encoded !== canonical && encoded !== canonical.replace(/=+$/, '')) {
    return refused('invalid_base64', `This must be base64 after ${kind}_.`);
  }
  return checkLength(kind, bytes) ?? { problem: null, decoded: { kind, bytes } };
}

function checkLength(kind: SecretKind, bytes: Buffer): Reading | null {
  switch (kind) {
    case 'whsec':
      if (bytes.length >= minSecretBytes && bytes.length <= maxSecretBytes) return null;
      return refused(
        'invalid_length',
        `This must be ${minSecretBytes} to ${maxSecretBytes} bytes long when decoded.`,
      );
    case 'whpk':
      if (bytes.length === ed25519KeyBytes) return null;
      return refused('invalid_length', `This must be ${ed25519KeyBytes} bytes long when decoded.`);
    case 'whsk':
      if (bytes.length === ed25519KeyBytes) return null;
      if (bytes.length !== 2 * ed25519KeyBytes) {
        return refused(
          'invalid_length',
          'This must be a seed of 32 bytes, or 64 bytes of seed and public key.',
        );
      }
      if (bytes.subarray(ed25519KeyBytes).equals(ed25519PublicBytes(bytes))) return null;
      return refused('key_mismatch', 'Its second half must be the public key of its first half.');
  }
}

function refused(code: string, message: string): Reading {
  return { problem: { code, message }, decoded: null };
}

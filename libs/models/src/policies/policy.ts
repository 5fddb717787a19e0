/**
 * How webhooks are signed as JSON Web Tokens (RFC 7519): which algorithm, for whom and for how long. Endpoints of the dialect xurrent name
 * one. The type of its key never changes, because no answer could show the new one.
 */
export interface Policy {
  readonly id: string;
  /** A per-deployment counter. */
  readonly number: number;
  readonly organisationId: string;
  /** Unique in the deployment, 56 hex characters when generated: the key id (`kid`) of what it signs. */
  readonly name: string;
  readonly algorithm: PolicyAlgorithm;
  /** The claim `aud`. */
  readonly audience: string | null;
  /** Tokens expire so many minutes after they were made; null: never. */
  readonly expiresInMinutes: number | null;
  /** SPKI as PEM; null for shared secrets and for `none`. */
  readonly publicKeyPem: string | null;
  /** No endpoint can be tied to it any more; those that are tied already go on. */
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** JWS algorithms (RFC 7518, section 3.1), in lower case. */
export const policyAlgorithms = [
  'none',
  'hs256',
  'hs384',
  'hs512',
  'rs256',
  'rs384',
  'rs512',
  'es256',
  'es384',
  'es512',
] as const;
export type PolicyAlgorithm = (typeof policyAlgorithms)[number];

/** What an algorithm signs with. The curves of ECDSA are three types: a key of one is of no use to the others. */
export type PolicyKeyType = 'none' | 'secret' | 'rsa' | 'p-256' | 'p-384' | 'p-521';

/** The type of key that an algorithm needs. */
export const policyKeyTypes = {
  none: 'none',
  hs256: 'secret',
  hs384: 'secret',
  hs512: 'secret',
  rs256: 'rsa',
  rs384: 'rsa',
  rs512: 'rsa',
  es256: 'p-256',
  es384: 'p-384',
  es512: 'p-521',
} as const satisfies Record<PolicyAlgorithm, PolicyKeyType>;

/** A policy as the dispatcher needs it: with the key that it signs with. */
export interface SigningPolicy {
  readonly policy: Policy;
  /** A private key as PKCS #8 PEM, or the shared secret whose UTF-8 bytes are the key; null for `none`. */
  readonly key: string | null;
}

/** What an owner may write of a policy. */
export type PolicySettings = Pick<Policy, 'algorithm' | 'audience' | 'expiresInMinutes' | 'disabled'>;

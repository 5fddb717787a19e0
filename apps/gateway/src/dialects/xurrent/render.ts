/** Policies as xurrent shows them. */
import type { Policy } from '@posthorn/models';
import type { Zone } from './zone.ts';

/** The fields of a policy, in the order in which they are shown. */
export const policyFields = [
  'id',
  'name',
  'disabled',
  'created_at',
  'updated_at',
  'jwt_alg',
  'jwt_audience',
  'jwt_claim_expires_in',
] as const;
export type PolicyField = (typeof policyFields)[number];

/** What a collection shows where nothing else is asked for. */
export const collectionFields = ['id', 'name', 'created_at', 'updated_at'] as const;

export interface XurrentPolicy {
  readonly id: number;
  readonly name: string;
  readonly disabled: boolean;
  readonly created_at: string;
  readonly updated_at: string;
  readonly jwt_alg: string;
  readonly jwt_audience: string | null;
  /** Minutes. */
  readonly jwt_claim_expires_in: number | null;
}

/** A policy with the key that verifies what it signs: shown when it is made, and never again. */
export interface NewXurrentPolicy extends XurrentPolicy {
  readonly public_key_pem: string | null;
}

/** A single policy: every field, nulls included. */
export function renderPolicy(policy: Policy, zone: Zone): XurrentPolicy {
  return {
    id: policy.number,
    name: policy.name,
    disabled: policy.disabled,
    created_at: zone.format(policy.createdAt),
    updated_at: zone.format(policy.updatedAt),
    jwt_alg: policy.algorithm,
    jwt_audience: policy.audience,
    jwt_claim_expires_in: policy.expiresInMinutes,
  };
}

/** The answer to a create; of an algorithm with a shared secret, the key is that secret. */
export function renderNewPolicy(policy: Policy, sharedSecret: string | null, zone: Zone): NewXurrentPolicy {
  return { ...renderPolicy(policy, zone), public_key_pem: sharedSecret ?? policy.publicKeyPem };
}

/** A policy in a collection: the fields that are asked for, in their order. */
export function renderFields(
  policy: Policy,
  fields: readonly PolicyField[],
  zone: Zone,
): Partial<XurrentPolicy> {
  const whole = renderPolicy(policy, zone);
  return Object.fromEntries(fields.map((field) => [field, whole[field]]));
}

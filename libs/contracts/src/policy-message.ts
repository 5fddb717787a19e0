import type { Policy, PolicyAlgorithm, SigningPolicy } from '@posthorn/models';
import * as configV1 from './config-v1.ts';
import { createEnumTable } from './enum-table.ts';
import { required } from './required.ts';

/** A policy's `algorithm` and its enum. */
export const policyAlgorithmTable = createEnumTable({
  none: configV1.PolicyAlgorithm.POLICY_ALGORITHM_NONE,
  hs256: configV1.PolicyAlgorithm.POLICY_ALGORITHM_HS256,
  hs384: configV1.PolicyAlgorithm.POLICY_ALGORITHM_HS384,
  hs512: configV1.PolicyAlgorithm.POLICY_ALGORITHM_HS512,
  rs256: configV1.PolicyAlgorithm.POLICY_ALGORITHM_RS256,
  rs384: configV1.PolicyAlgorithm.POLICY_ALGORITHM_RS384,
  rs512: configV1.PolicyAlgorithm.POLICY_ALGORITHM_RS512,
  es256: configV1.PolicyAlgorithm.POLICY_ALGORITHM_ES256,
  es384: configV1.PolicyAlgorithm.POLICY_ALGORITHM_ES384,
  es512: configV1.PolicyAlgorithm.POLICY_ALGORITHM_ES512,
} satisfies Record<PolicyAlgorithm, configV1.PolicyAlgorithm>);

/** The policy as a message. */
export function policyToMessage(policy: Policy): configV1.Policy {
  return {
    id: policy.id,
    number: BigInt(policy.number),
    organisationId: policy.organisationId,
    name: policy.name,
    algorithm: policyAlgorithmTable.toMessage(policy.algorithm),
    audience: policy.audience ?? undefined,
    expiresInMinutes: policy.expiresInMinutes ?? undefined,
    publicKeyPem: policy.publicKeyPem ?? undefined,
    disabled: policy.disabled,
    createdAt: policy.createdAt,
    updatedAt: policy.updatedAt,
  };
}

/** The policy of a message that shows a stored one. Throws `invalid_argument` when something is unspecified. */
export function policyFromMessage(message: configV1.Policy): Policy {
  return {
    id: message.id,
    number: Number(message.number),
    organisationId: message.organisationId,
    name: message.name,
    algorithm: policyAlgorithmTable.fromMessage(message.algorithm, '/algorithm'),
    audience: message.audience ?? null,
    expiresInMinutes: message.expiresInMinutes ?? null,
    publicKeyPem: message.publicKeyPem ?? null,
    disabled: message.disabled,
    createdAt: required(message.createdAt, '/createdAt'),
    updatedAt: required(message.updatedAt, '/updatedAt'),
  };
}

/** A policy with its key as a message: for services only, never for a tenant. */
export function signingPolicyToMessage({ policy, key }: SigningPolicy): configV1.SigningPolicy {
  return { policy: policyToMessage(policy), key: key ?? undefined };
}

/** A policy with its key of a message. Throws `invalid_argument` when something is unspecified. */
export function signingPolicyFromMessage(message: configV1.SigningPolicy): SigningPolicy {
  return { policy: policyFromMessage(required(message.policy, '/policy')), key: message.key ?? null };
}

/** A signing policy as the API takes and shows it. */
import { policyFromMessage, type configV1 } from '@posthorn/contracts';
import {
  policyAlgorithms,
  policyLimits as limits,
  type Policy,
  type PolicyAlgorithm,
} from '@posthorn/models';
import { described, id, time } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition } from '../routing/schema.ts';

export interface PolicyView extends Omit<Policy, 'organisationId'> {
  /** The id of its organisation. */
  readonly organisation: string;
}

export interface PolicyChanges {
  readonly algorithm?: PolicyAlgorithm;
  readonly audience?: string | null;
  readonly expiresInMinutes?: number | null;
  readonly disabled?: boolean;
}

export interface NewPolicy extends PolicyChanges {
  readonly algorithm: PolicyAlgorithm;
  readonly organisation?: string;
  readonly name?: string;
  readonly key?: string;
}

const algorithm: Definition = { type: 'string', enum: policyAlgorithms };
const audience: Definition = { type: ['string', 'null'], minLength: 1, maxLength: limits.audienceBytes };
const expiresInMinutes: Definition = {
  type: ['integer', 'null'],
  minimum: limits.minExpiresInMinutes,
  maximum: limits.maxExpiresInMinutes,
};

const changes = {
  algorithm: described(
    algorithm,
    'How tokens are signed. Its type of key stays what it is from creation on.',
  ),
  audience: described(audience, 'The claim `aud`; null: none.'),
  expiresInMinutes: described(
    expiresInMinutes,
    'After how many minutes a token ends to be valid (`exp`); null: never.',
  ),
  disabled: {
    type: 'boolean',
    description: 'No endpoint can be tied to it any more; those that are tied already go on.',
  },
} satisfies Record<keyof PolicyChanges, Definition>;

export const newPolicySchema = requestSchema<NewPolicy>('NewPolicy', {
  properties: {
    ...changes,
    organisation: {
      type: 'string',
      description:
        'The organisation that it is for, by id or slug, where an operator makes it and the header names none.',
    },
    name: {
      type: 'string',
      pattern: limits.namePattern,
      description:
        'For a policy that comes from elsewhere: its receivers find the key by this `kid`. Made by us when left out.',
    },
    key: {
      type: 'string',
      minLength: 1,
      maxLength: 16_384,
      description:
        'Your own private key as PEM (RSA of 2048 to 4096 bits, or on the curve of the algorithm), or a shared secret of 64 characters or more. Made by us when left out.',
    },
  },
  required: ['algorithm'],
});

export const policyChangesSchema = requestSchema<PolicyChanges>('PolicyChanges', {
  description: 'A merge patch (RFC 7396) over the top-level fields.',
  properties: changes,
});

const properties = {
  id,
  number: { type: 'integer', description: 'A counter of the deployment, for systems that need an integer.' },
  organisation: { type: 'string', description: 'The id of its organisation.' },
  name: { type: 'string', description: 'The key id (`kid`) of the tokens that it signs.' },
  algorithm,
  audience: { type: ['string', 'null'] },
  expiresInMinutes: { type: ['integer', 'null'] },
  publicKeyPem: {
    type: ['string', 'null'],
    description: 'SPKI as PEM; null where a secret is shared, and for `none`.',
  },
  disabled: { type: 'boolean' },
  createdAt: time,
  updatedAt: time,
} as const satisfies Record<keyof PolicyView, Definition>;

export const policySchema = answerSchema<PolicyView>('Policy', {
  description: 'How webhooks are signed as JSON Web Tokens.',
  properties,
});

export const createdPolicySchema = answerSchema<PolicyView & { readonly sharedSecret?: string }>(
  'CreatedPolicy',
  {
    properties: {
      ...properties,
      sharedSecret: {
        type: 'string',
        description:
          'Of an algorithm of the HMAC family, shown this once; left out when the answer is repeated for an Idempotency-Key.',
      },
    },
    optional: ['sharedSecret'],
  },
);

export const policyPageSchema = pageSchema(policySchema);

export function policyView(message: configV1.Policy): PolicyView {
  const { id, number, organisationId, ...rest } = policyFromMessage(message);
  return { id, number, organisation: organisationId, ...rest };
}

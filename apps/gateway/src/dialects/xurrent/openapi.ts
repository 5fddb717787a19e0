/** xurrent's resources and parameters for the reference; what is answered in the tests is held to these schemas. */
import { policyAlgorithms } from '@posthorn/models';
import type { AnswerDescription } from '../../native/routing/route.ts';
import { answerSchema, Schema, type Definition, type PropertiesOf } from '../../native/routing/schema.ts';
import type { ParameterDescription } from '../dialect.ts';
import type { NewXurrentPolicy, XurrentPolicy } from './render.ts';

const time: Definition = {
  type: 'string',
  format: 'date-time',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d$',
  examples: ['2015-09-10T12:15:16-05:00'],
};

const properties: PropertiesOf<XurrentPolicy> = {
  id: { type: 'integer' },
  name: { type: 'string', maxLength: 64 },
  disabled: { type: 'boolean', description: 'It can no longer be tied to endpoints.' },
  created_at: time,
  updated_at: time,
  jwt_alg: { type: 'string', enum: policyAlgorithms },
  jwt_audience: { type: ['string', 'null'], maxLength: 2_048 },
  jwt_claim_expires_in: { type: ['integer', 'null'], minimum: 1, description: 'Minutes.' },
};

export const policySchema = answerSchema<XurrentPolicy>('XurrentWebhookPolicy', {
  description: 'How webhooks are signed.',
  properties,
});

export const newPolicySchema = answerSchema<NewXurrentPolicy>('XurrentNewWebhookPolicy', {
  description: 'A policy that was made just now, with the key that verifies what it signs.',
  properties: {
    ...properties,
    public_key_pem: {
      type: ['string', 'null'],
      maxLength: 2_048,
      description: 'The public key as PEM; for hs256, hs384 and hs512 the shared secret; null for none.',
    },
  },
});

/** A policy in a collection has the fields that are asked for. */
export const policyListSchema = new Schema<unknown>('XurrentWebhookPolicies', {
  type: 'array',
  items: { type: 'object', properties: { ...properties }, required: ['id'] },
});

export const policyBodySchema = new Schema<unknown>('XurrentWebhookPolicyBody', {
  type: 'object',
  properties: {
    jwt_alg: { type: 'string', enum: policyAlgorithms, description: 'Required when it is made.' },
    jwt_audience: { type: ['string', 'null'] },
    jwt_claim_expires_in: {
      type: ['integer', 'string', 'null'],
      description: 'Minutes, or `hh:mm`.',
    },
    disabled: { type: ['boolean', 'string', 'number', 'null'] },
  },
  additionalProperties: true,
});

const filterOf = (name: string, description: string): readonly [string, ParameterDescription] => [
  name,
  { description, schema: { type: 'string' } },
];

export const listParameters: Readonly<Record<string, ParameterDescription>> = {
  fields: { description: 'Fields to show beside the id, separated by commas.', schema: { type: 'string' } },
  sort: {
    description: '`created_at`, `updated_at`, each with `-` for descending, separated by commas.',
    schema: { type: 'string', default: 'created_at' },
  },
  per_page: {
    description: 'How many to answer with; more than 100 is 100.',
    schema: { type: 'integer', minimum: 1, default: 20 },
  },
  search_after: { description: 'A cursor, as links have it.', schema: { type: 'string' } },
  search_before: { description: 'A cursor, as links have it.', schema: { type: 'string' } },
  ...Object.fromEntries([
    filterOf('id', 'Equal, in (`1,2`), not (`!1`), or compared (`>5`, `>=5<=9`).'),
    filterOf('ids', 'The same as `id`.'),
    filterOf('name', 'Equal or not (`!abc`), in any case.'),
    filterOf('created_at', 'Equal, not, or compared (`>=2015-09-10T12:15:16-05:00`).'),
    filterOf('updated_at', 'Equal, not, or compared.'),
    filterOf('disabled', 'Equal or not; `1`, `T`, `Y`, `TRUE`, `YES` and `ON` are true.'),
  ]),
};

export const stateParameter: ParameterDescription = {
  description: 'The same as the path below this one.',
  schema: { type: 'string', enum: ['enabled', 'disabled'] },
};

const number: Definition = { type: 'integer', minimum: 0 };

export const pageHeaders: NonNullable<AnswerDescription<unknown>['headers']> = {
  'X-Pagination-Per-Page': { description: 'How many a page has.', schema: number },
  'X-Pagination-Current-Page': { description: 'Which page this is, from 1.', schema: number },
  'X-Pagination-Total-Pages': { description: 'How many pages there are.', schema: number },
  'X-Pagination-Total-Entries': { description: 'How many policies there are.', schema: number },
  Link: {
    description: 'The pages `first`, `prev` and `next`, where there are any.',
    schema: { type: 'string' },
  },
};

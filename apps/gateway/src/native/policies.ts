import { configV1, fieldMaskToMessage, policyAlgorithmTable } from '@posthorn/contracts';
import { checkPolicy, type Violation } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { defineRoute, type Route } from './routing/route.ts';
import {
  createdPolicySchema,
  newPolicySchema,
  policyChangesSchema,
  policyPageSchema,
  policySchema,
  policyView,
  type NewPolicy,
  type PolicyChanges,
} from './schemas/policy.ts';

const params = { id: { description: 'The id or the number of the policy.' } };

/** Signing policies: how endpoints of the dialect xurrent are signed. There is nothing to delete: disabling retires one. */
export function policyRoutes({ policies }: Pick<GatewayClients, 'policies'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/policies',
      operationId: 'listPolicies',
      summary: 'List policies',
      tag: 'Policies',
      scope: 'endpoints:read',
      organisation: 'required',
      query: pageParameters,
      answers: { 200: { description: 'The policies, newest first.', schema: policyPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await policies.listPolicies({ organisationId, ...pageRequest(query) }, rpc);
        return { status: 200, body: page(list.policies, list.nextCursor, policyView) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/policies',
      operationId: 'createPolicy',
      summary: 'Create a policy',
      description:
        'Its key is made with it, or taken from you. A shared secret is in this answer only; the public key of a pair can be read at any time.',
      tag: 'Policies',
      scope: 'endpoints:write',
      organisation: 'required',
      body: {
        schema: newPolicySchema,
        check: (body) => check(body),
        examples: {
          rsa: {
            summary: 'RSA, tokens that are good for five minutes',
            value: { algorithm: 'rs256', expiresInMinutes: 5 },
          },
        },
      },
      idempotency: { redact: withoutSecret },
      answers: { 201: { description: 'It is created.', schema: createdPolicySchema } },
      errors: ['already_exists'],
      async handle({ body, organisationId, rpc }) {
        const { organisation: _, name, key, ...settings } = body;
        const created = await policies.createPolicy(
          { policy: toMessage(settings, organisationId, name), key },
          rpc,
        );
        const { sharedSecret } = created;
        return {
          status: 201,
          body: { ...policyView(found(created.policy)), ...(sharedSecret !== undefined && { sharedSecret }) },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/policies/{id}',
      operationId: 'getPolicy',
      summary: 'Read a policy',
      tag: 'Policies',
      scope: 'endpoints:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The policy.', schema: policySchema } },
      async handle({ params: { id: idOrNumber }, organisationId, rpc }) {
        const { policy } = await policies.getPolicy({ organisationId, idOrNumber }, rpc);
        return { status: 200, body: policyView(found(policy)) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/policies/{id}',
      operationId: 'updatePolicy',
      summary: 'Change a policy',
      description: 'What is sent from now on is signed by it as it is then.',
      tag: 'Policies',
      scope: 'endpoints:write',
      organisation: 'required',
      params,
      body: {
        schema: policyChangesSchema,
        check: (body) => check(body),
        examples: { retire: { summary: 'Tie no more endpoints to it', value: { disabled: true } } },
      },
      answers: { 200: { description: 'It is changed.', schema: policySchema } },
      async handle({ params: { id: idOrNumber }, body, organisationId, rpc }) {
        const { policy } = await policies.updatePolicy(
          {
            organisationId,
            idOrNumber,
            policy: toMessage(body, organisationId),
            updateMask: fieldMaskToMessage(Object.keys(body)),
          },
          rpc,
        );
        return { status: 200, body: policyView(found(policy)) };
      },
    }),
  ];
}

/** Whether a key is good for its algorithm is for config to say. */
function check({ organisation: _, key: __, ...settings }: Partial<NewPolicy>): readonly Violation[] {
  return checkPolicy(settings);
}

function toMessage(settings: PolicyChanges, organisationId: string, name = ''): configV1.Policy {
  const { algorithm, audience, expiresInMinutes, disabled } = settings;
  return configV1.Policy.fromPartial({
    organisationId,
    name,
    algorithm: algorithm === undefined ? 0 : policyAlgorithmTable.toMessage(algorithm),
    audience: audience ?? undefined,
    expiresInMinutes: expiresInMinutes ?? undefined,
    disabled: disabled ?? false,
  });
}

function withoutSecret(body: unknown): unknown {
  const { sharedSecret: _, ...rest } = body as { readonly sharedSecret?: string };
  return rest;
}

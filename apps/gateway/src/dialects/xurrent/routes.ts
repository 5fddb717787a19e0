/** xurrent's routes: policies, and the two predefined filters on them. Policies can't be deleted. */
import { createHash } from 'node:crypto';
import { configV1, policyAlgorithmTable, policyFromMessage } from '@posthorn/contracts';
import { DomainError, type Policy } from '@posthorn/models';
import { isNoneMatch } from '../../native/routing/etag.ts';
import type { Answer, AnswerDescription } from '../../native/routing/route.ts';
import { defineDialectRoute, type DialectCall, type DialectDeps, type DialectRoute } from '../dialect.ts';
import { parseFilter, type PolicyFilter } from './filter.ts';
import {
  listParameters,
  newPolicySchema,
  pageHeaders,
  policyBodySchema,
  policyListSchema,
  policySchema,
  stateParameter,
} from './openapi.ts';
import { pageOf } from './paging.ts';
import {
  badParameter,
  parseFieldList,
  parseNewPolicy,
  parsePolicyChanges,
  parseSort,
  type PolicyChanges,
} from './parse.ts';
import { createPolicyReader } from './policy-reader.ts';
import { renderFields, renderNewPolicy, renderPolicy } from './render.ts';
import { zoneOf, type Zone } from './zone.ts';

const params = { id: { description: 'Its number.', schema: { type: 'string' } } } as const;
const etag = { ETag: { description: 'For `If-None-Match`.', schema: { type: 'string' } } } as const;
const unchanged: AnswerDescription<unknown> = { description: 'It is still what you have.', headers: etag };
const listed: Readonly<Record<number, AnswerDescription<unknown>>> = {
  200: { description: 'The policies.', schema: policyListSchema, headers: { ...pageHeaders, ...etag } },
  304: unchanged,
};

const isInState: Readonly<Record<string, PolicyFilter>> = {
  enabled: ({ disabled }) => !disabled,
  disabled: ({ disabled }) => disabled,
};

export function xurrentRoutes(deps: DialectDeps): readonly DialectRoute[] {
  const { clients, organisations } = deps;
  const reader = createPolicyReader(clients);

  async function zoneFor(organisationId: string): Promise<Zone> {
    return zoneOf((await organisations.read(organisationId)).timeZone);
  }

  async function list(call: DialectCall, filter: PolicyFilter): Promise<Answer> {
    // An operator who names no account has no zone of its own to write times in.
    const zone = call.organisationId === null ? zoneOf('UTC') : await zoneFor(call.organisationId);
    const fields = parseFieldList(call.query.last('fields'));
    const sort = parseSort(call.query.last('sort'));
    const matches = parseFilter(call.query, zone);
    const all = await reader.list(call);
    const wanted = all.filter((policy) => filter(policy) && matches(policy));
    const { items, headers } = pageOf(wanted, sort, { url: call.publicUrl + call.path, query: call.query });
    const body = await Promise.all(
      items.map(async (policy) => renderFields(policy, fields, await zoneFor(policy.organisationId))),
    );
    return unlessUnchanged({ status: 200, body, headers }, call);
  }

  async function update(id: string, call: DialectCall): Promise<Answer> {
    const { number, organisationId } = await reader.read(id, call);
    const changes = parsePolicyChanges(call.body);
    const { policy } = await clients.policies.updatePolicy(
      {
        organisationId,
        idOrNumber: String(number),
        policy: messageOf(changes, organisationId),
        updateMask: maskOf(changes),
      },
      call.rpc,
    );
    return { status: 200, body: renderPolicy(present(policy), await zoneFor(organisationId)) };
  }

  return [
    defineDialectRoute({
      method: 'get',
      path: '/webhook_policies',
      operationId: 'xurrentListPolicies',
      summary: 'List webhook policies',
      scopes: ['endpoints:read'],
      query: { ...listParameters, state: stateParameter },
      answers: listed,
      handle: (call) => list(call, stateFilter(call.query.last('state'))),
    }),
    ...(['enabled', 'disabled'] as const).map((state) =>
      defineDialectRoute({
        method: 'get',
        path: `/webhook_policies/${state}`,
        operationId: state === 'enabled' ? 'xurrentListEnabledPolicies' : 'xurrentListDisabledPolicies',
        summary: `List ${state} webhook policies`,
        scopes: ['endpoints:read'],
        query: listParameters,
        answers: listed,
        handle: (call) => list(call, stateFilter(state)),
      }),
    ),
    defineDialectRoute({
      method: 'post',
      path: '/webhook_policies',
      operationId: 'xurrentCreatePolicy',
      summary: 'Create a webhook policy',
      description: 'The only answer that shows `public_key_pem`.',
      scopes: ['endpoints:write'],
      body: {
        schema: policyBodySchema,
        examples: {
          rsa: { summary: 'Signed with RSA', value: { jwt_alg: 'rs256', jwt_claim_expires_in: 12 } },
        },
      },
      answers: { 201: { description: 'The policy, with its key.', schema: newPolicySchema } },
      async handle(call) {
        const settings = parseNewPolicy(call.body);
        const { organisationId } = call;
        if (organisationId === null)
          throw badParameter('account', 'An operator key names the account in the header X-Xurrent-Account');
        const { policy, sharedSecret } = await clients.policies.createPolicy(
          { policy: messageOf(settings, organisationId), key: undefined },
          call.rpc,
        );
        const zone = await zoneFor(organisationId);
        return { status: 201, body: renderNewPolicy(present(policy), sharedSecret ?? null, zone) };
      },
    }),
    defineDialectRoute({
      method: 'get',
      path: '/webhook_policies/{id}',
      operationId: 'xurrentReadPolicy',
      summary: 'Read a webhook policy',
      scopes: ['endpoints:read'],
      params,
      answers: { 200: { description: 'The policy.', schema: policySchema, headers: etag }, 304: unchanged },
      async handle(call) {
        const policy = await reader.read(call.params.id, call);
        const zone = await zoneFor(policy.organisationId);
        return unlessUnchanged({ status: 200, body: renderPolicy(policy, zone) }, call);
      },
    }),
    ...(['patch', 'put'] as const).map((method) =>
      defineDialectRoute({
        method,
        path: '/webhook_policies/{id}',
        operationId: method === 'patch' ? 'xurrentUpdatePolicy' : 'xurrentUpdatePolicyByPut',
        summary: 'Change a webhook policy',
        description: 'PUT means PATCH. The algorithm can only become one with the same type of key.',
        scopes: ['endpoints:write'],
        params,
        body: {
          schema: policyBodySchema,
          examples: { off: { summary: 'No longer to be used', value: { disabled: true } } },
        },
        answers: { 200: { description: 'The policy.', schema: policySchema } },
        handle: (call) => update(call.params.id, call),
      }),
    ),
  ];
}

function stateFilter(state: string | undefined): PolicyFilter {
  if (state === undefined || state === '') return () => true;
  const filter = Object.hasOwn(isInState, state) ? isInState[state] : undefined;
  if (filter === undefined) throw badParameter('state', `Unknown state: ${state.slice(0, 64)}`);
  return filter;
}

/** 304 where the caller has this very answer already, what is in its headers included. */
function unlessUnchanged(answer: Answer, call: DialectCall): Answer {
  const hash = createHash('sha256').update(JSON.stringify([answer.body, answer.headers ?? {}]));
  const tag = `"${hash.digest('base64url')}"`;
  // Kept by the caller, and asked about each time.
  const headers = { ...answer.headers, ETag: tag, 'Cache-Control': 'private, no-cache' };
  return isNoneMatch(call.header('if-none-match'), tag) ? { status: 304, headers } : { ...answer, headers };
}

function messageOf(changes: PolicyChanges, organisationId: string): configV1.Policy {
  const { algorithm, audience, expiresInMinutes, disabled } = changes;
  return configV1.Policy.fromPartial({
    organisationId,
    ...(algorithm !== undefined && { algorithm: policyAlgorithmTable.toMessage(algorithm) }),
    audience: audience ?? undefined,
    expiresInMinutes: expiresInMinutes ?? undefined,
    disabled: disabled ?? false,
  });
}

function maskOf(changes: PolicyChanges): string[] {
  const names = {
    algorithm: 'algorithm',
    audience: 'audience',
    expiresInMinutes: 'expires_in_minutes',
    disabled: 'disabled',
  } as const satisfies Record<keyof PolicyChanges, string>;
  return (Object.keys(names) as (keyof PolicyChanges)[])
    .filter((field) => changes[field] !== undefined)
    .map((field) => names[field]);
}

function present(policy: configV1.Policy | undefined): Policy {
  if (policy === undefined) throw new DomainError('internal', 'A policy is missing in an answer.');
  return policyFromMessage(policy);
}

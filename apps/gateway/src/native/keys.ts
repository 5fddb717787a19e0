import { fieldMaskToMessage, publishLimitsToMessage, type configV1 } from '@posthorn/contracts';
import { checkApiKey, DomainError, noPublishLimits, type Violation } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import { organisationHeader } from '../organisation-lookup.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { readTime } from './routing/rfc3339.ts';
import { defineRoute, type Call, type Route } from './routing/route.ts';
import {
  apiKeyChangesSchema,
  apiKeyPageSchema,
  apiKeySchema,
  apiKeyView,
  createdApiKeySchema,
  newApiKeySchema,
  type NewApiKey,
} from './schemas/api-key.ts';

const params = { id: { description: 'The id of the key.' } };

/** API keys: who may do what. An operator that names no organisation sees the keys of all, and operator keys. */
export function keyRoutes({ keys }: Pick<GatewayClients, 'keys'>, clock: Clock): readonly Route[] {
  const check = (input: Partial<NewApiKey>): readonly Violation[] =>
    checkApiKey(
      {
        ...(input.name !== undefined && { name: input.name }),
        ...(input.scopes !== undefined && { scopes: input.scopes }),
        ...(input.expiresAt !== undefined && { expiresAt: timeOf(input.expiresAt) }),
        ...(input.token !== undefined && { token: input.token }),
        ...(input.limits !== undefined && { limits: { ...noPublishLimits, ...input.limits } }),
      },
      new Date(clock.now()),
    );

  return [
    defineRoute({
      method: 'get',
      path: '/v1/keys',
      operationId: 'listKeys',
      summary: 'List API keys',
      description: 'An operator that names no organisation gets those of all, and the operator keys.',
      tag: 'API keys',
      scope: 'keys:read',
      organisation: 'optional',
      query: pageParameters,
      answers: { 200: { description: 'The keys, newest first.', schema: apiKeyPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await keys.listKeys(
          { organisationId: organisationId ?? undefined, ...pageRequest(query) },
          rpc,
        );
        return { status: 200, body: page(list.keys, list.nextCursor, apiKeyView) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/keys',
      operationId: 'createKey',
      summary: 'Create an API key',
      description: 'The answer is the only one that shows the token: we keep no more than its hash.',
      tag: 'API keys',
      scope: 'keys:write',
      organisation: 'optional',
      body: {
        schema: newApiKeySchema,
        check,
        examples: {
          feed: {
            summary: 'A key for a receiver that looks for what it missed',
            value: { name: 'Shop', scopes: ['feed:read'], endpoint: 'shop' },
          },
          producer: {
            summary: 'A key that can publish, and nothing else',
            value: { name: 'Order service', scopes: ['events:write'] },
          },
        },
      },
      idempotency: { redact: withoutToken },
      answers: { 201: { description: 'It is created, with its token.', schema: createdApiKeySchema } },
      errors: ['already_exists'],
      async handle(call) {
        const { body, organisationId, principal, rpc } = call;
        requireOwner(call);
        if (body.token !== undefined && principal.organisationId !== null) {
          throw new DomainError('permission_denied', 'Only an operator key may set a token.');
        }
        const created = await keys.createKey(
          { key: toMessage(body, organisationId), token: body.token },
          rpc,
        );
        return { status: 201, body: { ...apiKeyView(found(created.key)), token: created.token } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/keys/{id}',
      operationId: 'getKey',
      summary: 'Read an API key',
      tag: 'API keys',
      scope: 'keys:read',
      organisation: 'optional',
      params,
      answers: { 200: { description: 'The key, without its token.', schema: apiKeySchema } },
      async handle({ params: { id }, organisationId, rpc }) {
        const { key } = await keys.getKey({ id, organisationId: organisationId ?? undefined }, rpc);
        return { status: 200, body: apiKeyView(found(key)) };
      },
    }),
    defineRoute({
      method: 'patch',
      path: '/v1/keys/{id}',
      operationId: 'updateKey',
      summary: 'Change an API key',
      description: 'Takes effect within 5 seconds.',
      tag: 'API keys',
      scope: 'keys:write',
      organisation: 'optional',
      params,
      body: {
        schema: apiKeyChangesSchema,
        check,
        examples: {
          scopes: { summary: 'Other scopes', value: { scopes: ['events:write', 'deliveries:read'] } },
        },
      },
      answers: { 200: { description: 'It is changed.', schema: apiKeySchema } },
      async handle({ params: { id }, body, organisationId, rpc }) {
        const { key } = await keys.updateKey(
          {
            id,
            organisationId: organisationId ?? undefined,
            key: toMessage(body, organisationId),
            updateMask: fieldMaskToMessage(Object.keys(body)),
          },
          rpc,
        );
        return { status: 200, body: apiKeyView(found(key)) };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/keys/{id}',
      operationId: 'deleteKey',
      summary: 'Revoke an API key',
      description: 'It stops working within 5 seconds.',
      tag: 'API keys',
      scope: 'keys:write',
      organisation: 'optional',
      params,
      answers: { 204: { description: 'It is revoked.' } },
      async handle({ params: { id }, organisationId, rpc }) {
        await keys.deleteKey({ id, organisationId: organisationId ?? undefined }, rpc);
        return { status: 204 };
      },
    }),
  ];
}

/** An operator key is not made by forgetting to name the organisation. */
function requireOwner({ body, organisationId, header }: Call<unknown, unknown, NewApiKey>): void {
  const refuse = (code: string, message: string): never => {
    throw DomainError.invalid([{ field: '/organisation', code, message }]);
  };
  if (body.organisation === undefined && organisationId === null) {
    refuse(
      'required',
      'Name the organisation that the key is for, here or in the header; null makes an operator key.',
    );
  }
  if (body.organisation === null && organisationId !== null) {
    const from =
      header(organisationHeader) === undefined ? 'The calling key' : 'The Posthorn-Organisation header';
    refuse('conflict', `${from} names an organisation, so this can't be an operator key.`);
  }
}

function toMessage(input: NewApiKey, organisationId: string | null): configV1.ApiKey {
  return {
    id: '',
    name: input.name ?? '',
    prefix: '',
    scopes: [...(input.scopes ?? [])],
    organisationId: organisationId ?? undefined,
    expiresAt: timeOf(input.expiresAt ?? null) ?? undefined,
    lastUsedAt: undefined,
    createdAt: undefined,
    routesTo: input.routesTo ?? undefined,
    endpointId: input.endpoint,
    limits: input.limits && publishLimitsToMessage({ ...noPublishLimits, ...input.limits }),
  };
}

function timeOf(text: string | null): Date | null {
  return text === null ? null : (readTime(text) ?? new Date(NaN));
}

function withoutToken(body: unknown): unknown {
  const { token: _, ...rest } = body as { readonly token?: string };
  return rest;
}

import type { GatewayClients } from '../../clients.ts';
import { endpointParams } from './endpoints.ts';
import { defineRoute, type Route } from '../routing/route.ts';
import { secretsSchema, secretView, type SecretsView, type SecretView } from '../schemas/endpoint.ts';
import { requestSchema } from '../routing/schema.ts';

interface Rotation {
  readonly overlapMs?: number;
  readonly secret?: string;
}

const maxOverlapMs = 30 * 86_400_000;

const rotationSchema = requestSchema<Rotation>('Rotation', {
  properties: {
    overlapMs: {
      type: 'integer',
      minimum: 0,
      maximum: maxOverlapMs,
      description:
        'How long the old secret signs beside the new one; a day when left out, 0 ends it at once. In dialects it ends at once unless `rapidly` is told otherwise.',
    },
    secret: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description:
        'Your own new secret; its form names its scheme. Made by us when left out, one for each scheme that signs.',
    },
  },
});

/** The secrets that an endpoint's requests are signed with. */
export function endpointSecretRoutes({ endpoints }: Pick<GatewayClients, 'endpoints'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/endpoints/{id}/secrets',
      operationId: 'listSecrets',
      summary: "List an endpoint's secrets",
      description: 'All that sign now. They are shown in the clear, so this takes the scope for writing.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      answers: { 200: { description: 'The secrets, newest first.', schema: secretsSchema } },
      async handle({ params: { id: idOrUid }, organisationId, rpc }) {
        const { secrets } = await endpoints.listSecrets({ organisationId, idOrUid }, rpc);
        return { status: 200, body: { data: secrets.map(secretView) } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/endpoints/{id}/secrets/rotate',
      operationId: 'rotateSecret',
      summary: "Rotate an endpoint's secret",
      description:
        'Requests carry a signature of each secret that signs, so receivers can change over one by one.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      body: {
        schema: rotationSchema,
        optional: true,
        examples: { hour: { summary: 'With an hour to change over', value: { overlapMs: 3_600_000 } } },
      },
      idempotency: { redact: withoutSecrets },
      answers: {
        200: { description: 'All secrets that sign now, the new one first.', schema: secretsSchema },
      },
      async handle({ params: { id: idOrUid }, body, organisationId, rpc }) {
        const { secrets } = await endpoints.rotateSecret(
          {
            organisationId,
            idOrUid,
            overlapMs: body.overlapMs === undefined ? undefined : BigInt(body.overlapMs),
            secret: body.secret,
          },
          rpc,
        );
        return { status: 200, body: { data: secrets.map(secretView) } };
      },
    }),
  ];
}

function withoutSecrets(body: unknown): unknown {
  const { data } = body as SecretsView;
  return { data: data.map(({ secret: _, ...rest }: SecretView) => rest) };
}

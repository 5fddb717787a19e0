import type { configV1 } from '@posthorn/contracts';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { answerSchema, requestSchema, type Definition } from './routing/schema.ts';

interface EncryptionView {
  readonly sealingKey: string;
  readonly isKept: boolean;
  readonly keys: readonly { readonly id: string; readonly secrets: number }[];
}

interface ResealingView {
  readonly resealed: number;
  readonly nextCursor: string | null;
  readonly encryption: EncryptionView | null;
}

const properties = {
  sealingKey: {
    type: 'string',
    description: 'The id of the key that seals what is written from now on.',
    examples: ['kR2v_x0A'],
  },
  isKept: {
    type: 'boolean',
    description: 'Whether the platform keeps the keys itself; else they are given to its processes.',
  },
  keys: {
    type: 'array',
    description: 'All that are there, and those that would have to be; the sealing one first.',
    items: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'Tells the key from others, and nothing about it.' },
        secrets: {
          type: 'integer',
          minimum: 0,
          description: 'How many endpoints and policies have their secrets sealed with it.',
        },
      },
      required: ['id', 'secrets'],
    },
  },
} as const satisfies Record<keyof EncryptionView, Definition>;

const encryptionSchema = answerSchema<EncryptionView>('Encryption', { properties });

const resealingSchema = answerSchema<ResealingView>('Resealing', {
  properties: {
    resealed: { type: 'integer', minimum: 0, description: 'How many secrets this step sealed anew.' },
    nextCursor: { type: ['string', 'null'], description: 'For the next step; null after the last.' },
    encryption: {
      type: ['object', 'null'],
      description: 'What there is after the last step; null before.',
      properties,
      required: Object.keys(properties),
    },
  },
});

const stepSchema = requestSchema<{ readonly cursor?: string }>('ResealingStep', {
  properties: {
    cursor: {
      type: 'string',
      maxLength: 64,
      description: '`nextCursor` of the step before; none for the first.',
    },
  },
});

const common = {
  tag: 'Encryption',
  operatorsOnly: true,
  organisation: 'none',
} as const;

/** The rotation of the keys that secrets at rest are sealed with: `posthorn rotate-encryption-key` takes these steps. */
export function encryptionRoutes({ encryption }: Pick<GatewayClients, 'encryption'>): readonly Route[] {
  return [
    defineRoute({
      ...common,
      method: 'get',
      path: '/v1/encryption',
      operationId: 'getEncryption',
      summary: 'Read which keys secrets are sealed with',
      scope: 'organisations:read',
      answers: { 200: { description: 'The keys, by their ids.', schema: encryptionSchema } },
      async handle({ rpc }) {
        const answer = await encryption.getEncryption({}, rpc);
        return { status: 200, body: encryptionView(found(answer.encryption)) };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: '/v1/encryption/rotate',
      operationId: 'rotateEncryptionKey',
      summary: 'Begin a rotation of the encryption key',
      description:
        'Makes a new key, which seals from then on; what other keys have sealed is sealed anew by the steps of `/v1/encryption/reseal`. While a rotation is under way no further key is made: it goes on. Where the keys are given to the processes, the new one has to be given there.',
      scope: 'organisations:write',
      answers: { 200: { description: 'The new key seals.', schema: encryptionSchema } },
      errors: ['failed_precondition'],
      async handle({ rpc }) {
        const answer = await encryption.beginKeyRotation({}, rpc);
        return { status: 200, body: encryptionView(found(answer.encryption)) };
      },
    }),
    defineRoute({
      ...common,
      method: 'post',
      path: '/v1/encryption/reseal',
      operationId: 'resealSecrets',
      summary: 'Seal secrets with the newest key',
      description:
        'One step through all secrets; repeat it with `nextCursor` until that is null. A step can be repeated and broken off at will. The last one drops the keys that nothing is sealed with any more, where the platform keeps them itself.',
      scope: 'organisations:write',
      body: { schema: stepSchema, optional: true },
      answers: { 200: { description: 'The step is done.', schema: resealingSchema } },
      deadlineMs: 60_000,
      async handle({ body, rpc }) {
        const step = await encryption.resealSecrets({ cursor: body.cursor ?? '' }, rpc);
        return {
          status: 200,
          body: {
            resealed: step.resealed,
            nextCursor: step.nextCursor === '' ? null : step.nextCursor,
            encryption: step.encryption === undefined ? null : encryptionView(step.encryption),
          },
        };
      },
    }),
  ];
}

function encryptionView({ keys, isKept }: configV1.Encryption): EncryptionView {
  return {
    sealingKey: keys[0]?.id ?? '',
    isKept,
    keys: keys.map(({ id, secrets }) => ({ id, secrets: Number(secrets) })),
  };
}

/** An endpoint as the API shows it, its health, and its secrets. */
import { endpointFromMessage, secretFromMessage, type configV1, type dispatchV1 } from '@posthorn/contracts';
import {
  dialects,
  endpointFormats,
  endpointOrderings,
  endpointStates,
  onExhaustedKinds,
  secretSchemes,
  signatureSchemes,
  verifications,
  type Endpoint,
  type Secret,
} from '@posthorn/models';
import { described, id, time, timeOrNull } from './scalars.ts';
import { answerSchema, pageSchema, type Definition, type PropertiesOf } from '../routing/schema.ts';

export interface EndpointHealthView {
  readonly state: string;
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly waiting: number;
}

export interface EndpointView extends Omit<
  Endpoint,
  'organisationId' | 'filterJson' | 'policyId' | 'verificationId'
> {
  readonly organisation: string;
  readonly filter: unknown;
  readonly policy: string | null;
  readonly health: EndpointHealthView | null;
}

export interface SecretView extends Omit<Secret, 'secret'> {
  readonly secret?: string;
  readonly publicKey: string | null;
}

/** Of an endpoint that was made just now. */
export const newHealth: EndpointHealthView = {
  state: 'healthy',
  consecutiveFailures: 0,
  failingSince: null,
  lastSuccessAt: null,
  waiting: 0,
};

const healthSchema = answerSchema<EndpointHealthView>('EndpointHealth', {
  properties: {
    state: {
      type: 'string',
      enum: ['healthy', 'failing', 'open'],
      description: '`open`: it failed so often in a row that only a probe is sent now and then.',
    },
    consecutiveFailures: { type: 'integer', minimum: 0 },
    failingSince: timeOrNull,
    lastSuccessAt: timeOrNull,
    waiting: {
      type: 'integer',
      minimum: 0,
      description: 'Deliveries that wait for their first or next attempt.',
    },
  },
});

const texts: Definition = { type: 'object', additionalProperties: { type: 'string' } };

const properties: PropertiesOf<EndpointView> = {
  id,
  number: { type: 'integer', description: 'A counter of the deployment, for systems that need an integer.' },
  uid: { type: ['string', 'null'] },
  dialect: { type: 'string', enum: dialects },
  organisation: { type: 'string', description: 'The id of its organisation.' },
  url: { type: 'string' },
  name: { type: 'string' },
  description: { type: 'string' },
  state: {
    type: 'string',
    enum: endpointStates,
    description: 'Events still match while it is paused or disabled: their deliveries are held.',
  },
  stateReason: {
    type: ['string', 'null'],
    description: 'Why it is paused or disabled: `manual`, `gone` (it answered 410), or a text of your own.',
  },
  verification: {
    type: 'string',
    enum: verifications,
    description:
      'Whether its receiver has shown that it is one, where the dialect asks for that: until then it gets nothing else.',
  },
  verificationExpiresAt: described(
    timeOrNull,
    'When the callback of the latest verification ends to be valid.',
  ),
  policy: { type: ['string', 'null'], description: 'The id of the policy that signs (xurrent).' },
  editionId: { type: ['string', 'null'] },
  eventTypes: { type: ['array', 'null'], items: { type: 'string' } },
  labels: { type: ['object', 'null'], additionalProperties: { type: 'array', items: { type: 'string' } } },
  filter: { type: ['object', 'null'] },
  format: { type: 'string', enum: endpointFormats },
  signing: { type: 'array', items: { type: 'string', enum: signatureSchemes } },
  headers: { ...texts, description: 'Sent with every request; the values are masked here.' },
  timeoutMs: { type: 'integer' },
  retryDelaysMs: { type: 'array', items: { type: 'integer' } },
  maxInFlight: { type: 'integer' },
  rateLimit: {
    type: ['object', 'null'],
    properties: { perSecond: { type: 'number' }, burst: { type: 'integer' } },
    required: ['perSecond', 'burst'],
    description: 'How many attempts may begin in a time; null: as many as it answers.',
  },
  ordering: { type: 'string', enum: endpointOrderings },
  onExhausted: { type: 'string', enum: onExhaustedKinds },
  metadata: texts,
  health: {
    oneOf: [healthSchema, { type: 'null' }],
    description: 'How its deliveries fare; null while that cannot be told because the dispatcher is away.',
  },
  version: { type: 'integer', description: 'Counts what the owner wrote; the `ETag`.' },
  createdAt: time,
  updatedAt: time,
};

export const endpointSchema = answerSchema<EndpointView>('Endpoint', {
  description: 'Where events are delivered to, and which.',
  properties,
});

/** An endpoint with its first signing secret. */
export type CreatedEndpointView = EndpointView & { readonly secret?: string };

export const createdEndpointSchema = answerSchema<CreatedEndpointView>('CreatedEndpoint', {
  properties: {
    ...properties,
    secret: {
      type: 'string',
      description:
        'The signing secret (`whsec_…`), here and under `secrets` only; left out when the answer is repeated for an Idempotency-Key, and where a policy signs.',
    },
  },
  optional: ['secret'],
});

export const endpointPageSchema = pageSchema(endpointSchema);

const secretSchema = answerSchema<SecretView>('Secret', {
  description: 'A signing secret that signs now.',
  properties: {
    scheme: { type: 'string', enum: secretSchemes },
    secret: {
      type: 'string',
      description:
        '`whsec_…` (v1) or `whsk_…` (v1a); left out when the answer is repeated for an Idempotency-Key.',
    },
    publicKey: { type: ['string', 'null'], description: 'The public half of a v1a secret, `whpk_…`.' },
    createdAt: time,
    expiresAt: described(timeOrNull, 'Until when it signs beside its successor; null for the current one.'),
  },
  optional: ['secret'],
});

/** All secrets that sign now. */
export interface SecretsView {
  readonly data: readonly SecretView[];
}

export const secretsSchema = answerSchema<SecretsView>('Secrets', {
  properties: { data: { type: 'array', items: secretSchema, description: 'Newest first.' } },
});

export function endpointView(message: configV1.Endpoint, health: EndpointHealthView | null): EndpointView {
  const { id, number, uid, organisationId, filterJson, version, createdAt, updatedAt, ...settings } =
    endpointFromMessage(message);
  const { policyId, verificationId: _, ...shown } = settings;
  return {
    id,
    number,
    uid,
    organisation: organisationId,
    ...shown,
    policy: policyId,
    filter: filterJson === null ? null : (JSON.parse(filterJson) as unknown),
    health,
    version,
    createdAt,
    updatedAt,
  };
}

export function healthView(message: dispatchV1.EndpointHealth): EndpointHealthView {
  return {
    state: message.state,
    consecutiveFailures: message.consecutiveFailures,
    failingSince: message.failingSince ?? null,
    lastSuccessAt: message.lastSuccessAt ?? null,
    waiting: Number(message.waiting),
  };
}

export function secretView(message: configV1.Secret): SecretView {
  return { ...secretFromMessage(message), publicKey: message.publicKey ?? null };
}

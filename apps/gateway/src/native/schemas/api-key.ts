import { apiKeyFromMessage, type configV1 } from '@posthorn/contracts';
import { apiKeyLimits, scopes, type PublishLimits, type Scope } from '@posthorn/models';
import { publishLimitsInputSchema, publishLimitsSchema } from './limits.ts';
import { described, id, time, timeOrNull } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition, type Schema } from '../routing/schema.ts';

/** An API key as the API shows it. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** The id of its organisation; null for an operator key. */
  readonly organisation: string | null;
  readonly routesTo: string | null;
  readonly endpoint: string | null;
  readonly limits: PublishLimits;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

export interface ApiKeyChanges {
  readonly name?: string;
  readonly scopes?: readonly Scope[];
  readonly expiresAt?: string | null;
  readonly routesTo?: string | null;
  readonly limits?: Partial<PublishLimits>;
}

export interface NewApiKey extends ApiKeyChanges {
  readonly organisation?: string | null;
  readonly endpoint?: string;
  readonly token?: string;
}

const scope: Definition = { type: 'string', enum: scopes };

const changes = {
  name: { type: 'string', minLength: 1, maxLength: apiKeyLimits.nameLength, description: 'For people.' },
  scopes: {
    type: 'array',
    items: scope,
    minItems: 1,
    maxItems: apiKeyLimits.scopes,
    description: 'What it may do: at most what the key that gives them may do itself.',
  },
  expiresAt: described(timeOrNull, 'When it stops working; null: never.'),
  routesTo: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 128,
    description:
      'The one ricloud endpoint of its organisation, by id or uid, that gets what it publishes; null: the default of the organisation.',
  },
  limits: publishLimitsInputSchema,
} satisfies Record<string, Definition | Schema<unknown>>;

export const newApiKeySchema = requestSchema<NewApiKey>('NewApiKey', {
  properties: {
    ...changes,
    organisation: {
      type: ['string', 'null'],
      description:
        'The organisation that it is for, by id or slug, where an operator makes it and the header names none; null for an operator key.',
    },
    endpoint: {
      type: 'string',
      minLength: 1,
      maxLength: 128,
      description:
        'With the scope `feed:read`, and with no other: the one endpoint whose feed it may read, by id or uid. It stays as it is.',
    },
    token: {
      type: 'string',
      minLength: apiKeyLimits.minTokenLength,
      maxLength: apiKeyLimits.maxTokenLength,
      description:
        'The token itself, for keys that come from elsewhere; operators only. Made by us when left out.',
    },
  },
  required: ['name', 'scopes'],
});

export const apiKeyChangesSchema = requestSchema<ApiKeyChanges>('ApiKeyChanges', {
  description: 'A merge patch (RFC 7396) over the top-level fields.',
  properties: changes,
});

const properties = {
  id,
  name: { type: 'string' },
  prefix: { type: 'string', description: 'The first characters of the token, to recognise it by.' },
  scopes: { type: 'array', items: scope },
  organisation: {
    type: ['string', 'null'],
    description: 'The id of its organisation; null for an operator key.',
  },
  routesTo: {
    type: ['string', 'null'],
    description: 'The id of the one ricloud endpoint that gets what it publishes.',
  },
  endpoint: {
    type: ['string', 'null'],
    description: 'The id of the one endpoint whose feed it may read.',
  },
  limits: publishLimitsSchema,
  expiresAt: timeOrNull,
  lastUsedAt: described(timeOrNull, 'About when it was last used, to a minute or so.'),
  createdAt: time,
} satisfies Record<keyof ApiKeyView, Definition | Schema<unknown>>;

export const apiKeySchema = answerSchema<ApiKeyView>('ApiKey', { properties });

/** With the token, which no other answer shows. */
export const createdApiKeySchema = answerSchema<ApiKeyView & { readonly token?: string }>('CreatedApiKey', {
  properties: {
    ...properties,
    token: {
      type: 'string',
      description: 'Shown this once; left out when the answer is repeated for an Idempotency-Key.',
    },
  },
  optional: ['token'],
});

export const apiKeyPageSchema = pageSchema(apiKeySchema);

export function apiKeyView(message: configV1.ApiKey): ApiKeyView {
  const {
    id,
    name,
    prefix,
    scopes,
    organisationId,
    endpointId: endpoint,
    ...rest
  } = apiKeyFromMessage(message);
  return { id, name, prefix, scopes, organisation: organisationId, endpoint, ...rest };
}

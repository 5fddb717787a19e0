/** What an owner writes of an endpoint: the body of POST and of PATCH. */
import {
  dialects,
  endpointFormats,
  endpointLimits as limits,
  endpointOrderings,
  eventTypePatternPattern,
  maxEventTypeLength,
  onExhaustedKinds,
  signatureSchemes,
  type Dialect,
  type EndpointFormat,
  type EndpointOrdering,
  type OnExhausted,
  type SignatureScheme,
} from '@posthorn/models';
import { requestSchema, type Definition } from '../routing/schema.ts';

export interface EndpointChanges {
  readonly uid?: string | null;
  readonly url?: string;
  readonly name?: string;
  readonly description?: string;
  readonly eventTypes?: readonly string[] | null;
  readonly labels?: Readonly<Record<string, readonly string[]>> | null;
  readonly filter?: object | null;
  readonly editionId?: string | null;
  readonly format?: EndpointFormat;
  readonly signing?: readonly SignatureScheme[];
  readonly policy?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly retryDelaysMs?: readonly number[];
  readonly maxInFlight?: number;
  readonly rateLimit?: { readonly perSecond: number; readonly burst?: number } | null;
  readonly ordering?: EndpointOrdering;
  readonly onExhausted?: OnExhausted;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface NewEndpoint extends EndpointChanges {
  readonly url: string;
  readonly organisation?: string;
  readonly dialect?: Dialect;
  readonly secret?: string;
  readonly verification?: 'passed';
}

const changes = {
  uid: {
    type: ['string', 'null'],
    pattern: limits.uidPattern,
    description: 'Your own name for it, unique in the organisation; good in every path in place of the id.',
  },
  url: {
    type: 'string',
    minLength: 1,
    maxLength: limits.urlLength,
    description:
      'Where events are sent to. It must not have a user part, nor lead to an address that is not public.',
    examples: ['https://example.com/hooks'],
  },
  name: { type: 'string', maxLength: limits.nameLength, description: 'For people.' },
  description: { type: 'string', maxLength: limits.descriptionLength },
  eventTypes: {
    type: ['array', 'null'],
    items: { type: 'string', pattern: eventTypePatternPattern, maxLength: maxEventTypeLength },
    minItems: 1,
    maxItems: limits.eventTypes,
    description:
      'Names of event types, `order.*` for all below `order`, or `*`. Null: all but operational events (`posthorn.…`).',
    examples: [['order.*', 'invoice.paid']],
  },
  labels: {
    type: ['object', 'null'],
    additionalProperties: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      maxItems: limits.labelValues,
    },
    maxProperties: limits.labels,
    description: 'Each of these labels must be on the event, with one of the values.',
    examples: [{ region: ['eu', 'us'] }],
  },
  filter: {
    type: ['object', 'null'],
    description: 'A condition over the payload; see `POST /v1/filters/evaluate` for trying one out.',
    examples: [{ 'order.total': { $gte: 100 } }],
  },
  editionId: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: limits.labelValueLength,
    description: 'Only events with this label `edition_id` (dialect `preo`).',
  },
  format: {
    type: 'string',
    enum: endpointFormats,
    description:
      'The body that is sent: `standard` is `{"type","timestamp","data"}`, `raw` is `data` alone, `cloudevents` is CloudEvents 1.0 in binary mode. An endpoint of `rapidly` has `raw` (its own), `discord` or `slack`; the other dialects have one each.',
  },
  signing: {
    type: 'array',
    items: { type: 'string', enum: signatureSchemes },
    maxItems: 2,
    description:
      '`["v1"]` (HMAC-SHA256) or `["v1","v1a"]` (and ed25519 beside it); `[]` for dialects, which sign in ways of their own.',
  },
  policy: {
    type: ['string', 'null'],
    minLength: 1,
    maxLength: 64,
    description: 'The policy that signs, by its id or number (dialect `xurrent`); null: nothing is signed.',
  },
  headers: {
    type: 'object',
    additionalProperties: { type: 'string', maxLength: limits.headerValueLength },
    maxProperties: limits.headers,
    description:
      'Sent with every request. Answers mask the values; a mask that is sent back keeps the present value.',
  },
  timeoutMs: {
    type: 'integer',
    minimum: limits.minTimeoutMs,
    maximum: limits.maxTimeoutMs,
    description:
      'How long one request may take, answer included; 15 s when left out (`ricloud`, `xurrent`, `rapidly`: 10 s, `preo`: 30 s).',
  },
  retryDelaysMs: {
    type: 'array',
    items: { type: 'integer', minimum: limits.minRetryDelayMs, maximum: limits.maxRetryDelayMs },
    maxItems: limits.retryDelays,
    description: 'How long to wait after the first, second, … failed attempt, ±20 %; none: a single attempt.',
    examples: [[5_000, 300_000, 1_800_000]],
  },
  maxInFlight: {
    type: 'integer',
    minimum: 1,
    maximum: limits.maxInFlight,
    description: 'How many requests may be under way at once; 100 when left out.',
  },
  rateLimit: {
    type: ['object', 'null'],
    properties: {
      perSecond: {
        type: 'number',
        minimum: limits.minPerSecond,
        maximum: limits.maxPerSecond,
        description: 'May be a fraction: 0.5 is one every two seconds.',
      },
      burst: {
        type: 'integer',
        minimum: 1,
        maximum: limits.maxBurst,
        description: '`perSecond`, rounded up, when left out.',
      },
    },
    required: ['perSecond'],
    additionalProperties: false,
    description:
      'How many attempts may begin in a time, retries and those asked for by hand included: in no stretch of t seconds more than `burst + perSecond × t`. Null (when left out): as many as it answers.',
    examples: [{ perSecond: 10, burst: 20 }],
  },
  ordering: {
    type: 'string',
    enum: endpointOrderings,
    description:
      '`key`: events with the same `orderingKey` are delivered one after the other, in the order in which they were published, retries included; `none` when left out.',
  },
  onExhausted: {
    type: 'string',
    enum: onExhaustedKinds,
    description:
      'With `ordering: "key"`, what becomes of the events behind one that has ended without success: `skip` (when left out) sends the next one, `hold` holds them until that delivery is retried with success.',
  },
  metadata: {
    type: 'object',
    additionalProperties: { type: 'string', maxLength: limits.metadataValueLength },
    maxProperties: limits.metadata,
    description: 'Texts of your own; we only keep them.',
  },
} satisfies Record<keyof EndpointChanges, Definition>;

export const newEndpointSchema = requestSchema<NewEndpoint>('NewEndpoint', {
  properties: {
    ...changes,
    organisation: {
      type: 'string',
      description:
        'The organisation that it is for, by id or slug, where an operator makes it and the header names none.',
    },
    dialect: {
      type: 'string',
      enum: dialects,
      description:
        'The API that it belongs to, which fixes what is sent and how that is signed; `standard` when left out.',
    },
    secret: {
      type: 'string',
      minLength: 1,
      maxLength: 512,
      description:
        'Your own signing secret (`whsec_…`; any text for `ricloud`, `rapidly` and `preo`); made by us when left out.',
    },
    verification: {
      const: 'passed',
      description:
        'For an endpoint of `ricloud` or `xurrent` that comes from elsewhere: its receiver was found to be in order before, and is not asked again. Only for operators.',
    },
  },
  required: ['url'],
});

export const endpointChangesSchema = requestSchema<EndpointChanges>('EndpointChanges', {
  description: 'A merge patch (RFC 7396) over the top-level fields: each is replaced as a whole.',
  properties: changes,
});

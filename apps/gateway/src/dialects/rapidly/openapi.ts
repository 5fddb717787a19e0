/** The schemas of rapidly, for the reference. */
import { answerSchema, Schema } from '../../native/routing/schema.ts';
import type { ParameterDescription } from '../dialect.ts';
import { pageLimits, type RapidlyList } from './paging.ts';
import { eventTypes, formats, httpCodeClasses, secretLength } from './parse.ts';
import type { RapidlyDelivery, RapidlyEndpoint, RapidlyEvent } from './render.ts';

const uuid = { type: 'string', format: 'uuid' } as const;
const time = { type: 'string', format: 'date-time' } as const;
const maybeTime = { type: ['string', 'null'], format: 'date-time' } as const;
const maybeInteger = { type: ['integer', 'null'] } as const;
const url = { type: 'string', format: 'uri', minLength: 1, maxLength: 2083 } as const;
const format = { type: 'string', enum: formats } as const;
const eventList = { type: 'array', items: { type: 'string', enum: eventTypes }, minItems: 1 } as const;

export const endpointSchema = answerSchema<RapidlyEndpoint>('RapidlyEndpoint', {
  properties: {
    created_at: time,
    modified_at: maybeTime,
    id: uuid,
    url,
    format: { ...format, description: 'How payloads are written.' },
    secret: { type: 'string', description: 'The whole text is the key of the signatures.' },
    workspace_id: uuid,
    events: { type: 'array', items: { type: 'string' }, description: 'The events that trigger it.' },
    enabled: { type: 'boolean' },
  },
});

const eventSchema = answerSchema<RapidlyEvent>('RapidlyEvent', {
  description: 'One event for one endpoint.',
  properties: {
    created_at: time,
    modified_at: maybeTime,
    id: { ...uuid, description: 'The `webhook-id` of its requests.' },
    last_http_code: maybeInteger,
    succeeded: { type: ['boolean', 'null'], description: 'Null while it is unfinished.' },
    skipped: { type: 'boolean', description: 'Nothing was sent, because the endpoint was disabled.' },
    payload: { type: ['string', 'null'], description: 'The body that is sent; null once it is archived.' },
    type: { type: 'string' },
    is_archived: { type: 'boolean' },
  },
});

const deliverySchema = answerSchema<RapidlyDelivery>('RapidlyDelivery', {
  description: 'One attempt.',
  properties: {
    created_at: time,
    modified_at: maybeTime,
    id: uuid,
    succeeded: { type: 'boolean' },
    http_code: { ...maybeInteger, description: 'Null when the endpoint could not be reached.' },
    response: { type: ['string', 'null'], description: 'The first 2048 characters, or why there are none.' },
    webhook_event: eventSchema,
  },
});

function listOf<T>(name: string, item: Schema<T>): Schema<RapidlyList<T>> {
  return answerSchema<RapidlyList<T>>(name, {
    properties: {
      data: { type: 'array', items: item },
      meta: {
        type: 'object',
        properties: {
          total: { type: 'integer' },
          page: { type: 'integer' },
          per_page: { type: 'integer' },
          pages: { type: 'integer' },
        },
        required: ['total', 'page', 'per_page', 'pages'],
      },
    },
  });
}

export const endpointListSchema = listOf('RapidlyEndpointList', endpointSchema);
export const deliveryListSchema = listOf('RapidlyDeliveryList', deliverySchema);
export const emptySchema = new Schema<object>('RapidlyNothing', { type: 'object', maxProperties: 0 });

const secret = {
  type: ['string', 'null'],
  minLength: secretLength.min,
  maxLength: secretLength.max,
} as const;

export const newEndpointSchema = new Schema('RapidlyNewEndpoint', {
  type: 'object',
  properties: {
    url: { ...url, description: 'Where events are sent to: https.' },
    secret,
    format,
    events: eventList,
    workspace_id: {
      type: ['string', 'null'],
      format: 'uuid',
      description: 'Required, unless the token is of one workspace, which may not set it.',
    },
  },
  required: ['url', 'format', 'events'],
  additionalProperties: true,
});

export const endpointChangesSchema = new Schema('RapidlyEndpointChanges', {
  type: 'object',
  properties: {
    url: { ...url, type: ['string', 'null'] },
    secret,
    format: { type: ['string', 'null'], enum: [...formats, null] },
    events: { ...eventList, type: ['array', 'null'] },
    enabled: { type: ['boolean', 'null'] },
  },
  additionalProperties: true,
});

const parameter = (description: string, schema: ParameterDescription['schema']): ParameterDescription => ({
  description,
  schema,
});

const pageParameters = {
  page: parameter('Page number, defaults to 1.', { type: 'integer', minimum: 1, default: 1 }),
  limit: parameter(`Size of a page, defaults to ${pageLimits.standard}. Maximum is ${pageLimits.max}.`, {
    type: 'integer',
    minimum: 1,
    default: pageLimits.standard,
  }),
};

export const endpointParameters = {
  workspace_id: parameter('Only those of this workspace, or of one of these.', {
    type: 'array',
    items: uuid,
  }),
  ...pageParameters,
};

export const deliveryParameters = {
  endpoint_id: parameter('Only those to this endpoint, or to one of these.', { type: 'array', items: uuid }),
  start_timestamp: parameter('Only those after it; with a time zone.', time),
  end_timestamp: parameter('Only those before it; with a time zone.', time),
  succeeded: parameter('Only those that succeeded, or that did not.', { type: 'boolean' }),
  query: parameter('A part of the id of the delivery or of the event, or of the HTTP code.', {
    type: 'string',
  }),
  http_code_class: parameter('Only those answered with a code of this class.', {
    type: 'string',
    enum: httpCodeClasses,
  }),
  event_type: parameter('Only those of this type, or of one of these.', {
    type: 'array',
    items: { type: 'string', enum: eventTypes },
  }),
  ...pageParameters,
};

export const idParameter = parameter('The id of the endpoint.', uuid);
export const eventIdParameter = parameter('The id of the event.', uuid);

/** The schemas of preo, for the reference. */
import { answerSchema, Schema } from '../../native/routing/schema.ts';
import type { ParameterDescription } from '../dialect.ts';
import { pageSizes, type PreoPage } from './paging.ts';
import { orderings, statuses } from './parse.ts';
import type { PreoDelivery, PreoEndpoint } from './render.ts';

const uuid = { type: 'string', format: 'uuid' } as const;
const time = { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00.000000Z'] } as const;
const maybeTime = { type: ['string', 'null'], format: 'date-time' } as const;
const events = {
  type: 'array',
  items: { type: 'string' },
  description: 'The event types that it receives.',
} as const;
const seconds = {
  type: 'integer',
  minimum: 1,
  maximum: 60,
  description: 'Request timeout in seconds.',
} as const;

export const endpointSchema = answerSchema<PreoEndpoint>('PreoEndpoint', {
  properties: {
    id: uuid,
    organization_id: uuid,
    name: { type: 'string', description: 'Descriptive name for this webhook.' },
    url: { type: 'string', format: 'uri', description: 'The endpoint URL to send webhook payloads to.' },
    edition_id: { type: ['string', 'null'], format: 'uuid', description: 'Only events of this edition.' },
    events,
    created: time,
    modified: time,
    is_active: { type: 'boolean' },
    timeout_seconds: seconds,
    secret: {
      type: ['string', 'null'],
      description: 'What signatures are made with: shown when it is made, null everywhere else.',
    },
  },
});

export const deliverySchema = answerSchema<PreoDelivery>('PreoDelivery', {
  properties: {
    id: uuid,
    event: { type: 'string', description: 'The event type.' },
    created: time,
    endpoint_id: uuid,
    payload: {
      type: 'string',
      description: 'The very body that was or will be sent; empty once it is no longer kept.',
    },
    status: { type: 'string', enum: statuses },
    attempts: { type: 'integer' },
    response_status_code: { type: ['integer', 'null'] },
    last_attempt_at: maybeTime,
    next_retry_at: maybeTime,
    signature: {
      type: ['string', 'null'],
      description: 'As it was sent last; null before the first attempt.',
    },
  },
});

function pageOf<T>(name: string, item: Schema<T>): Schema<PreoPage<T>> {
  const link = { type: ['string', 'null'], format: 'uri' } as const;
  return answerSchema<PreoPage<T>>(name, {
    properties: {
      count: { type: 'integer', description: 'How many there are on all pages.' },
      next: link,
      previous: link,
      results: { type: 'array', items: item },
    },
  });
}

export const endpointPageSchema = pageOf('PreoEndpointPage', endpointSchema);
export const deliveryPageSchema = pageOf('PreoDeliveryPage', deliverySchema);

const writable = {
  name: { type: 'string', maxLength: 255 },
  url: { type: 'string', format: 'uri' },
  events: { ...events, minItems: 1 },
  edition_id: { type: ['string', 'null'], format: 'uuid' },
  is_active: { type: 'boolean', default: true },
  timeout_seconds: { ...seconds, default: 30 },
} as const;

export const newEndpointSchema = new Schema('PreoNewEndpoint', {
  type: 'object',
  properties: { organization_id: uuid, ...writable },
  required: ['organization_id', 'name', 'url', 'events'],
  additionalProperties: true,
});

export const endpointReplacementSchema = new Schema('PreoEndpointReplacement', {
  type: 'object',
  properties: writable,
  required: ['name', 'url', 'events'],
  additionalProperties: true,
});

export const endpointChangesSchema = new Schema('PreoEndpointChanges', {
  type: 'object',
  properties: writable,
  additionalProperties: true,
});

const parameter = (description: string, schema: ParameterDescription['schema']): ParameterDescription => ({
  description,
  schema,
});

const pageParameters = {
  ordering: parameter('What the list is sorted by; newest first when absent.', {
    type: 'string',
    enum: orderings,
  }),
  page: parameter('Which page, from 1.', { type: 'integer', minimum: 1, default: 1 }),
  page_size: parameter('How many on a page.', {
    type: 'integer',
    minimum: 1,
    maximum: pageSizes.max,
    default: pageSizes.standard,
  }),
};

export const endpointParameters = {
  edition_id: parameter('Only endpoints of this edition.', uuid),
  is_active: parameter('Only endpoints that are active, or only those that are not.', { type: 'boolean' }),
  organization_id: parameter('Only endpoints of this organisation.', uuid),
  ...pageParameters,
};

export const deliveryParameters = {
  ...endpointParameters,
  edition_id: parameter('Nothing, unless the endpoint is of this edition.', uuid),
  is_active: parameter('Nothing, unless the endpoint is active, or is not.', { type: 'boolean' }),
  organization_id: parameter('Nothing, unless the endpoint is of this organisation.', uuid),
  status: parameter('Only deliveries with this status.', { type: 'string', enum: statuses }),
};

export const idParameter = parameter('The id of the endpoint.', { type: 'string' });
export const deliveryIdParameter = parameter('The id of the delivery.', { type: 'string' });

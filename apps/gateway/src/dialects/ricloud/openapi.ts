/** ricloud's resources and parameters for the reference; what is answered in the tests is held to these schemas. */
import { taskStates } from '@posthorn/models';
import { answerSchema, Schema, type Definition } from '../../native/routing/schema.ts';
import type { ParameterDescription } from '../dialect.ts';
import type { RicloudList } from './paging.ts';
import { configStates } from './parse.ts';
import type { RicloudConfig, RicloudEventState, RicloudKey, RicloudTask } from './render.ts';

const time: Definition = {
  type: 'string',
  format: 'date-time',
  pattern: '\\.\\d{6}Z$',
  examples: ['2018-11-22T12:59:57.016467Z'],
};
const timeOrNull: Definition = { type: ['string', 'null'], format: 'date-time' };

export const configSchema = answerSchema<RicloudConfig>('RicloudWebhookConfig', {
  description: 'Where an organisation’s events are sent.',
  properties: {
    id: { type: 'string' },
    resource: { const: 'webhook_config' },
    organisation: { type: 'string', description: 'The id of its organisation.' },
    url: { type: 'string', description: 'Events are sent to this URL with `/` and their id behind it.' },
    secret: { type: ['string', 'null'], description: 'What signs the events.' },
    state: {
      type: 'string',
      enum: configStates,
      description:
        '`new` until it was tested, `valid` or `invalid` by its last test, `deactivated` when it was turned off. Only a valid config gets events.',
    },
    date_created: time,
  },
});

const emptyList: Definition = {
  type: 'object',
  properties: {
    resource: { const: 'list' },
    data: { type: 'array', maxItems: 0 },
    has_more: { const: false },
    total_count: { const: 0 },
    url: { type: 'string' },
  },
  required: ['resource', 'data', 'has_more', 'total_count', 'url'],
};

export const taskSchema = answerSchema<RicloudTask>('RicloudTask', {
  description: 'The test of a webhook config.',
  properties: {
    id: { type: 'string' },
    resource: { const: 'task' },
    organisation: { type: 'string' },
    key: { type: ['string', 'null'], description: 'The id of the key that asked for it.' },
    type: { const: 'webhook_config.test' },
    target: { type: 'null' },
    state: { type: 'string', enum: taskStates },
    results: emptyList,
    error: { type: ['string', 'null'], description: 'Why it failed.' },
    date_created: time,
    date_started: timeOrNull,
    date_completed: timeOrNull,
  },
});

interface RicloudEvent {
  readonly id: string;
  readonly resource: 'event';
  readonly type: string;
  readonly action: string;
  readonly data: unknown;
  readonly state: RicloudEventState;
  readonly retries: number;
  readonly date_created: string;
  readonly date_delivered: string | null;
}

export const eventSchema = answerSchema<RicloudEvent>('RicloudEvent', {
  description: 'An event, and how its delivery to the config that gets it fares.',
  properties: {
    id: { type: 'string' },
    resource: { const: 'event' },
    type: { type: 'string', description: 'The event type up to its last dot.' },
    action: { type: 'string', description: 'What is behind the last dot.' },
    data: { description: 'The payload; null once it is no longer kept.' },
    state: { type: 'string', enum: ['pending', 'delivered', 'failed'] },
    retries: { type: 'integer', minimum: 0, description: 'Attempts before the last one.' },
    date_created: time,
    date_delivered: timeOrNull,
  },
});

export const keySchema = answerSchema<RicloudKey>('RicloudKey', {
  description: 'An API key.',
  properties: {
    id: { type: 'string' },
    resource: { const: 'key' },
    organisation: { type: ['string', 'null'] },
    state: { const: 'valid' },
    date_created: time,
  },
});

/** The schema of a list. */
export function listSchema<T>(item: Schema<T>): Schema<RicloudList<T>> {
  return answerSchema<RicloudList<T>>(`${item.name}List`, {
    properties: {
      resource: { const: 'list' },
      data: { type: 'array', items: item },
      has_more: { type: 'boolean' },
      total_count: { type: 'integer', minimum: 0, description: 'How many there are in all.' },
      url: { type: 'string', description: 'The path of the list.' },
    },
  });
}

export const newConfigSchema = new Schema<unknown>('RicloudNewWebhookConfig', {
  type: 'object',
  properties: { url: { type: 'string', description: 'The URL of the receiver.' } },
  required: ['url'],
  additionalProperties: true,
});

export const configChangesSchema = new Schema<unknown>('RicloudWebhookConfigChanges', {
  type: 'object',
  properties: {
    url: { type: 'string' },
    state: { type: 'string', enum: ['new', 'deactivated'], description: '`new` tests it again.' },
  },
  additionalProperties: true,
});

export const pageParameters: Readonly<Record<string, ParameterDescription>> = {
  limit: {
    description: 'How many to answer with at most.',
    schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 10 },
  },
  after_id: { description: 'Those behind the one with this id.', schema: { type: 'string' } },
  before_id: { description: 'Those in front of the one with this id.', schema: { type: 'string' } },
};

const moment: Definition = { type: 'string', examples: ['2018-11-22T12:59:57Z', '2018-11-22'] };

const comparison: ParameterDescription = {
  description: 'Made after or before this; a day stands for its first moment.',
  schema: moment,
};

/** `date_created` and its comparisons, in both forms. */
const createdParameters: Readonly<Record<string, ParameterDescription>> = {
  date_created: { description: 'Made at this instant, or on this day (UTC).', schema: moment },
  'date_created[gt]': comparison,
  'date_created[gte]': comparison,
  'date_created[lt]': comparison,
  'date_created[lte]': comparison,
  date_created__gt: comparison,
  date_created__gte: comparison,
  date_created__lt: comparison,
  date_created__lte: comparison,
};

export const configFilterParameters: Readonly<Record<string, ParameterDescription>> = {
  state: {
    description: 'Only those in this state; without it, all but the deactivated ones.',
    schema: { type: 'string', enum: configStates },
  },
  ...createdParameters,
};

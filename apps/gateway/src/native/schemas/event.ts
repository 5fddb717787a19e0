import type { dispatchV1, ingestV1 } from '@posthorn/contracts';
import { eventFromMessage } from '@posthorn/contracts';
import { eventLimits, eventTypeNamePattern, type Event } from '@posthorn/models';
import type { Problem } from '../routing/problem.ts';
import { deliverySchema, type DeliveryView } from './delivery.ts';
import { problemProperties } from './problem.ts';
import { described, time, timeOrNull } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition } from '../routing/schema.ts';

/** An event as a producer publishes it. `publish-body.ts` reads it by hand; a test holds it to this schema. */
export interface EventInput {
  readonly type: string;
  readonly data: unknown;
  readonly id?: string;
  readonly idempotencyKey?: string;
  readonly occurredAt?: string;
  readonly deliverAt?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly subject?: string;
  readonly orderingKey?: string;
  readonly organisation?: string;
}

/** No control characters, no half of a surrogate pair. */
const plainText = '^[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$';

export const newEventSchema = requestSchema<EventInput>('NewEvent', {
  description: 'An event to publish.',
  properties: {
    type: {
      type: 'string',
      maxLength: eventLimits.typeLength,
      pattern: eventTypeNamePattern,
      not: { pattern: '^posthorn\\.' },
      description: 'What happened. Names that begin with `posthorn.` are kept for operational events.',
      examples: ['order.paid'],
    },
    data: {
      description:
        'The payload: any JSON value. It travels as the very bytes that were sent: number text, key order, escapes and white space.',
    },
    id: {
      type: 'string',
      pattern: eventLimits.idPattern,
      description:
        'Your own id for it; receivers see it as `webhook-id`. Made by us when left out. The same id with the same content within 24 hours is the same event; other content is a 409. Name the `id` that a 503 told you to publish again.',
    },
    idempotencyKey: {
      type: 'string',
      pattern: eventLimits.idempotencyKeyPattern,
      description:
        'The same key with the same content within 24 hours is the same event; other content is a 409. The header `Idempotency-Key` says the same.',
    },
    occurredAt: described(
      time,
      'When it happened, at most a day ahead; the time of acceptance when left out.',
    ),
    deliverAt: described(
      time,
      'Not to be delivered before; at once when left out or past. The event is accepted and matched to endpoints now, and its deliveries wait as `pending`. It lies within the days that the organisation keeps payloads for, and not together with `orderingKey`.',
    ),
    labels: {
      type: 'object',
      maxProperties: eventLimits.labels,
      propertyNames: { minLength: 1, maxLength: eventLimits.labelKeyLength, pattern: plainText },
      additionalProperties: { type: 'string', maxLength: eventLimits.labelValueLength, pattern: plainText },
      description: 'What endpoints select by.',
      examples: [{ region: 'eu' }],
    },
    subject: {
      type: 'string',
      minLength: 1,
      maxLength: eventLimits.subjectLength,
      pattern: plainText,
      description: 'Whom it is about.',
    },
    orderingKey: {
      type: 'string',
      minLength: 1,
      maxLength: eventLimits.orderingKeyLength,
      pattern: plainText,
      description:
        'Endpoints with `ordering: "key"` get events with the same key one after the other, in the order in which they were published.',
    },
    organisation: {
      type: 'string',
      description: 'The id or slug of the organisation; for operator keys.',
    },
  },
  required: ['type', 'data'],
});

/** The limits of a request for many. */
export const maxBatchEvents = 1000;

export const eventBatchSchema = requestSchema<{ readonly events: readonly EventInput[] }>('EventBatch', {
  properties: { events: { type: 'array', items: newEventSchema, maxItems: maxBatchEvents } },
  required: ['events'],
});

/** The answer to a publish. */
export interface AcceptedEvent {
  readonly id: string;
  readonly type: string;
  readonly acceptedAt: Date;
  readonly duplicate: boolean;
}

export const acceptedEventSchema = answerSchema<AcceptedEvent>('AcceptedEvent', {
  description: 'The event is durable: it will be delivered.',
  properties: {
    id: { type: 'string' },
    type: { type: 'string' },
    acceptedAt: time,
    duplicate: { type: 'boolean', description: 'True when this event had been accepted before.' },
  },
});

/** Why an event was refused; with an id when it isn't known whether it was kept. */
export interface RefusedEvent extends Problem {
  readonly id?: string;
}

export const refusedEventSchema = answerSchema<RefusedEvent>('RefusedEvent', {
  description: 'A problem with one event; `field` of its violations points into the event.',
  properties: {
    ...problemProperties,
    id: {
      type: 'string',
      description:
        'With `unavailable`: it is not known whether the event was kept. Publish it again with this `id`.',
    },
  },
  optional: ['violations', 'id'],
});

export interface BatchAnswer {
  readonly data: readonly (AcceptedEvent | RefusedEvent)[];
}

export const batchAnswerSchema = answerSchema<BatchAnswer>('EventBatchResults', {
  description: 'One result for each event, in their order.',
  properties: {
    data: {
      type: 'array',
      items: { oneOf: [acceptedEventSchema, refusedEventSchema] },
    },
  },
});

/** Nothing of a batch could be known, or there was room for nothing of it. */
export interface RefusedBatch extends Problem {
  readonly data?: BatchAnswer['data'];
}

export const refusedBatchSchema = answerSchema<RefusedBatch>('RefusedEventBatch', {
  description: 'A problem with the batch as a whole.',
  properties: {
    ...problemProperties,
    data: {
      type: 'array',
      items: refusedEventSchema,
      description: 'One result for each event, in their order.',
    },
  },
  optional: ['violations', 'data'],
});

/** An event as the API shows it in lists. */
export type EventView = Omit<Event, 'organisationId' | 'payload' | 'traceparent'>;

const eventProperties = {
  id: { type: 'string' },
  type: { type: 'string' },
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  subject: { type: ['string', 'null'] },
  idempotencyKey: { type: ['string', 'null'] },
  orderingKey: { type: ['string', 'null'] },
  routesTo: {
    type: ['string', 'null'],
    description: 'The ricloud endpoint that the publishing key names.',
  },
  deliverAt: described(timeOrNull, 'When it is to be delivered; null: at once.'),
  occurredAt: time,
  acceptedAt: time,
} as const satisfies Record<keyof EventView, Definition>;

const eventSchema = answerSchema<EventView>('EventSummary', {
  description: 'An event without its payload.',
  properties: eventProperties,
});

export const eventPageSchema = pageSchema(eventSchema);

export const eventWithDataSchema = answerSchema<EventView & { readonly data: unknown }>('Event', {
  description: 'An event with its payload.',
  properties: {
    ...eventProperties,
    data: { description: 'The payload, as the very bytes that were published.' },
  },
});

export function eventView(message: dispatchV1.Event): EventView {
  const { organisationId: _, payload: __, traceparent: ___, ...event } = eventFromMessage(message);
  return event;
}

/** The answer to an event that was accepted. An id that we made can only have been there before because we sent it twice. */
export function acceptedView(event: ingestV1.NewEvent, accepted: ingestV1.Accepted): AcceptedEvent {
  const isOwnResend = accepted.id === event.id && !event.idFromProducer;
  return {
    id: accepted.id,
    type: accepted.type,
    acceptedAt: accepted.acceptedAt ?? new Date(NaN),
    duplicate: accepted.duplicate && !isOwnResend,
  };
}

export interface ReplayInput {
  readonly endpoints?: readonly string[];
}

export const replaySchema = requestSchema<ReplayInput>('EventReplay', {
  properties: {
    endpoints: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 128 },
      minItems: 1,
      maxItems: 250,
      description: 'Ids or uids; every endpoint that the event has a delivery for when left out.',
    },
  },
});

/** What came of asking for an event again. */
export interface ReplayAnswer {
  readonly data: readonly DeliveryView[];
}

export const replayAnswerSchema = answerSchema<ReplayAnswer>('EventReplayResult', {
  properties: {
    data: { type: 'array', items: deliverySchema, description: 'The deliveries that are attempted.' },
  },
});

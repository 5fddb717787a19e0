import { replayFromMessage, type dispatchV1 } from '@posthorn/contracts';
import {
  deliveryStates,
  eventTypeNamePattern,
  eventTypePatternPattern,
  maxEventTypeLength,
  type DeliveryState,
  type Replay,
} from '@posthorn/models';
import { statusClasses, type StatusClass } from '../routing/status-class.ts';
import { jobHistory, jobState } from './job.ts';
import { described, id, time, timeOrNull } from './scalars.ts';
import { answerSchema, pageSchema, requestSchema, type Definition } from '../routing/schema.ts';

/** What is asked for of a replay and of a retry of many. */
interface PacedInput {
  readonly perSecond?: number;
  readonly dryRun?: boolean;
}

/** The body of `POST /v1/replays`. */
export interface ReplayInput extends PacedInput {
  readonly endpoint?: string;
  readonly eventId?: string;
  readonly since?: string;
  readonly until?: string;
  readonly states?: readonly DeliveryState[];
  readonly eventTypes?: readonly string[];
  readonly statusClass?: StatusClass;
  readonly includeUnmatched?: boolean;
}

/** The body of `POST /v1/deliveries/retry`: the filters of the list. */
export interface RetryInput extends PacedInput {
  readonly endpointId?: string;
  readonly eventId?: string;
  readonly eventType?: string;
  readonly state?: DeliveryState | readonly DeliveryState[];
  readonly statusClass?: StatusClass;
  readonly after?: string;
  readonly before?: string;
}

const state: Definition = { type: 'string', enum: deliveryStates };
const text: Definition = { type: 'string', minLength: 1, maxLength: 256 };
const statesStandard = '`failed`, `exhausted` and `held` when left out.';

const paced = {
  perSecond: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    description: 'How many are set going in a second at most; as many as endpoints take when left out.',
  },
  dryRun: { type: 'boolean', default: false, description: 'Only counts what would be sent.' },
} as const satisfies Record<keyof PacedInput, Definition>;

const statusClass: Definition = {
  type: 'string',
  enum: statusClasses,
  description: 'The HTTP status class of the last attempt.',
};

export const replayInputSchema = requestSchema<ReplayInput>('NewReplay', {
  description: 'Which deliveries are sent again: those that are all of this.',
  properties: {
    endpoint: described(text, 'The id or uid of an endpoint; of all endpoints when left out.'),
    eventId: described(text, 'The id of an event.'),
    since: described(time, 'Of events that were accepted from this moment on.'),
    until: described(time, 'Of events that were accepted before this moment; now when left out.'),
    states: {
      type: 'array',
      items: state,
      maxItems: deliveryStates.length,
      description: `The states that deliveries are in; ${statesStandard}`,
    },
    eventTypes: {
      type: 'array',
      items: { type: 'string', maxLength: maxEventTypeLength, pattern: eventTypePatternPattern },
      minItems: 1,
      maxItems: 100,
      description: 'Event types, or patterns as in `order.*`; any of them when left out.',
    },
    statusClass,
    includeUnmatched: {
      type: 'boolean',
      default: false,
      description:
        'Events too that the endpoint wants as it is now and has no delivery of: because they are older than it, or matched nothing then. Needs `endpoint`.',
    },
    ...paced,
  },
});

export const retryInputSchema = requestSchema<RetryInput>('DeliveriesRetry', {
  description: 'Which deliveries are retried, by the filters of their list; one of them at least.',
  properties: {
    endpointId: described(text, 'The id of an endpoint.'),
    eventId: described(text, 'The id of an event.'),
    eventType: {
      type: 'string',
      maxLength: maxEventTypeLength,
      pattern: eventTypeNamePattern,
      description: 'An event type, exactly.',
    },
    state: {
      oneOf: [state, { type: 'array', items: state, minItems: 1, maxItems: deliveryStates.length }],
      description: `A state or several; ${statesStandard}`,
    },
    statusClass,
    after: described(time, 'Created after this moment.'),
    before: described(time, 'Created before this moment.'),
    ...paced,
  },
});

/** A replay as the API shows it. */
export interface ReplayView extends Omit<Replay, 'organisationId' | 'selection'> {
  readonly endpoint: string | null;
  readonly eventId: string | null;
  readonly eventTypes: readonly string[] | null;
  readonly states: readonly DeliveryState[];
  readonly statusClass: StatusClass | null;
  readonly since: Date | null;
  readonly until: Date | null;
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  readonly includeUnmatched: boolean;
}

const count: Definition = { type: 'integer', minimum: 0 };
const textOrNull: Definition = { type: ['string', 'null'] };
const countOrNull: Definition = { type: ['integer', 'null'], minimum: 0 };

const progressSchema = answerSchema<Replay['progress']>('ReplayProgress', {
  description: 'How far a replay has come. `total` and `remaining` are null until it is counted.',
  properties: {
    total: described(countOrNull, 'What was found, counted in advance.'),
    done: described(count, 'Attempts that were set going; what came of them is with their deliveries.'),
    skipped: described(count, 'What could not be sent.'),
    skippedBecause: {
      type: 'object',
      additionalProperties: count,
      description:
        'How many for which reason: `payload_expired`, `in_progress` (an attempt of it is under way, or it is in another state by now), `endpoint_disabled`, `endpoint_not_ready` (paused, or not verified), `not_planned` (it goes out by itself), `test`.',
    },
    remaining: described(countOrNull, 'What is left; of a dry run, what would be sent.'),
    estimatedEndAt: timeOrNull,
  },
});

export const replayViewSchema = answerSchema<ReplayView>('Replay', {
  description: 'Many deliveries that are sent again, as a job.',
  properties: {
    id,
    state: jobState,
    trigger: {
      type: 'string',
      enum: ['replay', 'manual'],
      description: 'What its attempts are for: `manual` for a retry of many deliveries.',
    },
    endpoint: described(textOrNull, 'The id of the endpoint; null: all of them.'),
    eventId: textOrNull,
    eventTypes: { type: ['array', 'null'], items: { type: 'string' } },
    states: { type: 'array', items: state },
    statusClass: { type: ['string', 'null'], enum: [...statusClasses, null] },
    since: timeOrNull,
    until: timeOrNull,
    createdAfter: timeOrNull,
    createdBefore: timeOrNull,
    includeUnmatched: { type: 'boolean' },
    perSecond: countOrNull,
    dryRun: { type: 'boolean' },
    progress: progressSchema,
    ...jobHistory,
  },
});

export const replayPageSchema = pageSchema(replayViewSchema);

export function replayView(message: dispatchV1.Replay): ReplayView {
  const { organisationId: _, selection, ...replay } = replayFromMessage(message);
  return {
    ...replay,
    ...selection,
    eventTypes: selection.eventTypes.length === 0 ? null : selection.eventTypes,
    statusClass: statusClasses.find((name) => Number(name[0]) === selection.statusClass) ?? null,
  };
}

import { attemptFromMessage, type dispatchV1 } from '@posthorn/contracts';
import { attemptOutcomes, attemptTriggers, type AttemptOutcome, type AttemptTrigger } from '@posthorn/models';
import { answerSchema, pageSchema, type Definition } from '../routing/schema.ts';

/** One request to one endpoint, as the API shows it. */
export interface AttemptView {
  readonly id: string;
  readonly deliveryId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
  readonly status: number | null;
  readonly error: string | null;
  readonly response: AttemptResponseView | null;
  readonly address: string | null;
  readonly signature: string | null;
}

export interface AttemptResponseView {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly truncated: boolean;
}

const time: Definition = { type: 'string', format: 'date-time' };

const attemptResponseSchema = answerSchema<AttemptResponseView>('AttemptResponse', {
  description: 'The head of what the receiver answered.',
  properties: {
    headers: { type: 'object', additionalProperties: { type: 'string' } },
    body: { type: 'string', description: 'The first 4 KiB, as text.' },
    truncated: { type: 'boolean', description: 'Whether there was more.' },
  },
});

export const attemptSchema = answerSchema<AttemptView>('Attempt', {
  description: 'One request to one endpoint, and what came of it.',
  properties: {
    id: { type: 'string' },
    deliveryId: { type: 'string' },
    eventId: { type: 'string' },
    eventType: { type: 'string' },
    endpointId: { type: 'string' },
    number: { type: 'integer', minimum: 1, description: 'Counts the attempts of its delivery, from 1.' },
    trigger: { type: 'string', enum: attemptTriggers },
    startedAt: time,
    durationMs: { type: 'integer', minimum: 0 },
    outcome: {
      type: 'string',
      enum: attemptOutcomes,
      description:
        '`success` is a 2xx status and nothing else; `http_error` any other status. `refused`: no connection; `reset`: it broke before the answer was there; `blocked`: the address is not one that deliveries may reach; `too_large`: the head of the answer; `protocol`: what came back was not HTTP; `internal`: our own fault, or that of the proxy that deliveries leave through.',
    },
    status: { type: ['integer', 'null'], description: 'The HTTP status; null when none came.' },
    error: { type: ['string', 'null'], description: 'What went wrong, for people.' },
    response: { oneOf: [attemptResponseSchema, { type: 'null' }] },
    address: { type: ['string', 'null'], description: 'The address that was connected to.' },
    signature: { type: ['string', 'null'], description: 'The `webhook-signature` header as it was sent.' },
  },
});

export const attemptPageSchema = pageSchema(attemptSchema);

export function attemptView(message: dispatchV1.Attempt): AttemptView {
  const { organisationId: _, ...attempt } = attemptFromMessage(message);
  return attempt;
}

import { publishLimitsToMessage, type ingestV1 } from '@posthorn/contracts';
import { DomainError, newId, readTraceparent, type JsonRange, type Principal } from '@posthorn/models';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import { eventKeys, findEvents } from './batch-body.ts';
import { problemAnswer, toProblem } from '../routing/problem.ts';
import { readPublishBody, type PublishBodyOptions } from './publish-body.ts';
import type { Publisher, PublishOutcome } from './publish-stream.ts';
import { rateLimitHeaderDescriptions, rateLimitHeaders, type LimitsAnswer } from './rate-limit-headers.ts';
import { defineRoute, type Answer, type Call, type Route } from '../routing/route.ts';
import {
  acceptedEventSchema,
  acceptedView,
  batchAnswerSchema,
  eventBatchSchema,
  newEventSchema,
  refusedEventSchema,
  refusedBatchSchema,
  type AcceptedEvent,
  type BatchAnswer,
  type RefusedEvent,
} from '../schemas/event.ts';

/** What publishing is made of. */
export interface PublishDeps {
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Bytes of one event's JSON. */
  readonly maxEventBytes: number;
}

const maxBatchBytes = 16 * 1024 * 1024;
/** A batch is read in slices of this size, so that its parsing doesn't stop everyone else's requests. */
const sliceBytes = 64 * 1024;

/** Types a raw body for the handler; there is nothing in it. */
const asBytes: { readonly bytes?: Buffer } = {};

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
} as const;

const example = { type: 'order.paid', data: { orderId: 42, total: '12.50' }, labels: { region: 'eu' } };

/** Publishing: the hot path. An event is answered with 202 once it is durable. */
export function publishRoutes(deps: PublishDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/events',
      operationId: 'publishEvent',
      summary: 'Publish an event',
      description:
        'Answers when the event is durable. A 503 with an `id` says that it is not known whether it was kept: publish it again with that `id`. Where the organisation or the key has limits, the answer says how much of them is left.',
      tag: 'Events',
      scope: 'events:write',
      organisation: 'none',
      namesOrganisation: true,
      idempotency: 'own',
      body: {
        raw: true,
        ...asBytes,
        maxBytes: deps.maxEventBytes,
        content: {
          'application/json': {
            schema: newEventSchema,
            examples: { order: { summary: 'An order was paid', value: example } },
          },
        },
      },
      answers: {
        202: {
          description: 'The event is accepted.',
          schema: acceptedEventSchema,
          headers: rateLimitHeaderDescriptions,
        },
        429: {
          description: 'A limit of the organisation or of the key has no room for it. Nothing was kept.',
          headers: { ...retryAfter, ...rateLimitHeaderDescriptions },
          content: { 'application/problem+json': { schema: refusedEventSchema } },
        },
        503: {
          description: 'With an `id`: it is not known whether the event was kept. Without: it was not.',
          headers: retryAfter,
          content: { 'application/problem+json': { schema: refusedEventSchema } },
        },
      },
      errors: ['not_found', 'idempotency_mismatch', 'unavailable'],
      handle: (call) => publishOne(call, deps),
    }),
    defineRoute({
      method: 'post',
      path: '/v1/events/batch',
      operationId: 'publishEvents',
      summary: 'Publish up to 1,000 events',
      description:
        'One result for each event, in their order: what the single publish would have answered, or its problem. One bad event spoils none of the others. A 503 says that nothing of the batch could be known; its `data` has the `id` of each event to publish it again with. Each event counts for the limits of the organisation and of the key; those for which there is no room are 429s among the results, and the answer is one when all of them are. With `Idempotency-Key: k`, an event without a key of its own gets `k/0`, `k/1` … by its place.',
      tag: 'Events',
      scope: 'events:write',
      organisation: 'none',
      namesOrganisation: true,
      idempotency: 'own',
      body: {
        raw: true,
        ...asBytes,
        maxBytes: maxBatchBytes,
        content: {
          'application/json': {
            schema: eventBatchSchema,
            examples: { two: { summary: 'Two events', value: { events: [example, example] } } },
          },
          'application/x-ndjson': {
            schema: { type: 'string', description: 'An event a line.' },
          },
        },
      },
      answers: {
        202: { description: 'The results.', schema: batchAnswerSchema, headers: rateLimitHeaderDescriptions },
        429: {
          description: 'A limit of the organisation or of the key has room for none of them.',
          headers: { ...retryAfter, ...rateLimitHeaderDescriptions },
          content: { 'application/problem+json': { schema: refusedBatchSchema } },
        },
        503: {
          description: 'Nothing of the batch could be known.',
          headers: retryAfter,
          content: { 'application/problem+json': { schema: refusedBatchSchema } },
        },
      },
      errors: ['unavailable'],
      handle: (call) => publishBatch(call, deps),
    }),
  ];
}

type BytesCall = Call<unknown, unknown, Buffer>;

async function publishOne(call: BytesCall, deps: PublishDeps): Promise<Answer<AcceptedEvent>> {
  const outcome = await publishEvent(call, deps, { headerKey: call.header('idempotency-key') });
  const limits = rateLimitHeaders([outcome]);
  if (outcome.accepted !== undefined) return { status: 202, body: outcome.accepted, headers: limits };
  const { refused, id } = outcome;
  if (id === undefined && outcome.limits === undefined) throw refused;
  return withHeaders(problemAnswer(refused, call.requestId, { ...(id !== undefined && { id }) }), limits);
}

async function publishBatch(call: BytesCall, deps: PublishDeps): Promise<Answer<BatchAnswer>> {
  const keyOf = eventKeys(call.header('idempotency-key'));
  const publishing: Promise<Outcome | Refused>[] = [];
  const answered: LimitsAnswer[] = [];
  let bytes = 0;
  for (const range of findEvents(call.body, call.header('content-type'))) {
    publishing.push(publishPart(call, deps, { range, standardKey: keyOf(publishing.length), answered }));
    bytes += range.end - range.start;
    if (bytes > sliceBytes) {
      bytes = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const outcomes = await Promise.all(publishing);
  const data = outcomes.map((outcome) => resultOf(outcome, call.requestId));
  const limits = rateLimitHeaders(answered);
  const refused = refusalOfAll(outcomes);
  return refused === undefined
    ? { status: 202, body: { data }, headers: limits }
    : withHeaders(problemAnswer(refused, call.requestId, { data }), limits);
}

/** What is answered for a batch of which nothing could be known, or for which there was no room at all. */
function refusalOfAll(outcomes: readonly (Outcome | Refused)[]): DomainError | undefined {
  const refused = outcomes[0]?.refused;
  if (refused?.code !== 'unavailable' && refused?.code !== 'rate_limited') return undefined;
  return outcomes.every((outcome) => outcome.refused?.code === refused.code) ? refused : undefined;
}

function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer<never> {
  return { ...answer, headers: { ...answer.headers, ...headers } } as Answer<never>;
}

type Refused = Extract<PublishOutcome, { readonly refused: DomainError }>;

/** What the accept path says of an event. */
type Outcome = LimitsAnswer & ({ readonly accepted: AcceptedEvent; readonly refused?: undefined } | Refused);

/** Throws what is wrong with the event; what the accept path says of it is an outcome. */
async function publishEvent(
  call: BytesCall,
  { publisher, clock, random }: PublishDeps,
  options: Omit<PublishBodyOptions, 'now'>,
): Promise<Outcome> {
  const nowMs = clock.now();
  const { event, organisation } = readPublishBody(call.body, { ...options, now: new Date(nowMs) });
  const organisationId = call.organisationOf(organisation);
  event.organisationId = organisationId instanceof Promise ? await organisationId : organisationId;
  event.routesTo = call.principal.routesTo ?? undefined;
  event.limitedKey = limitedKeyOf(call.principal);
  event.traceparent = readTraceparent(call.header('traceparent'));
  // The id is fixed here, so that the event stays the same one however often it has to be sent on.
  if (event.id === '') event.id = newId(nowMs, random.bytes);
  const { organisationId: owner } = event;
  const outcome = await publisher.publish(event);
  if (outcome.accepted === undefined) return { ...outcome, organisationId: owner, limits: outcome.limits };
  const { accepted } = outcome;
  return { accepted: acceptedView(event, accepted), organisationId: owner, limits: accepted.limits };
}

function limitedKeyOf({ id, limits }: Principal): ingestV1.LimitedKey | undefined {
  return limits && { id, limits: publishLimitsToMessage(limits) };
}

/** Never rejects: an event of a batch that is refused spoils none of the others. */
async function publishPart(
  call: BytesCall,
  deps: PublishDeps,
  part: {
    readonly range: JsonRange;
    readonly standardKey: string | undefined;
    /** Gets what the accept path answers, in the order in which it does. */
    readonly answered: LimitsAnswer[];
  },
): Promise<Outcome | Refused> {
  try {
    const size = part.range.end - part.range.start;
    if (size > deps.maxEventBytes) {
      const message = `The event has ${size} bytes; at most ${deps.maxEventBytes} are accepted.`;
      throw new DomainError('payload_too_large', message);
    }
    const outcome = await publishEvent(call, deps, part);
    part.answered.push(outcome);
    return outcome;
  } catch (error) {
    const refused = DomainError.from(error);
    if (refused.code === 'internal') deps.logger.error({ err: error }, 'an event of a batch failed');
    return { refused, id: undefined };
  }
}

function resultOf(outcome: Outcome | Refused, requestId: string): AcceptedEvent | RefusedEvent {
  if (outcome.accepted !== undefined) return outcome.accepted;
  const { refused, id } = outcome;
  return { ...toProblem(refused, requestId), ...(id !== undefined && { id }) };
}

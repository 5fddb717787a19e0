import type { dispatchV1 } from '@posthorn/contracts';
import { attemptTriggerTable, replaySelectionToMessage, replayStateTable } from '@posthorn/contracts';
import {
  jobStates,
  replayedStates,
  type JobState,
  type ReplaySelection,
  type Violation,
} from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { choiceParameter, repeatable } from './routing/query.ts';
import { readTime } from './routing/rfc3339.ts';
import { defineRoute, type Answer, type Route } from './routing/route.ts';
import {
  replayInputSchema,
  replayPageSchema,
  replayView,
  replayViewSchema,
  retryInputSchema,
  type ReplayInput,
  type ReplayView,
  type RetryInput,
} from './schemas/replay.ts';
import { statusClassDigit } from './routing/status-class.ts';

const params = { id: { description: 'The id of the replay.' } };

const answers = {
  200: { description: 'Of a dry run: what would be sent.', schema: replayViewSchema },
  202: { description: 'The job, which begins at once.', schema: replayViewSchema },
};

/** Many deliveries sent again: replays, and retries by the filters of the list. */
export function replayRoutes({ replays }: Pick<GatewayClients, 'replays'>): readonly Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/v1/replays',
      operationId: 'createReplay',
      summary: 'Replay many deliveries',
      description:
        'Makes one attempt more of each delivery that is selected, under its id, in the order of their events and, where the endpoint asks for it, of their keys. A job: it goes on after a crash, as fast as endpoints take it or as `perSecond` says, and waits while its endpoint is paused. A delivery that succeeded stays so, also when the new attempt fails. Names an endpoint, an event or `since`, at least.',
      tag: 'Replays',
      scope: 'deliveries:write',
      organisation: 'required',
      body: {
        schema: replayInputSchema,
        check: checkReplay,
        examples: {
          outage: {
            summary: 'What an endpoint missed since noon',
            value: { endpoint: 'orders-eu', since: '2026-01-31T12:00:00.000Z', perSecond: 50 },
          },
          older: {
            summary: 'What is older than the endpoint',
            value: { endpoint: 'orders-eu', since: '2026-01-01T00:00:00.000Z', includeUnmatched: true },
          },
          count: { summary: 'Only count', value: { endpoint: 'orders-eu', dryRun: true } },
        },
      },
      answers,
      errors: ['failed_precondition'],
      async handle({ body, organisationId, rpc }) {
        const { replay } = await replays.createReplay(
          {
            organisationId,
            selection: replaySelectionToMessage(replaySelection(body)),
            trigger: attemptTriggerTable.toMessage('replay'),
            perSecond: body.perSecond,
            dryRun: body.dryRun ?? false,
          },
          rpc,
        );
        return created(found(replay));
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/deliveries/retry',
      operationId: 'retryDeliveries',
      summary: 'Retry many deliveries',
      description:
        'Those that the list shows with the same filters, as a job among the replays. At least one filter has to be given.',
      tag: 'Deliveries',
      scope: 'deliveries:write',
      organisation: 'required',
      body: {
        schema: retryInputSchema,
        check: checkRetry,
        examples: {
          failed: {
            summary: 'What was answered with 5xx since noon',
            value: { state: 'exhausted', statusClass: '5xx', after: '2026-01-31T12:00:00.000Z' },
          },
        },
      },
      answers,
      errors: ['failed_precondition'],
      async handle({ body, organisationId, rpc }) {
        const { replay } = await replays.createReplay(
          {
            organisationId,
            selection: replaySelectionToMessage(retrySelection(body)),
            trigger: attemptTriggerTable.toMessage('manual'),
            perSecond: body.perSecond,
            dryRun: body.dryRun ?? false,
          },
          rpc,
        );
        return created(found(replay));
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/replays',
      operationId: 'listReplays',
      summary: 'List replays',
      tag: 'Replays',
      scope: 'deliveries:read',
      organisation: 'required',
      query: {
        ...pageParameters,
        state: repeatable(choiceParameter<JobState>('A state; several mean any of them.', jobStates)),
      },
      answers: { 200: { description: 'The replays, newest first.', schema: replayPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const states = (query.state ?? []).map((state) => replayStateTable.toMessage(state));
        const list = await replays.listReplays({ organisationId, ...pageRequest(query), states }, rpc);
        return { status: 200, body: page(list.replays, list.nextCursor, replayView) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/replays/{id}',
      operationId: 'getReplay',
      summary: 'Read a replay and its progress',
      tag: 'Replays',
      scope: 'deliveries:read',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The replay.', schema: replayViewSchema } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { replay } = await replays.getReplay({ organisationId, id }, rpc);
        return { status: 200, body: replayView(found(replay)) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/replays/{id}/cancel',
      operationId: 'cancelReplay',
      summary: 'Cancel a replay',
      description: 'Nothing more is set going; what was goes out. A replay that has ended is a 409.',
      tag: 'Replays',
      scope: 'deliveries:write',
      organisation: 'required',
      params,
      answers: { 200: { description: 'The replay is cancelled.', schema: replayViewSchema } },
      errors: ['not_found', 'failed_precondition'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { replay } = await replays.cancelReplay({ organisationId, id }, rpc);
        return { status: 200, body: replayView(found(replay)) };
      },
    }),
  ];
}

function created(replay: dispatchV1.Replay): Answer<ReplayView> {
  return { status: replay.dryRun ? 200 : 202, body: replayView(replay) };
}

const everything: ReplaySelection = {
  endpoint: null,
  eventId: null,
  eventTypes: [],
  states: [],
  statusClass: null,
  since: null,
  until: null,
  createdAfter: null,
  createdBefore: null,
  includeUnmatched: false,
};

function replaySelection(input: ReplayInput): ReplaySelection {
  return {
    ...everything,
    endpoint: input.endpoint ?? null,
    eventId: input.eventId ?? null,
    eventTypes: input.eventTypes ?? [],
    states: input.states ?? (input.includeUnmatched ? replayedStates : []),
    statusClass: input.statusClass === undefined ? null : statusClassDigit(input.statusClass),
    since: timeOf(input.since),
    until: timeOf(input.until),
    includeUnmatched: input.includeUnmatched ?? false,
  };
}

function retrySelection(input: RetryInput): ReplaySelection {
  const { state = [] } = input;
  return {
    ...everything,
    endpoint: input.endpointId ?? null,
    eventId: input.eventId ?? null,
    eventTypes: input.eventType === undefined ? [] : [input.eventType],
    states: typeof state === 'string' ? [state] : state,
    statusClass: input.statusClass === undefined ? null : statusClassDigit(input.statusClass),
    createdAfter: timeOf(input.after),
    createdBefore: timeOf(input.before),
  };
}

/** A replay of everything that there ever was is nothing that anyone means. */
function checkReplay(input: Partial<ReplayInput>): readonly Violation[] {
  const violations = [...checkTimes(input, ['since', 'until'])];
  const { endpoint, eventId, since, states, includeUnmatched = false } = input;
  if (endpoint === undefined && eventId === undefined && since === undefined) {
    const message = 'This names neither an endpoint, nor an eventId, nor since: one of them is needed.';
    violations.push({ field: '', code: 'required', message });
  }
  if (states?.length === 0 && !includeUnmatched) {
    const message = 'This is empty; leave it out, or ask for includeUnmatched.';
    violations.push({ field: '/states', code: 'too_few', message });
  }
  return violations;
}

function checkRetry(input: Partial<RetryInput>): readonly Violation[] {
  const violations = [...checkTimes(input, ['after', 'before'])];
  const { perSecond: _, dryRun: __, ...filters } = input;
  if (Object.keys(filters).length === 0) {
    const message =
      'This names no filter; there are endpointId, eventId, eventType, state, statusClass, after and before.';
    violations.push({ field: '', code: 'required', message });
  }
  return violations;
}

function checkTimes<T extends string>(
  input: Readonly<Partial<Record<T, unknown>>>,
  names: readonly T[],
): readonly Violation[] {
  return names
    .filter((name) => typeof input[name] === 'string' && readTime(input[name]) === null)
    .map((name) => ({
      field: `/${name}`,
      code: 'invalid_format',
      message: 'This must be a time as in 2026-01-31T12:00:00.000Z.',
    }));
}

function timeOf(text: string | undefined): Date | null {
  return text === undefined ? null : readTime(text);
}

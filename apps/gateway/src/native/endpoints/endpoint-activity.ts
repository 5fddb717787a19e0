import { checkEventTypeName, DomainError, scanObject, type Violation } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import type { GatewayClients } from '../../clients.ts';
import { endpointParams } from './endpoints.ts';
import { found } from '../found.ts';
import { timeParameter } from '../routing/query.ts';
import { defineRoute, type Route } from '../routing/route.ts';
import { attemptSchema, attemptView } from '../schemas/attempt.ts';
import { endpointStatsSchema, endpointStatsView } from '../schemas/endpoint-stats.ts';
import { requestSchema } from '../routing/schema.ts';

interface TestEvent {
  readonly type?: string;
  readonly data?: unknown;
}

const testEventSchema = requestSchema<TestEvent>('TestEvent', {
  properties: {
    type: { type: 'string', description: 'The event type to send; `posthorn.test` when left out.' },
    data: { description: 'The payload, any JSON value; a small sample when left out.' },
  },
});

/** An attempt may take as long as the endpoint's timeout, which is at most a minute. */
const testDeadlineMs = 75_000;

/** Trying an endpoint out, and how it has fared. */
export function endpointActivityRoutes({
  endpoints,
  activity,
}: Pick<GatewayClients, 'endpoints' | 'activity'>): readonly Route[] {
  /** The dispatcher knows endpoints by their id only. */
  async function idOf(organisationId: string, idOrUid: string, rpc: CallOptions): Promise<string> {
    const { endpoint } = await endpoints.getEndpoint({ organisationId, idOrUid }, rpc);
    return found(endpoint).id;
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/endpoints/{id}/test',
      operationId: 'testEndpoint',
      summary: 'Send a test event',
      description:
        'Sends one signed request now, whatever the state of the endpoint and whichever events it asked for, and answers with what came of it. The event, its delivery and the attempt (trigger `test`) are on record like any other; it is not retried.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      deadlineMs: testDeadlineMs,
      body: {
        schema: testEventSchema,
        optional: true,
        check: ({ type }): readonly Violation[] =>
          type === undefined ? [] : checkEventTypeName(type, '/type'),
        examples: {
          order: {
            summary: 'A sample order',
            value: { type: 'order.paid', data: { order: { total: 120 } } },
          },
        },
      },
      answers: { 200: { description: 'What came of it, success or not.', schema: attemptSchema } },
      async handle({ params, body, bodyBytes, organisationId, rpc }) {
        const endpointId = await idOf(organisationId, params.id, rpc);
        const { attempt } = await activity.sendTest(
          { organisationId, endpointId, type: body.type ?? '', data: dataOf(bodyBytes) },
          rpc,
        );
        return { status: 200, body: attemptView(found(attempt)) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/endpoints/{id}/stats',
      operationId: 'getEndpointStats',
      summary: 'Read how an endpoint fared',
      tag: 'Endpoints',
      scope: 'endpoints:read',
      organisation: 'required',
      params: endpointParams,
      query: {
        after: timeParameter('Attempts from this moment on; the last 24 hours when left out.'),
        before: timeParameter('Attempts before this moment; now when left out.'),
      },
      answers: {
        200: { description: 'Attempts by outcome, in all and over time.', schema: endpointStatsSchema },
      },
      async handle({ params, query: { after, before }, organisationId, rpc }) {
        if (after !== undefined && before !== undefined && after >= before) {
          const message = 'This must be later than after.';
          throw DomainError.invalid([{ field: '?before', code: 'out_of_range', message }]);
        }
        const endpointId = await idOf(organisationId, params.id, rpc);
        const stats = await activity.getStats({ organisationId, endpointId, after, before }, rpc);
        return { status: 200, body: endpointStatsView(stats) };
      },
    }),
  ];
}

/** `data` as the very bytes that were sent; none when it wasn't. */
function dataOf(body: Uint8Array): Uint8Array {
  const scanned = scanObject(body);
  const data = scanned.ok ? scanned.members.find(({ key }) => key === 'data') : undefined;
  return data === undefined ? new Uint8Array() : body.subarray(data.start, data.end);
}

import { attemptOutcomeTable } from '@posthorn/contracts';
import { attemptOutcomes } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { choiceParameter, textParameter, timeParameter } from './routing/query.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { attemptPageSchema, attemptView } from './schemas/attempt.ts';
import { statusClassParameter } from './routing/status-class.ts';

/** Attempts across deliveries: what was sent, and what came back. */
export function attemptRoutes({ deliveries }: Pick<GatewayClients, 'deliveries'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/attempts',
      operationId: 'listAttempts',
      summary: 'List attempts',
      tag: 'Deliveries',
      scope: 'deliveries:read',
      organisation: 'required',
      query: {
        ...pageParameters,
        deliveryId: textParameter('The id of a delivery.'),
        endpointId: textParameter('The id of an endpoint.'),
        eventId: textParameter('The id of an event.'),
        eventType: textParameter('An event type, exactly.'),
        outcome: choiceParameter('What came of it.', attemptOutcomes),
        statusClass: statusClassParameter('The HTTP status class of the answer.'),
        after: timeParameter('Started after this moment.'),
        before: timeParameter('Started before this moment.'),
      },
      answers: { 200: { description: 'The attempts, newest first.', schema: attemptPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await deliveries.listAttempts(
          {
            organisationId,
            ...pageRequest(query),
            deliveryId: query.deliveryId,
            endpointId: query.endpointId,
            eventId: query.eventId,
            eventType: query.eventType,
            outcome: query.outcome === undefined ? undefined : attemptOutcomeTable.toMessage(query.outcome),
            statusClass: query.statusClass,
            after: query.after,
            before: query.before,
          },
          rpc,
        );
        return { status: 200, body: page(list.attempts, list.nextCursor, attemptView) };
      },
    }),
  ];
}

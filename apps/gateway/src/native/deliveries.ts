import { deliveryStateTable } from '@posthorn/contracts';
import { deliveryStates, type DeliveryState } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { found } from './found.ts';
import { page, pageParameters, pageRequest } from './routing/paging.ts';
import { choiceParameter, repeatable, textParameter, timeParameter } from './routing/query.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { attemptPageSchema, attemptView } from './schemas/attempt.ts';
import {
  deliveryPageSchema,
  deliverySchema,
  deliveryToKeep,
  deliveryView,
  type DeliveryView,
} from './schemas/delivery.ts';
import { statusClassParameter } from './routing/status-class.ts';

/** Deliveries: what became of each event at each endpoint, trying again, and giving up. */
export function deliveryRoutes({ deliveries }: Pick<GatewayClients, 'deliveries'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/deliveries',
      operationId: 'listDeliveries',
      summary: 'List deliveries',
      tag: 'Deliveries',
      scope: 'deliveries:read',
      organisation: 'required',
      query: {
        ...pageParameters,
        endpointId: textParameter('The id of an endpoint.'),
        eventId: textParameter('The id of an event.'),
        eventType: textParameter('An event type, exactly.'),
        state: repeatable(
          choiceParameter<DeliveryState>('A state; several mean any of them.', deliveryStates),
        ),
        statusClass: statusClassParameter('The HTTP status class of the last attempt.'),
        after: timeParameter('Created after this moment.'),
        before: timeParameter('Created before this moment.'),
      },
      answers: { 200: { description: 'The deliveries, newest first.', schema: deliveryPageSchema } },
      async handle({ query, organisationId, rpc }) {
        const list = await deliveries.listDeliveries(
          {
            organisationId,
            ...pageRequest(query),
            endpointId: query.endpointId,
            eventId: query.eventId,
            eventType: query.eventType,
            states: (query.state ?? []).map((state) => deliveryStateTable.toMessage(state)),
            statusClass: query.statusClass,
            after: query.after,
            before: query.before,
          },
          rpc,
        );
        return { status: 200, body: page(list.deliveries, list.nextCursor, deliveryView) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/deliveries/{id}',
      operationId: 'getDelivery',
      summary: 'Read a delivery',
      tag: 'Deliveries',
      scope: 'deliveries:read',
      organisation: 'required',
      params: { id: { description: 'The id of the delivery.' } },
      answers: { 200: { description: 'The delivery.', schema: deliverySchema } },
      errors: ['not_found'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { delivery } = await deliveries.getDelivery({ organisationId, id }, rpc);
        return { status: 200, body: deliveryView(found(delivery)) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/deliveries/{id}/attempts',
      operationId: 'listDeliveryAttempts',
      summary: "List a delivery's attempts",
      tag: 'Deliveries',
      scope: 'deliveries:read',
      organisation: 'required',
      params: { id: { description: 'The id of the delivery.' } },
      query: pageParameters,
      answers: { 200: { description: 'The attempts, newest first.', schema: attemptPageSchema } },
      errors: ['not_found'],
      async handle({ params: { id }, query, organisationId, rpc }) {
        const [list] = await Promise.all([
          deliveries.listAttempts(
            { organisationId, ...pageRequest(query), deliveryId: id, after: undefined, before: undefined },
            rpc,
          ),
          // An unknown delivery is not found; the list alone couldn't tell it from one without attempts.
          deliveries.getDelivery({ organisationId, id }, rpc),
        ]);
        return { status: 200, body: page(list.attempts, list.nextCursor, attemptView) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/deliveries/{id}/retry',
      operationId: 'retryDelivery',
      summary: 'Retry a delivery at once',
      description: 'Whatever its state. A delivery that succeeded stays so, also when this attempt fails.',
      tag: 'Deliveries',
      scope: 'deliveries:write',
      organisation: 'required',
      params: { id: { description: 'The id of the delivery.' } },
      idempotency: { redact: toKeep },
      answers: { 202: { description: 'An attempt is made now.', schema: deliverySchema } },
      errors: ['not_found', 'failed_precondition'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { delivery } = await deliveries.retryDelivery({ organisationId, id }, rpc);
        return { status: 202, body: deliveryView(found(delivery)) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/deliveries/{id}/cancel',
      operationId: 'cancelDelivery',
      summary: 'Cancel a delivery',
      description:
        'No further attempt is made; one that is under way ends. A delivery that has ended is a 409.',
      tag: 'Deliveries',
      scope: 'deliveries:write',
      organisation: 'required',
      params: { id: { description: 'The id of the delivery.' } },
      idempotency: { redact: toKeep },
      answers: { 200: { description: 'The delivery is cancelled.', schema: deliverySchema } },
      errors: ['not_found', 'failed_precondition'],
      async handle({ params: { id }, organisationId, rpc }) {
        const { delivery } = await deliveries.cancelDelivery({ organisationId, id }, rpc);
        return { status: 200, body: deliveryView(found(delivery)) };
      },
    }),
  ];
}

function toKeep(body: unknown): DeliveryView {
  return deliveryToKeep(body as DeliveryView);
}

import { deliveryStateTable } from '@posthorn/contracts';
import { deliveryStates, DomainError, mayReadFeed, type DeliveryState } from '@posthorn/models';
import type { GatewayClients } from '../clients.ts';
import { endpointParams } from './endpoints/endpoints.ts';
import { found } from './found.ts';
import { pageParameters, pageRequest } from './routing/paging.ts';
import { choiceParameter, repeatable, timeParameter } from './routing/query.ts';
import { defineRoute, type Route } from './routing/route.ts';
import { feedPageBytes, feedPageSchema } from './schemas/feed.ts';

/** What an endpoint was to get, for a receiver that looks for what it missed. */
export function feedRoutes({
  endpoints,
  activity,
}: Pick<GatewayClients, 'endpoints' | 'activity'>): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/endpoints/{id}/feed',
      operationId: 'readFeed',
      summary: "Read an endpoint's feed",
      description:
        'What the endpoint was to get, oldest first, acknowledged or not, for a receiver that looks for what it missed. Keep `nextCursor` and go on from it: nothing that comes later is missed, however late it comes. An event appears some seconds after it was published. A page ends after a megabyte of payloads. A key with the scope `feed:read` names one endpoint and reads its feed only; any other endpoint answers as if it were not there.',
      tag: 'Endpoints',
      scope: 'feed:read',
      organisation: 'required',
      params: endpointParams,
      query: {
        ...pageParameters,
        after: timeParameter('Without a cursor: accepted after this moment.'),
        state: repeatable(
          choiceParameter<DeliveryState>('A state, as it is now; several mean any of them.', deliveryStates),
        ),
      },
      answers: { 200: { description: 'The entries, oldest first.', schema: feedPageSchema } },
      errors: ['not_found'],
      async handle({ params, query, organisationId, principal, rpc }) {
        const { endpoint } = await endpoints.getEndpoint({ organisationId, idOrUid: params.id }, rpc);
        const { id: endpointId } = found(endpoint);
        if (!mayReadFeed(principal, endpointId)) {
          throw new DomainError('not_found', 'There is no such endpoint.');
        }
        const { state = [], after } = query;
        const states = state.map((one) => deliveryStateTable.toMessage(one));
        const page = await activity.readFeed(
          { organisationId, endpointId, ...pageRequest(query), after, states },
          rpc,
        );
        return { status: 200, bytes: feedPageBytes(page) };
      },
    }),
  ];
}

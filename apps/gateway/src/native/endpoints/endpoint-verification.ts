import type { GatewayClients } from '../../clients.ts';
import type { EndpointHealthLookup } from './endpoint-health.ts';
import { createEndpointAnswer, endpointParams, etagHeader } from './endpoints.ts';
import { found } from '../found.ts';
import { defineRoute, type Route } from '../routing/route.ts';
import { endpointSchema } from '../schemas/endpoint.ts';

/** Asking the receiver of an endpoint again whether it is one. */
export function endpointVerificationRoutes(
  { endpoints }: Pick<GatewayClients, 'endpoints'>,
  health: EndpointHealthLookup,
): readonly Route[] {
  const answerWith = createEndpointAnswer(health);
  return [
    defineRoute({
      method: 'post',
      path: '/v1/endpoints/{id}/verify',
      operationId: 'verifyEndpoint',
      summary: 'Verify an endpoint',
      description:
        'Begins a new round: a test event for `ricloud`, whose outcome decides, or a `webhook.verify` event for `xurrent`, whose callback must be called within 24 hours. Until then nothing else is sent. 409 for other dialects.',
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      answers: {
        200: { description: 'The endpoint, `pending`.', schema: endpointSchema, headers: etagHeader },
      },
      async handle({ params: { id: idOrUid }, organisationId, rpc }) {
        const { endpoint } = await endpoints.startVerification({ organisationId, idOrUid }, rpc);
        return answerWith(found(endpoint), rpc);
      },
    }),
  ];
}

import type { GatewayClients } from '../clients.ts';
import { gatewayPrincipal } from '../gateway-principal.ts';
import type { OpenRoute } from './routing/open-route.ts';
import { answerSchema } from './routing/schema.ts';

const confirmedSchema = answerSchema<{ readonly verification: 'passed' }>('VerificationConfirmed', {
  properties: { verification: { const: 'passed' } },
});

/**
 * Where the receiver of an endpoint calls us back to show that it is one. The URL came with a `webhook.verify` event; whoever has it may
 * call it, by either method and as often as they like while it is valid, also while the request that carried it is still open.
 */
export function callbackRoutes({ endpoints }: Pick<GatewayClients, 'endpoints'>): readonly OpenRoute[] {
  return [
    {
      path: '/callbacks/{code}',
      methods: ['get', 'post'],
      operationId: 'confirmVerification',
      summary: "Confirm an endpoint's verification",
      description:
        'The URL that a `webhook.verify` event carries (`payload.callback`), for 24 hours. A body is ignored.',
      params: { code: { description: 'As it came with the event.' } },
      answers: { 200: { description: 'The endpoint gets its events from now on.', schema: confirmedSchema } },
      errors: ['invalid_argument', 'not_found', 'unavailable', 'deadline_exceeded'],
      async answer({ params: { code = '' }, requestId }) {
        await endpoints.confirmVerification({ code }, { principal: gatewayPrincipal, requestId });
        return { status: 200, body: { verification: 'passed' }, headers: noStore };
      },
    },
  ];
}

const noStore = { 'Cache-Control': 'no-store' };

import { endpointStateTable } from '@posthorn/contracts';
import { DomainError, type EndpointState } from '@posthorn/models';
import type { GatewayClients } from '../../clients.ts';
import type { EndpointHealthLookup } from './endpoint-health.ts';
import { createEndpointAnswer, endpointParams, etagHeader } from './endpoints.ts';
import { found } from '../found.ts';
import { defineRoute, type Route } from '../routing/route.ts';
import { endpointSchema } from '../schemas/endpoint.ts';
import { requestSchema } from '../routing/schema.ts';

interface StateReason {
  readonly reason?: string;
}

const stateReasonSchema = requestSchema<StateReason>('StateReason', {
  properties: {
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: "Why, shown as the endpoint's `stateReason`; `manual` when left out.",
    },
  },
});

interface Action {
  readonly verb: 'enable' | 'disable' | 'pause' | 'resume';
  readonly state: EndpointState;
  readonly summary: string;
  readonly description: string;
  /** A disabled endpoint is enabled again on purpose, never by the way. */
  readonly refusesDisabled: boolean;
}

const actions: readonly Action[] = [
  {
    verb: 'enable',
    state: 'enabled',
    summary: 'Enable an endpoint',
    description: 'Whatever its state was. What was held is not sent by itself: replay what you want.',
    refusesDisabled: false,
  },
  {
    verb: 'disable',
    state: 'disabled',
    summary: 'Disable an endpoint',
    description: 'Events still match; their deliveries are held.',
    refusesDisabled: false,
  },
  {
    verb: 'pause',
    state: 'paused',
    summary: 'Pause an endpoint',
    description:
      'Events still match; their deliveries are held until it is resumed. A disabled endpoint is a 409.',
    refusesDisabled: true,
  },
  {
    verb: 'resume',
    state: 'enabled',
    summary: 'Resume an endpoint',
    description: 'After a pause. A disabled endpoint is a 409: enable it instead.',
    refusesDisabled: true,
  },
];

/** Switching endpoints on and off. Asking for the state that it has already changes nothing. */
export function endpointStateRoutes(
  { endpoints }: Pick<GatewayClients, 'endpoints'>,
  health: EndpointHealthLookup,
): readonly Route[] {
  const answerWith = createEndpointAnswer(health);
  return actions.map(({ verb, state, summary, description, refusesDisabled }) =>
    defineRoute({
      method: 'post',
      path: `/v1/endpoints/{id}/${verb}`,
      operationId: `${verb}Endpoint`,
      summary,
      description,
      tag: 'Endpoints',
      scope: 'endpoints:write',
      organisation: 'required',
      params: endpointParams,
      ifMatch: true,
      ...(state !== 'enabled' && { body: { schema: stateReasonSchema, optional: true } }),
      answers: {
        200: { description: 'The endpoint as it is now.', schema: endpointSchema, headers: etagHeader },
      },
      async handle({ params: { id: idOrUid }, body, organisationId, expectedVersion, rpc }) {
        if (refusesDisabled) {
          const present = await endpoints.getEndpoint({ organisationId, idOrUid }, rpc);
          refuseDisabled(endpointStateTable.fromMessage(found(present.endpoint).state, '/state'));
        }
        const reason = body?.reason ?? (state === 'enabled' ? '' : 'manual');
        const { endpoint } = await endpoints.setEndpointState(
          { organisationId, idOrUid, state: endpointStateTable.toMessage(state), reason, expectedVersion },
          rpc,
        );
        return answerWith(found(endpoint), rpc);
      },
    }),
  );
}

function refuseDisabled(state: EndpointState): void {
  if (state === 'disabled')
    throw new DomainError('failed_precondition', 'The endpoint is disabled; enable it first.');
}

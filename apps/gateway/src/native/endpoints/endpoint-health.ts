import { DomainError } from '@posthorn/models';
import type { CallOptions } from '@posthorn/rpc';
import type { Logger } from '@posthorn/runtime';
import type { GatewayClients } from '../../clients.ts';
import { healthView, type EndpointHealthView } from '../schemas/endpoint.ts';

/** The health of endpoints by their id; those that nothing is known of are missing. */
export type EndpointHealthLookup = (
  organisationId: string,
  endpointIds: readonly string[],
  rpc: CallOptions,
) => Promise<ReadonlyMap<string, EndpointHealthView>>;

/** Health is told beside what the owner wrote: it must not keep an endpoint from being read for long. */
const deadlineMs = 2_000;

/** Asks the dispatcher; answers with nothing when it is away, so that endpoints can be read and changed meanwhile. */
export function createEndpointHealthLookup(
  activity: GatewayClients['activity'],
  logger: Logger,
): EndpointHealthLookup {
  return async (organisationId, endpointIds, rpc) => {
    if (endpointIds.length === 0) return new Map();
    try {
      const { endpoints } = await activity.getHealth(
        { organisationId, endpointIds: [...endpointIds] },
        { ...rpc, deadlineMs },
      );
      return new Map(endpoints.map((health) => [health.endpointId, healthView(health)]));
    } catch (error) {
      logger.warn({ requestId: rpc.requestId, err: DomainError.from(error) }, 'endpoint health is not known');
      return new Map();
    }
  };
}

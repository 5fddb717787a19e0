/** Every route of the native API. Publishing comes first: it is what is called most, and routes are tried in this order. */
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import type { GatewayConfig } from '../config.ts';
import { attemptRoutes } from './attempts.ts';
import { auditRoutes } from './audit.ts';
import { deliveryRoutes } from './deliveries.ts';
import { endpointActivityRoutes } from './endpoints/endpoint-activity.ts';
import { encryptionRoutes } from './encryption.ts';
import { createEndpointHealthLookup } from './endpoints/endpoint-health.ts';
import { endpointSecretRoutes } from './endpoints/endpoint-secrets.ts';
import { endpointStateRoutes } from './endpoints/endpoint-state.ts';
import { endpointVerificationRoutes } from './endpoints/endpoint-verification.ts';
import { endpointRoutes } from './endpoints/endpoints.ts';
import { erasureRoutes } from './erasures.ts';
import { eventTypeRoutes } from './event-types.ts';
import { eventRoutes } from './events.ts';
import { feedRoutes } from './feed.ts';
import { filterRoutes } from './filters.ts';
import { keyRoutes } from './keys.ts';
import { organisationRoutes } from './organisations.ts';
import { policyRoutes } from './policies.ts';
import { publishRoutes } from './publishing/publish.ts';
import type { Publisher } from './publishing/publish-stream.ts';
import { replayRoutes } from './replays.ts';
import type { Route } from './routing/route.ts';

/** What the handlers of routes are made of. */
export interface RouteDeps {
  readonly clients: GatewayClients;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly publisher: Publisher;
  /** What is remembered of organisations counts no more. */
  readonly onOrganisationsChanged: () => void;
}

/** All routes; each file of the API contributes its own. */
export function createRoutes(deps: RouteDeps): readonly Route[] {
  const { clients, config } = deps;
  const health = createEndpointHealthLookup(clients.activity, deps.logger);
  return [
    ...publishRoutes({ ...deps, maxEventBytes: config.maxEventBytes }),
    ...organisationRoutes(clients, deps.onOrganisationsChanged),
    ...keyRoutes(clients, deps.clock),
    ...eventTypeRoutes(clients),
    ...endpointRoutes({ clients, config, health }),
    ...endpointStateRoutes(clients, health),
    ...endpointVerificationRoutes(clients, health),
    ...endpointSecretRoutes(clients),
    ...endpointActivityRoutes(clients),
    ...feedRoutes(clients),
    ...policyRoutes(clients),
    ...encryptionRoutes(clients),
    ...filterRoutes(),
    ...eventRoutes(deps),
    ...deliveryRoutes(clients),
    ...attemptRoutes(clients),
    ...replayRoutes(clients),
    ...erasureRoutes(clients),
    ...auditRoutes(clients),
  ];
}

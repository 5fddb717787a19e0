/** Every route of the native API, in the order of the reference. Publishing comes first: it is what is called most. */
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import type { GatewayConfig } from '../config.ts';
import { attemptRoutes } from './attempts.ts';
import { deliveryRoutes } from './deliveries.ts';
import type { Route } from './route.ts';

/** What the handlers of routes are made of. */
export interface RouteDeps {
  readonly clients: GatewayClients;
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** All routes; each file of the API contributes its own. */
export function createRoutes(deps: RouteDeps): readonly Route[] {
  const { clients } = deps;
  return [...deliveryRoutes(clients), ...attemptRoutes(clients)];
}

/** The native API's routes as values, for tests that look at them and call none. */
import { createMetrics, silentLogger, systemClock, systemRandom } from '@posthorn/runtime';
import type { GatewayClients } from '../clients.ts';
import type { GatewayConfig } from '../config.ts';
import type { Route } from '../native/routing/route.ts';
import { createRoutes } from '../native/routes.ts';

export function createSilentRoutes(clients: GatewayClients, config: GatewayConfig): readonly Route[] {
  return createRoutes({
    onOrganisationsChanged: () => undefined,
    clients,
    config,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: createMetrics(),
    publisher: { publish: () => Promise.reject(new Error('unused')), stop: () => undefined },
  });
}

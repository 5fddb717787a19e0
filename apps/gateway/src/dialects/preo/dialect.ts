/** The dialect preo: webhook endpoints and their deliveries, as a Django REST Framework API shows them. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';
import { createPreoRoutes } from './routes.ts';

export function createPreoDialect({ settings, clients }: DialectDeps): Dialect {
  return {
    name: 'preo',
    basePaths: settings.basePaths,
    schemes: ['bearer'],
    accepts: { trailingSlash: true },
    organisation: { headers: [], unknown: 'not_found' },
    routes: createPreoRoutes(clients),
    reference: {
      tag: settings.brand,
      description: `Webhook endpoints as the clients of ${settings.brand} know them. A slash at the end of a path is accepted.`,
      security: { preoToken: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
      failures,
    },
    renderFailure,
  };
}

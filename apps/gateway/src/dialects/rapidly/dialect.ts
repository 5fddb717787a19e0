/** The dialect rapidly: webhook endpoints, all attempts to deliver to them, and sending once more. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';
import { createRapidlyRoutes } from './routes.ts';

export function createRapidlyDialect({ settings, clients }: DialectDeps): Dialect {
  return {
    name: 'rapidly',
    basePaths: settings.basePaths,
    schemes: ['bearer'],
    organisation: { headers: [], unknown: 'not_found' },
    routes: createRapidlyRoutes(clients),
    reference: {
      tag: settings.brand,
      description: `Webhooks as the clients of ${settings.brand} know them. A key of one organisation is a workspace token, an operator's key a user token.`,
      security: { rapidlyToken: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
      failures,
    },
    renderFailure,
  };
}

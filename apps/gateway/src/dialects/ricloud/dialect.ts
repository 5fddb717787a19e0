/** The dialect ricloud: webhook configs, their tests as tasks, and the events that went to them. Its client is ricloud-py. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';
import { ricloudRoutes } from './routes.ts';

export function createRicloudDialect(deps: DialectDeps): Dialect {
  const { settings } = deps;
  return {
    name: 'ricloud',
    basePaths: settings.basePaths,
    schemes: ['token'],
    organisation: { headers: ['posthorn-organisation'], unknown: 'not_found' },
    routes: ricloudRoutes(deps),
    reference: {
      tag: settings.brand,
      description: 'Webhook configs as the clients of ricloud know them.',
      security: {
        ricloudToken: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'An API key: `Authorization: Token phk_…`.',
        },
      },
      headers: {
        'Ricloud-Await': {
          description: 'Seconds that the answer may be held until a test has ended, at most 10.',
          schema: { type: 'integer', minimum: 0, maximum: 10, default: 0 },
        },
        'Posthorn-Organisation': {
          description: 'The organisation to act for, by id or slug. Operator keys only.',
          schema: { type: 'string' },
        },
      },
      failures,
    },
    renderFailure,
  };
}

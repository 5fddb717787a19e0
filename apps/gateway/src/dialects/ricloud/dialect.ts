/** The dialect ricloud: webhook configs, their tests as tasks, and the events that went to them. Its client is ricloud-py. */
import type { Dialect, DialectDeps } from '../dialect.ts';
import { failures, renderFailure } from './errors.ts';

export function createRicloudDialect({ settings }: DialectDeps): Dialect {
  return {
    name: 'ricloud',
    basePaths: settings.basePaths,
    schemes: ['token'],
    organisation: { headers: ['posthorn-organisation'], unknown: 'not_found' },
    routes: [],
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
      failures,
    },
    renderFailure,
  };
}

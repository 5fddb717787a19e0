/** What the `posthorn` command takes from its environment. */
import type { ApiClientOptions } from './api-client.ts';
import type { Io } from './io.ts';
import type { GlobalOptions } from './root-command.ts';

/** How to reach the API: options first, then the environment. */
export function connectionOf(options: GlobalOptions, env: Io['env']): ApiClientOptions {
  return {
    url: options.url ?? (env['POSTHORN_URL'] || 'http://127.0.0.1:8080'),
    key: options.key ?? (env['POSTHORN_KEY'] || null),
    organisation: options.organisation ?? (env['POSTHORN_ORGANISATION'] || null),
  };
}

/** What the command line takes from the environment (docs/configuration.md). */
import { configEntry, configParsers, readConfig, type Environment } from '@posthorn/runtime';
import type { ApiClientOptions } from './client/api-client.ts';

const { text, url } = configParsers;

/** The process's own environment. */
export const environment: Environment = process.env;

/** How the command line reaches the API. */
export const clientConfig = {
  url: configEntry({
    env: 'POSTHORN_URL',
    parser: url,
    default: 'http://127.0.0.1:8080',
    description: 'Where the platform listens. `--url` comes first.',
  }),
  key: configEntry({
    env: 'POSTHORN_KEY',
    parser: text(),
    default: null,
    secret: true,
    description: 'The API key. `--key` comes first.',
  }),
  organisation: configEntry({
    env: 'POSTHORN_ORGANISATION',
    parser: text(),
    default: null,
    description:
      'The id or slug of the organisation that an operator key acts for. `--organisation` comes first.',
  }),
  fromToken: configEntry({
    env: 'POSTHORN_FROM_TOKEN',
    parser: text(),
    default: null,
    secret: true,
    description: 'The token of the API that `posthorn import` reads. `--from-token` comes first.',
  }),
} as const;

/** What the command line may say of it, instead of the environment. */
export interface ConnectionOptions {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly organisation?: string | undefined;
}

/** Where the API is, and who asks. */
export type Connection = Pick<ApiClientOptions, 'url' | 'key' | 'organisation'>;

/** How to reach the API: options first, then the environment. Throws a `ConfigError` with all problems. */
export function connectionOf(options: ConnectionOptions, env: Environment): Connection {
  const config = readConfig(clientConfig, env);
  return {
    url: options.url ?? config.url,
    key: options.key ?? config.key,
    organisation: options.organisation ?? config.organisation,
  };
}

/** The token that `posthorn import` reads another API with: the option, then the environment. */
export function fromTokenOf(option: string | undefined, env: Environment): string | null {
  return option ?? readConfig(clientConfig, env).fromToken;
}

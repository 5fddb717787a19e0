/** What the standalone platform takes from the environment (docs/configuration.md). */
import { dialectConfigSpec, dialectsConfigOf, type DialectsConfig } from '@posthorn/gateway';
import {
  auditConfig,
  clientAddressConfig,
  configEntry,
  endpointLimitConfig,
  publishLimitsConfig,
  configNames,
  configParsers,
  ConfigError,
  oidcConfig,
  oidcProblems,
  oidcSettingsOf,
  payloadConfig,
  processConfig,
  publicConfig,
  readConfig,
  brandingConfig,
  egressConfig,
  endpointConfig,
  targetConfig,
  type ConfigOf,
  type Environment,
  type OidcSettings,
} from '@posthorn/runtime';
import { clientConfig } from './config.ts';
import { encryptionKeyParser } from './encryption/encryption-key.ts';

const { integer, list, path, text } = configParsers;

/** How the standalone platform runs. */
export const serveConfig = {
  port: configEntry({
    env: 'POSTHORN_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: 8080,
    description: 'The port of the REST API, the reference, the metrics and the probes; 0 for any free one.',
  }),
  host: configEntry({
    env: 'POSTHORN_HOST',
    parser: text({ maxLength: 255 }),
    default: '127.0.0.1',
    description: 'The address to listen on; `0.0.0.0` for all of IPv4, `::` for all.',
  }),
  grpcPort: configEntry({
    env: 'POSTHORN_GRPC_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: null,
    defaultText: 'off',
    description:
      'The port on which internal callers publish over gRPC (posthorn.ingest.v1) with an API key; 0 for any free one.',
  }),
  dataDir: configEntry({
    env: 'POSTHORN_DATA_DIR',
    parser: path,
    default: path.parse('./data') ?? './data',
    defaultText: './data',
    description:
      'Where everything is kept: the database, and the encryption key when none is given. One process at a time.',
  }),
  operatorKey: configEntry({
    env: 'POSTHORN_OPERATOR_KEY',
    parser: text({ minLength: 32, maxLength: 512 }),
    default: null,
    secret: true,
    description:
      'The token of the operator key. Without it one is made on the first start and printed once. A new value replaces the one that was configured before.',
  }),
  encryptionKeys: configEntry({
    env: 'POSTHORN_ENCRYPTION_KEY',
    parser: list(encryptionKeyParser),
    default: null,
    defaultText: '`encryption.key` in the data directory, made when it is not there',
    secret: true,
    description:
      'What endpoint secrets are sealed with: the first key seals, all open. To change it, give the new one behind the old one, then before it, run `posthorn rotate-encryption-key`, then leave the old one out, with a restart each time.',
  }),
  ...publicConfig,
  ...targetConfig,
  ...egressConfig,
  ...endpointConfig,
  ...brandingConfig,
  ...payloadConfig,
  ...publishLimitsConfig,
  ...endpointLimitConfig,
  ...dialectConfigSpec,
  ...oidcConfig,
  ...auditConfig,
  ...clientAddressConfig,
  ...processConfig,
} as const;

export interface ServeConfig extends ConfigOf<typeof serveConfig> {
  /** The dialects that are on, from the variables about them. */
  readonly dialects: DialectsConfig;
  /** Whose OIDC tokens are taken beside API keys. */
  readonly oidc: OidcSettings | null;
}

/** What `posthorn serve` may be told on the command line, instead of by the environment. */
export interface ServeOptions {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
}

/** Reads the platform's configuration; throws a `ConfigError` with all problems. Options come before the environment. */
export function readServeConfig(options: ServeOptions, env: Environment): ServeConfig {
  const given = {
    ...env,
    ...(options.port !== undefined && { [serveConfig.port.env]: options.port }),
    ...(options.host !== undefined && { [serveConfig.host.env]: options.host }),
    ...(options.dataDir !== undefined && { [serveConfig.dataDir.env]: options.dataDir }),
  };
  const values = readConfig(serveConfig, given, { knownNames: configNames(clientConfig) });
  const problems = oidcProblems(values);
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...values, dialects: dialectsConfigOf(values), oidc: oidcSettingsOf(values) };
}

/** What the service takes from the environment (docs/configuration.md), where it is a process of its own. */
import { transportSecurityProblems } from '@posthorn/rpc';
import {
  auditConfig,
  configEntry,
  configParsers,
  endpointLimitConfig,
  everyServiceConfig,
  grpcServerConfig,
  mongodbConfig,
  readServiceConfig,
  serviceAddressConfig,
  targetConfig,
  type ConfigOf,
  type Environment,
} from '@posthorn/runtime';

const { bytes32, list, text } = configParsers;

/** The process's own environment. */
export const environment: Environment = process.env;

export const configServiceSpec = {
  ...grpcServerConfig,
  ...everyServiceConfig,
  ingestAddress: serviceAddressConfig.ingestAddress,
  ...mongodbConfig,
  ...targetConfig,
  ...endpointLimitConfig,
  ...auditConfig,
  encryptionKeys: configEntry({
    env: 'POSTHORN_ENCRYPTION_KEY',
    parser: list(bytes32),
    secret: true,
    description:
      'What endpoint secrets are sealed with: the first key seals, all open. To change it, give the new one behind the old one, then before it, run `posthorn rotate-encryption-key`, then leave the old one out, with a restart each time.',
  }),
  operatorKey: configEntry({
    env: 'POSTHORN_OPERATOR_KEY',
    parser: text({ minLength: 32, maxLength: 512 }),
    secret: true,
    description: 'The token of the operator key. A new value replaces the one that was configured before.',
  }),
} as const;

export type ConfigServiceConfig = ConfigOf<typeof configServiceSpec>;

/** Throws a `ConfigError` with everything that is wrong. */
export function readConfigServiceConfig(env: Environment): ConfigServiceConfig {
  return readServiceConfig(configServiceSpec, env, (config) => [
    ...transportSecurityProblems(config),
    ...(config.encryptionKeys.length === 0
      ? [{ variable: 'POSTHORN_ENCRYPTION_KEY', message: 'POSTHORN_ENCRYPTION_KEY must have a key.' }]
      : []),
  ]);
}

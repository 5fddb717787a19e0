/** What the service takes from the environment (docs/configuration.md), where it is a process of its own. */
import { kafkaProblems } from '@posthorn/event-log';
import { transportSecurityProblems } from '@posthorn/rpc';
import {
  brandingConfig,
  endpointConfig,
  egressConfig,
  everyServiceConfig,
  grpcServerConfig,
  kafkaConfig,
  mongodbConfig,
  publicConfig,
  readServiceConfig,
  serviceAddressConfig,
  targetConfig,
  type ConfigOf,
  type Environment,
} from '@posthorn/runtime';

/** The process's own environment. */
export const environment: Environment = process.env;

export const dispatcherSpec = {
  ...grpcServerConfig,
  ...everyServiceConfig,
  configAddress: serviceAddressConfig.configAddress,
  ingestAddress: serviceAddressConfig.ingestAddress,
  ...mongodbConfig,
  ...kafkaConfig,
  allowTargets: targetConfig.allowTargets,
  dnsServers: targetConfig.dnsServers,
  ...egressConfig,
  ...endpointConfig,
  ...publicConfig,
  ...brandingConfig,
} as const;

export type DispatcherConfig = ConfigOf<typeof dispatcherSpec>;

/** Throws a `ConfigError` with everything that is wrong. */
export function readDispatcherConfig(env: Environment): DispatcherConfig {
  return readServiceConfig(dispatcherSpec, env, (config) => [
    ...transportSecurityProblems(config),
    ...kafkaProblems(config),
  ]);
}

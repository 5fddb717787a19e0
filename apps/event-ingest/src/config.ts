/** What the service takes from the environment (docs/configuration.md), where it is a process of its own. */
import { eventSizeProblems, kafkaProblems } from '@posthorn/event-log';
import { transportSecurityProblems } from '@posthorn/rpc';
import {
  everyServiceConfig,
  grpcServerConfig,
  kafkaConfig,
  mongodbConfig,
  oidcConfig,
  oidcProblems,
  payloadConfig,
  publishLimitsConfig,
  readServiceConfig,
  serviceAddressConfig,
  type ConfigOf,
  type Environment,
} from '@posthorn/runtime';

/** The process's own environment. */
export const environment: Environment = process.env;

export const ingestSpec = {
  ...grpcServerConfig,
  ...everyServiceConfig,
  configAddress: serviceAddressConfig.configAddress,
  ...mongodbConfig,
  ...kafkaConfig,
  ...payloadConfig,
  ...publishLimitsConfig,
  ...oidcConfig,
} as const;

export type IngestConfig = ConfigOf<typeof ingestSpec>;

/** Throws a `ConfigError` with everything that is wrong. */
export function readIngestConfig(env: Environment): IngestConfig {
  return readServiceConfig(ingestSpec, env, (config) => [
    ...transportSecurityProblems(config),
    ...kafkaProblems(config),
    ...eventSizeProblems(config),
    ...oidcProblems(config),
  ]);
}

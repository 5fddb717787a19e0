/**
 * The variables of a deployment of the four services, each declared once; a service's config.ts picks those that it reads.
 * All processes may be given the same environment: what only others read is no problem.
 */
import {
  ConfigError,
  configNames,
  readConfig,
  type ConfigOf,
  type ConfigProblem,
  type ConfigSpec,
  type Environment,
} from '../config-reader.ts';
import { processConfig } from '../run-service.ts';
import { adminConfig } from './admin-config.ts';
import { auditConfig, clientAddressConfig } from './audit-config.ts';
import { kafkaConfig, mongodbConfig } from './datastore-config.ts';
import { grpcSecurityConfig, grpcServerConfig, serviceAddressConfig } from './grpc-config.ts';
import { oidcConfig } from './oidc-config.ts';
import { payloadConfig } from './payload-config.ts';
import { publicConfig } from './public-config.ts';
import { egressConfig, targetConfig } from './target-config.ts';

/** What every one of the four reads. */
export const everyServiceConfig = { ...adminConfig, ...grpcSecurityConfig, ...processConfig } as const;

/** The names of all variables that several services read. */
const deploymentNames: readonly string[] = [
  everyServiceConfig,
  grpcServerConfig,
  serviceAddressConfig,
  auditConfig,
  clientAddressConfig,
  mongodbConfig,
  kafkaConfig,
  oidcConfig,
  payloadConfig,
  publicConfig,
  targetConfig,
  egressConfig,
].flatMap(configNames);

/**
 * Reads what a service takes from the environment. Throws a `ConfigError` with all problems: of single variables first,
 * and once each is right by itself, of their combination.
 */
export function readServiceConfig<S extends ConfigSpec>(
  spec: S,
  env: Environment,
  problemsOf: (config: ConfigOf<S>) => readonly ConfigProblem[],
): ConfigOf<S> {
  const config = readConfig(spec, env, { knownNames: deploymentNames, ignoresOthers: true });
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** The gateway's settings, and the variables that they come from. Nothing else of the gateway reads the environment. */
import { createAllowList, type UrlPolicy } from '@posthorn/models';
import { transportSecurityProblems } from '@posthorn/rpc';
import {
  clientAddressConfig,
  configEntry,
  configParsers,
  everyServiceConfig,
  oidcConfig,
  oidcProblems,
  oidcSettingsOf,
  payloadConfig,
  publicConfig,
  readServiceConfig,
  serviceAddressConfig,
  targetConfig,
  type ConfigOf,
  type Environment,
  type OidcSettings,
} from '@posthorn/runtime';
import { dialectConfigSpec, dialectsConfigOf, type DialectsConfig } from './dialects/settings.ts';

export interface GatewayConfig {
  /** The address to listen on. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What every link of ours begins with; the listening address when null. */
  readonly publicUrl: string | null;
  /** The largest event that is accepted, in bytes of its JSON. */
  readonly maxEventBytes: number;
  /** Streams to event-ingest that publishes ride on: one (the default) within the process, a few over the network. */
  readonly publishStreams?: number;
  /** Which URLs endpoints may have, so that a refusal comes with everything else that is wrong. */
  readonly urlPolicy: UrlPolicy;
  /** Other APIs that are served beside the native one. */
  readonly dialects: DialectsConfig;
  /** Whose OIDC tokens are taken beside API keys; nobody's when null or absent. */
  readonly oidc?: OidcSettings | null;
  /** Ranges of the proxies whose `X-Forwarded-For` is believed; none when absent. */
  readonly trustedProxies?: readonly string[];
  /** The process has an admin port: probes and metrics are there, and not on the port of the API. */
  readonly hasAdminPort?: boolean;
  /** Posthorn's version, for the reference. */
  readonly version: string;
}

const { integer, text } = configParsers;

/** The process's own environment. */
export const environment: Environment = process.env;

/** The variables that the gateway reads, where it is a process of its own. */
export const gatewaySpec = {
  host: configEntry({
    env: 'POSTHORN_HOST',
    parser: text({ maxLength: 255 }),
    default: '127.0.0.1',
    description: 'The address that the REST API listens on; `0.0.0.0` or `::` for all of them.',
  }),
  port: configEntry({
    env: 'POSTHORN_PORT',
    parser: integer({ min: 0, max: 65_535 }),
    default: 8080,
    description: 'The port that the REST API listens on; 0 for any free one.',
  }),
  ...publicConfig,
  publishStreams: configEntry({
    env: 'POSTHORN_PUBLISH_STREAMS',
    parser: integer({ min: 1, max: 64 }),
    default: 4,
    description:
      'Streams to event-ingest that publishes ride on together; each goes to one replica of it, so as many as there are replicas, or more.',
  }),
  ...payloadConfig,
  allowTargets: targetConfig.allowTargets,
  requireHttps: targetConfig.requireHttps,
  ...dialectConfigSpec,
  ...oidcConfig,
  ...clientAddressConfig,
  ...serviceAddressConfig,
  ...everyServiceConfig,
} as const;

export type GatewayValues = ConfigOf<typeof gatewaySpec>;

/** Throws a `ConfigError` with everything that is wrong. */
export function readGatewayValues(env: Environment): GatewayValues {
  const values = readServiceConfig(gatewaySpec, env, (read) => [
    ...transportSecurityProblems(read),
    ...oidcProblems(read),
  ]);
  dialectsConfigOf(values);
  return values;
}

/** The settings of the REST API, of values that were read. */
export function gatewayConfigOf(values: GatewayValues, version: string): GatewayConfig {
  const { host, port, publicUrl, publishStreams, maxEventBytes, allowTargets, requireHttps } = values;
  return {
    host,
    port,
    publicUrl,
    publishStreams,
    maxEventBytes,
    urlPolicy: { requireHttps, allow: createAllowList(allowTargets) },
    dialects: dialectsConfigOf(values),
    oidc: oidcSettingsOf(values),
    trustedProxies: values.trustedProxies,
    hasAdminPort: true,
    version,
  };
}

/** The gateway's settings, and the variables that they come from. Nothing else of the gateway reads the environment. */
import { createAllowList, type UrlPolicy } from '@posthorn/models';
import { configEntry, configParsers, readConfig, type ConfigOf, type Environment } from '@posthorn/runtime';
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
  /** Posthorn's version, for the reference. */
  readonly version: string;
}

const { boolean, bytes, cidr, integer, list, text, url } = configParsers;

/** The variables that the gateway reads. `config` and `dispatcher` read those about targets too. */
export const gatewayConfigSpec = {
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
  publicUrl: configEntry<string, string | null>({
    env: 'POSTHORN_PUBLIC_URL',
    parser: url,
    default: null,
    defaultText: 'the address that is listened on',
    description: 'Where the REST API is reached from outside: every link in an answer begins with it.',
  }),
  maxEventBytes: configEntry({
    env: 'POSTHORN_MAX_EVENT_BYTES',
    parser: bytes({ min: 1024, max: 16 * 1024 * 1024 }),
    default: 256 * 1024,
    description:
      'The largest event that is accepted, as the bytes of its JSON. A larger one is answered with 413.',
  }),
  allowTargets: configEntry<readonly string[]>({
    env: 'POSTHORN_ALLOW_TARGETS',
    parser: list(cidr),
    default: [],
    description:
      'Addresses that deliveries may reach although they are not public, for example `127.0.0.0/8`.',
  }),
  requireHttps: configEntry({
    env: 'POSTHORN_REQUIRE_HTTPS',
    parser: boolean,
    default: false,
    description: 'Whether endpoints must have https URLs; targets in `POSTHORN_ALLOW_TARGETS` are exempt.',
  }),
  ...dialectConfigSpec,
} as const;

/** What is known of the deployment and doesn't come from the environment. */
export type GatewayBuild = Pick<GatewayConfig, 'version' | 'publishStreams'>;

/** The settings of values that were read with `gatewayConfigSpec`, possibly among others. */
export function gatewayConfigOf(
  values: ConfigOf<typeof gatewayConfigSpec>,
  build: GatewayBuild,
): GatewayConfig {
  const { host, port, publicUrl, maxEventBytes, allowTargets, requireHttps } = values;
  return {
    host,
    port,
    publicUrl,
    maxEventBytes,
    urlPolicy: { requireHttps, allow: createAllowList(allowTargets) },
    dialects: dialectsConfigOf(values),
    ...build,
  };
}

/** The settings from an environment. Throws a `ConfigError` with everything that is wrong. */
export function readGatewayConfig(env: Environment, build: GatewayBuild): GatewayConfig {
  return gatewayConfigOf(readConfig(gatewayConfigSpec, env), build);
}

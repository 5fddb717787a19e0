/**
 * `posthorn serve`: the platform in the foreground until SIGTERM or SIGINT. Standard output has what a person (or a script that
 * waits for `listening on`) needs; the log goes to standard error, JSON lines.
 */
import { DomainError } from '@posthorn/models';
import { brandingOf, createMetrics, publishLimitsOf, runService } from '@posthorn/runtime';
import { readServeConfig, type ServeConfig, type ServeOptions } from './serve-config.ts';
import { keptEncryptionKeys } from './encryption/encryption-key.ts';
import type { Io } from './terminal/io.ts';
import { startPlatform, type Platform } from './platform.ts';
import { version } from './version.ts';

/** Kept of the stop timeout, so that the platform's own stop ends before the process is ended. */
const stopMarginMs = 500;

/**
 * Starts the platform; resolves when it is ready, and the process ends with it. With `--check-config` on the command line the
 * configuration is only read. Exit codes: 0 stopped, 1 failed, 2 bad configuration.
 */
export function serve(options: ServeOptions, io: Io): Promise<void> {
  return runService({
    name: 'posthorn',
    logDestination: 'stderr',
    readConfig: () => readServeConfig(options, io.env),
    async start(config, { logger, lifecycle }) {
      try {
        const platform = await startPlatform({
          ...config,
          branding: brandingOf(config),
          limits: { ...publishLimitsOf(config), endpoints: config.limitEndpoints },
          ...(config.encryptionKeys === null
            ? keptEncryptionKeys(config.dataDir)
            : { encryptionKeys: config.encryptionKeys }),
          version,
          logger,
          metrics: createMetrics({ process: true }),
        });
        lifecycle.defer('platform', () => platform.stop(config.stopTimeoutMs - stopMarginMs));
        io.stdout.write(greeting(platform, config));
      } catch (error) {
        if (error instanceof DomainError) io.stderr.write(`posthorn: ${error.message}\n`);
        throw error;
      }
    },
  });
}

/** The key comes before `listening on`: whoever waits for that line has it by then. */
function greeting({ address, grpcPort, newOperatorKey }: Platform, { host, dataDir }: ServeConfig): string {
  const operatorKey =
    newOperatorKey === null
      ? []
      : [
          `operator key ${newOperatorKey}`,
          '  (shown this once: keep it; POSTHORN_KEY is where the command line looks for it)',
        ];
  return [
    ...operatorKey,
    `listening on ${address}`,
    `  reference ${address}/docs`,
    `  metrics   ${address}/metrics`,
    `  probes    ${address}/livez ${address}/readyz`,
    ...(grpcPort === null ? [] : [`  grpc      ${host}:${grpcPort}`]),
    `  data      ${dataDir}`,
    '',
  ].join('\n');
}

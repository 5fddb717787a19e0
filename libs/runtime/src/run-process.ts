/**
 * The command line and the life of a service that is a process of its own. `--help` tells what it reads from the environment,
 * `--check-config` only reads it, `--healthcheck` asks a running one whether it is ready (for containers without curl);
 * without arguments it runs until SIGTERM. The admin port is open from beginning to end; the last thing that a start
 * does is to say that it is ready, so the first thing that a stop does is to say that it isn't.
 */
import { startAdminServer } from './admin-server.ts';
import { systemClock, type Clock } from './clock.ts';
import { readConfig, type ConfigOf, type ConfigSpec, type Environment } from './config-reader.ts';
import { adminConfig } from './deployment/admin-config.ts';
import type { everyServiceConfig } from './deployment/deployment-config.ts';
import type { LogDestination } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { checkHealth, describeProcess } from './process-commands.ts';
import { createReadiness, type Readiness } from './readiness.ts';
import { exitCodes, runService, type ProcessPort, type ServiceContext } from './run-service.ts';

/** What a service may use of its process. */
export interface ProcessContext extends ServiceContext {
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly clock: Clock;
}

/** A service as its main.ts describes it. */
export interface ProcessDefinition<C extends ConfigOf<typeof everyServiceConfig>> {
  readonly name: string;
  /** What it is for, in a sentence. */
  readonly summary: string;
  readonly environment: Environment;
  /** What it reads from the environment. */
  readonly spec: ConfigSpec;
  /** Throws a `ConfigError` with all problems. */
  readonly readConfig: (env: Environment) => C;
  /** Acquires what the service needs, from top to bottom, and resolves when it can be sent work. */
  readonly start: (config: C, context: ProcessContext) => Promise<void>;
  /** Standard output when absent. */
  readonly logDestination?: LogDestination;
}

const knownArguments = ['--help', '--json', '--check-config', '--healthcheck'];

/** Runs a service, or answers what its command line asks. Exit codes: see `runService`; 1 for a healthcheck that fails. */
export async function runProcess<C extends ConfigOf<typeof everyServiceConfig>>(
  definition: ProcessDefinition<C>,
  { process: port = process, clock = systemClock }: { process?: ProcessPort; clock?: Clock } = {},
): Promise<void> {
  const { name, environment } = definition;
  const args = port.argv.slice(2);
  const unknown = args.find((argument) => !knownArguments.includes(argument));
  if (unknown !== undefined) {
    port.stderr.write(`${unknown} is not known; --help tells what is.\n`);
    return port.exit(exitCodes.badConfiguration);
  }
  if (args.includes('--help')) {
    port.stdout.write(describeProcess(definition, { json: args.includes('--json') }));
    return port.exit(exitCodes.stopped);
  }
  if (args.includes('--healthcheck')) {
    const { isHealthy, message } = await checkHealth(readConfig(adminConfig, environment));
    (isHealthy ? port.stdout : port.stderr).write(`${message}\n`);
    return port.exit(isHealthy ? exitCodes.stopped : exitCodes.failed);
  }
  return runService(
    {
      name,
      readConfig: () => definition.readConfig(environment),
      start: (config, context) => start(definition, config, { ...context, clock }),
      ...(definition.logDestination !== undefined && { logDestination: definition.logDestination }),
    },
    { process: port, clock },
  );
}

async function start<C extends ConfigOf<typeof everyServiceConfig>>(
  definition: ProcessDefinition<C>,
  config: C,
  context: ServiceContext & { readonly clock: Clock },
): Promise<void> {
  const { logger, lifecycle, clock } = context;
  const metrics = createMetrics({ process: true });
  const readiness = createReadiness({ clock, logger });
  const admin = await startAdminServer({
    host: config.adminHost,
    port: config.adminPort,
    metrics,
    reasons: () => readiness.reasons(),
  });
  lifecycle.defer('admin port', () => admin.close());
  logger.info({ port: admin.port }, 'the admin port is open');
  const stopping = (): void => readiness.stopping();
  // Ends a start that still waits for something.
  lifecycle.defer('waiting', stopping);
  await definition.start(config, { ...context, metrics, readiness });
  readiness.started();
  lifecycle.defer('readiness', stopping);
}

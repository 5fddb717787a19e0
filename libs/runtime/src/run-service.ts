/**
 * The one life of every service: read the configuration (all problems at once), start, run until SIGTERM or SIGINT, release
 * everything in reverse order and in bounded time, exit. What nobody caught ends the process: its state isn't known any more.
 */
import { systemClock, type Clock } from './clock.ts';
import { durationMs, choice } from './config-parsers.ts';
import { ConfigError, configEntry } from './config-reader.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLogger, logLevels, type LogDestination, type LogLevel, type Logger } from './logger.ts';
import { onStopSignals } from './stop-signals.ts';

/** How a process ended. */
export const exitCodes = { stopped: 0, failed: 1, badConfiguration: 2 } as const;

/** The entries that every service's configuration has. */
export const processConfig = {
  logLevel: configEntry({
    env: 'POSTHORN_LOG_LEVEL',
    parser: choice(logLevels),
    default: 'info',
    description: 'The least important log lines that are written.',
  }),
  stopTimeoutMs: configEntry({
    env: 'POSTHORN_STOP_TIMEOUT_MS',
    parser: durationMs({ min: 1_000, max: 600_000 }),
    default: 25_000,
    description:
      'How long a stop may take; what is in flight by then is cut off and due again after the next start.',
  }),
} as const;

/** What a running service may use of its process. */
export interface ServiceContext {
  readonly logger: Logger;
  /** Takes the release of whatever is acquired. */
  readonly lifecycle: Lifecycle;
}

/** A service as `main.ts` describes it. */
export interface RunnableService<C> {
  readonly name: string;
  /** Throws a `ConfigError` with all problems. */
  readonly readConfig: () => C;
  /** Acquires what the service needs and resolves when it is ready. */
  readonly start: (config: C, context: ServiceContext) => Promise<void>;
  /** Standard output unless it is needed for something else. */
  readonly logDestination?: LogDestination;
}

/** What is used of `process`; tests give their own. */
export interface ProcessPort {
  readonly argv: readonly string[];
  on(event: string, listener: (value: unknown) => void): unknown;
  exit(code: number): void;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a service until the process ends; with `--check-config` among the arguments it only reads the configuration.
 * Exit codes: 0 stopped, 1 failed (to start, to stop in time, or by an error that nobody caught), 2 bad configuration.
 */
export async function runService<C extends { readonly logLevel: LogLevel; readonly stopTimeoutMs: number }>(
  service: RunnableService<C>,
  { process: port = process, clock = systemClock }: { process?: ProcessPort; clock?: Clock } = {},
): Promise<void> {
  const config = tryReadConfig(service, port);
  if (config === undefined) return port.exit(exitCodes.badConfiguration);
  if (port.argv.includes('--check-config')) {
    port.stdout.write('The configuration is valid.\n');
    return port.exit(exitCodes.stopped);
  }

  const logger = createLogger({
    service: service.name,
    level: config.logLevel,
    ...(service.logDestination !== undefined && { destination: service.logDestination }),
  });
  const lifecycle = new Lifecycle({
    logger,
    clock,
    stepTimeoutMs: config.stopTimeoutMs,
    totalTimeoutMs: config.stopTimeoutMs,
  });
  watchProcess(port, clock, logger, lifecycle);

  try {
    await service.start(config, { logger, lifecycle });
    logger.info('ready');
  } catch (error) {
    // A start that was ended by a stop hasn't failed, and the stop ends the process.
    if (lifecycle.isClosing) return;
    logger.fatal({ err: error }, 'could not start');
    await lifecycle.close();
    port.exit(exitCodes.failed);
  }
}

function tryReadConfig<C>(service: RunnableService<C>, port: ProcessPort): C | undefined {
  try {
    return service.readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    port.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

function watchProcess(port: ProcessPort, clock: Clock, logger: Logger, lifecycle: Lifecycle): void {
  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, 'stopping');
    const clean = await lifecycle.close();
    logger.info({ clean }, 'stopped');
    port.exit(clean ? exitCodes.stopped : exitCodes.failed);
  };
  onStopSignals(port, clock, {
    first: (signal) => void stop(signal),
    again: (signal) => {
      logger.warn({ signal }, 'stopping at once');
      port.exit(exitCodes.failed);
    },
  });
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    port.on(event, (error) => {
      logger.fatal({ err: error }, event);
      port.exit(exitCodes.failed);
    });
  }
}

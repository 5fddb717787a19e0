/**
 * JSON lines, one object each, by pino. Secrets don't belong into log calls in the first place; the names below are
 * blanked anyway, at the top of the fields and one level down. Of an error nothing is written but what it is and says: what else hangs on
 * it may be anything, such as the documents that a database refused.
 */
import { pino, stdSerializers, type Logger as PinoLogger } from 'pino';

/** A pino logger: `logger.info({ fields }, 'message')`. */
export type Logger = PinoLogger;

/** The levels of a log line, from the most to the least detailed; `silent` writes nothing. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Where log lines go; `write` gets one whole line with its line feed. */
export type LogDestination = 'stdout' | 'stderr' | { write(line: string): void };

export interface LoggerOptions {
  /** Written on every line as `service`. */
  readonly service: string;
  /** `info` by default. */
  readonly level?: LogLevel;
  /** `stdout` by default. */
  readonly destination?: LogDestination;
}

const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'secret',
  'secrets',
  'token',
  'tokens',
  'password',
  'encryptionKey',
  'operatorKey',
]);

const censor = '[redacted]';

/** Lines that standard output doesn't take are kept up to this, then dropped: a stuck pipe must not eat the memory. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** Makes the logger of a service. Writing never blocks; what is buffered is flushed when the process exits. */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? 'stdout';
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: [...secretNames], censor },
      // Not a path such as `*.secret` above: with one of those every line is seven times as expensive.
      formatters: { level: (label) => ({ level: label }), log: blankNested },
      serializers: { err: errorFields },
    },
    typeof destination === 'object'
      ? destination
      : pino.destination({
          dest: destination === 'stdout' ? 1 : 2,
          sync: false,
          maxLength: maxBufferedBytes,
        }),
  );
}

/** Message and stack are those of its causes, too. What was thrown and is no error is its type. */
function errorFields(thrown: unknown): object {
  if (!isErrorLike(thrown)) return { type: typeof thrown };
  const { type, message, stack, code } = stdSerializers.err(thrown);
  return { type, message, stack, code: code as unknown };
}

/** An error, also one of another realm. */
function isErrorLike(value: unknown): value is Error {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}

/** The fields with secrets blanked within the plain objects among them; copied only where there is one. */
function blankNested(fields: Record<string, unknown>): Record<string, unknown> {
  let blanked: Record<string, unknown> | undefined;
  for (const name in fields) {
    const value = fields[name];
    if (!isPlainObject(value)) continue;
    const secrets = Object.keys(value).filter((key) => secretNames.has(key));
    if (secrets.length === 0) continue;
    blanked ??= { ...fields };
    blanked[name] = { ...value, ...Object.fromEntries(secrets.map((key) => [key, censor])) };
  }
  return blanked ?? fields;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error);
}

/** Writes nothing; for tests. */
export const silentLogger: Logger = pino({ level: 'silent' });

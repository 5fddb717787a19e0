import type { Logger } from '@posthorn/runtime';
import { logLevel, type LogEntry } from 'kafkajs';

/**
 * kafkajs's log in ours. It tries again by itself after most of what it calls an error, and calls each rebalance one: here a
 * line is a warning at most, and what belongs to an ordinary rebalance is for debugging. What it gives up on comes back to
 * us as an error, and is logged by whoever called it.
 */
export function kafkaLogLines(logger: Logger): () => (entry: LogEntry) => void {
  return () =>
    ({ namespace, level, log }) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log;
      const line = namespace === '' ? message : `${namespace}: ${message}`;
      logger[levelOf(level, message)]({ kafka: plain(fields) }, line);
    };
}

const ordinary = /rebalanc|not aware of this member|re-?join|resync group/i;

function levelOf(level: logLevel, message: string): 'debug' | 'info' | 'warn' | 'trace' {
  // Every error that Kafka answers with is logged as such before anyone knows whether it matters.
  const isOrdinary = ordinary.test(message) || message.startsWith('Response ');
  switch (level) {
    case logLevel.ERROR:
      return isOrdinary ? 'debug' : 'warn';
    case logLevel.WARN:
      return isOrdinary ? 'debug' : 'info';
    case logLevel.INFO:
      return 'debug';
    case logLevel.DEBUG:
    case logLevel.NOTHING:
      return 'trace';
  }
}

/** Only what prints well: kafkajs also hands over errors, buffers and whole requests. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? value.message : Buffer.isBuffer(value) ? `${value.length} bytes` : value,
    ]),
  );
}

/**
 * What an operator sees of a call: a point in a histogram (its count is the count of calls), a debug line, and a warning
 * with the private story when it failed on our side.
 */
import type { DomainError, ErrorCode } from '@posthorn/models';
import type { Clock, Histogram, Logger, Metrics } from '@posthorn/runtime';
import type { CallState } from './call-context.ts';

/** How a call ended. */
export type CallResult = 'ok' | ErrorCode;

/** Where what happened to calls is told. */
export interface CallObserver {
  readonly clock: Clock;
  /** @param error as the handler threw it, with its cause */
  finished(path: string, state: CallState, startedAt: number, error: DomainError | null): void;
}

export interface CallObserverOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Makes the observer of a server or of in-process clients; those that share a registry share the histogram. */
export function createCallObserver({ logger, metrics, clock }: CallObserverOptions): CallObserver {
  const duration: Histogram<'method' | 'code'> = metrics.histogram({
    name: 'posthorn_rpc_duration_seconds',
    help: 'Time from the arrival of an RPC to its answer, by method and code of the answer.',
    labels: ['method', 'code'],
  });

  return {
    clock,
    finished(path, state, startedAt, error) {
      const code: CallResult = error === null ? 'ok' : error.code;
      const durationMs = clock.monotonic() - startedAt;
      duration.observe({ method: path, code }, durationMs / 1000);
      const fields = { method: path, code, durationMs, requestId: state.requestId };
      if (error?.code === 'internal') logger.warn({ ...fields, err: error.cause ?? error }, 'rpc failed');
      else if (logger.isLevelEnabled('debug')) logger.debug(fields, 'rpc');
    },
  };
}

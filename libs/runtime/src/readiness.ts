/**
 * Whether a process should be sent work, and if not, why. While it starts it waits for what it depends on, for as long as
 * that takes: crashing in a loop would help nobody, and hide the reason. Once it is ready it stays so until it stops: while
 * a dependency is away calls are answered with `unavailable`, and taking every replica out of service would only hide that.
 */
import { DomainError } from '@posthorn/models';
import { sleep, type Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** See `createReadiness`. */
export interface Readiness {
  /** Why no work should come here now; none when it should. */
  reasons(): readonly string[];
  /**
   * Does what needs a dependency, again and again while that is away (`unavailable`, `deadline_exceeded`): first after
   * half a second, later every five. Anything else rejects at once. Rejects when the process stops meanwhile.
   */
  waitFor<T>(dependency: string, attempt: () => Promise<T>): Promise<T>;
  /** The start is over. */
  started(): void;
  /** Nothing more should come. */
  stopping(): void;
}

const firstRetryMs = 500;
const longestRetryMs = 5_000;

/** Makes the readiness of a process that starts. */
export function createReadiness({
  clock,
  logger,
}: {
  readonly clock: Clock;
  readonly logger: Logger;
}): Readiness {
  const waiting = new Map<string, string>();
  const end = new AbortController();
  let isStarting = true;

  return {
    reasons() {
      if (end.signal.aborted) return ['stopping'];
      if (waiting.size > 0)
        return [...waiting].map(([dependency, why]) => `waiting for ${dependency}: ${why}`);
      return isStarting ? ['starting'] : [];
    },

    async waitFor(dependency, attempt) {
      waiting.set(dependency, 'connecting');
      let hasWaited = false;
      for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
        try {
          const result = await attempt();
          waiting.delete(dependency);
          if (hasWaited) logger.info({ dependency }, 'no longer waiting');
          return result;
        } catch (error) {
          if (!isAway(error)) throw error;
          const reason = reasonOf(error);
          waiting.set(dependency, reason);
          hasWaited = true;
          logger.warn({ dependency, reason, retryMs }, `waiting for ${dependency}`);
        }
        await sleep(clock, retryMs, end.signal);
        if (end.signal.aborted) throw new Error(`stopped while waiting for ${dependency}`);
      }
    },

    started() {
      isStarting = false;
    },

    stopping() {
      end.abort();
    },
  };
}

function isAway(error: unknown): boolean {
  const { code } = DomainError.from(error);
  return code === 'unavailable' || code === 'deadline_exceeded';
}

/** In words for an operator: the public message, and what is behind it. */
function reasonOf(error: unknown): string {
  const { message, cause } = DomainError.from(error);
  const behind = cause instanceof Error ? cause.message : detailsOf(cause);
  return behind === '' ? message : `${message} (${behind})`;
}

/** What gRPC says is in `details`. */
function detailsOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null || !('details' in cause)) return '';
  return typeof cause.details === 'string' ? cause.details : '';
}

import { DomainError } from '@posthorn/models';
import type { Clock, Logger, Timer } from '@posthorn/runtime';
import type { UsageRequest, UsageStore, UsageTaken } from './usage-store.ts';

/**
 * The store, for callers that can't wait: an answer that takes longer than two seconds is `unavailable`, and after one that was, only
 * one caller a second finds out whether it still is. So a store that is away holds up publishes under a limit for two seconds,
 * once, and not those behind them on the same stream.
 */
export interface GuardedUsageStore {
  take(request: UsageRequest): Promise<UsageTaken>;
  /** Best effort: what can't be given back is lost until its window ends. */
  giveBack(counter: string, taken: Pick<UsageTaken, 'window' | 'taken'>): Promise<void>;
}

const patienceMs = 2000;
const retryAfterMs = 1000;

export function guardUsageStore(
  store: UsageStore,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): GuardedUsageStore {
  /** Null: the store answered last time. */
  let awaySinceMs: number | null = null;
  let isProbed = false;

  async function giveBack(counter: string, taken: Pick<UsageTaken, 'window' | 'taken'>): Promise<void> {
    try {
      if (taken.taken > 0) await store.giveBack(counter, taken);
    } catch (error) {
      logger.warn({ err: error, counter }, 'what was not used of a limit could not be given back');
    }
  }

  function away(cause?: unknown): DomainError {
    const message = 'The limits cannot be checked at the moment. Nothing was kept; try again soon.';
    return new DomainError('unavailable', message, { retryAfterMs, cause });
  }

  /** What is answered too late is given back. */
  function inTime(request: UsageRequest): Promise<UsageTaken> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer: Timer = clock.setTimeout(() => {
        isLate = true;
        reject(new Error('The store did not answer in time.'));
      }, patienceMs);
      store.take(request).then(
        (taken) => {
          clock.clearTimeout(timer);
          if (isLate) void giveBack(request.counter, taken);
          else resolve(taken);
        },
        (error: unknown) => {
          clock.clearTimeout(timer);
          reject(DomainError.from(error));
        },
      );
    });
  }

  return {
    giveBack,
    async take(request) {
      if (awaySinceMs !== null) {
        if (isProbed || clock.monotonic() - awaySinceMs < retryAfterMs) throw away();
        isProbed = true;
      }
      try {
        const taken = await inTime(request);
        if (awaySinceMs !== null) logger.info('the limits can be checked again');
        awaySinceMs = null;
        return taken;
      } catch (error) {
        if (awaySinceMs === null)
          logger.warn({ err: error }, 'the limits cannot be checked: publishes under one are refused');
        awaySinceMs = clock.monotonic();
        throw away(error);
      } finally {
        isProbed = false;
      }
    },
  };
}

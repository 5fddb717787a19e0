/**
 * How much was used of what is limited: one counter for each limit, for all processes of the deployment together. A counter counts
 * within a window of time (a second, a day); windows are numbered since the epoch, and a new one begins at nothing.
 *
 * What was taken belongs to the taker, used or not, so what all of them may use together is never above the limit. Windows follow
 * the clock that is ahead: who comes with an older number takes from the present window. Clocks that are further apart than
 * `windowsAhead` would each begin a window of their own; whoever is that far ahead is taken for wrong, and isn't followed.
 */
export interface UsageStore {
  /**
   * Takes up to `wanted` of what is left, or nothing where that is less than `least`; of concurrent callers none gets what another
   * has. Resolves when it is durable. Error: `unavailable` when the store is away; something may have been taken then.
   */
  take(request: UsageRequest): Promise<UsageTaken>;
  /** Returns what was taken in a window and not used. Does nothing when that window has passed. */
  giveBack(counter: string, taken: Pick<UsageTaken, 'window' | 'taken'>): Promise<void>;
  /** Removes at most `limit` counters that expired at or before `now`; answers how many. */
  sweep(now: Date, limit: number): Promise<number>;
}

export interface UsageRequest {
  readonly counter: string;
  /** The present one by the caller's clock. */
  readonly window: number;
  /** How many windows another process's clock may be ahead of the caller's. */
  readonly windowsAhead: number;
  /** How much may be taken within a window in all. */
  readonly limit: number;
  /** At least 1, and at most `wanted`. */
  readonly least: number;
  readonly wanted: number;
  /** From when on nobody needs the counter any more. */
  readonly expiresAt: Date;
}

export interface UsageTaken {
  /** From which window it was taken: the caller's, or one that a process with a faster clock has begun. */
  readonly window: number;
  readonly taken: number;
  /** What all processes have taken in that window by now. */
  readonly used: number;
}

/** A counter as it is stored. */
export interface StoredUsage {
  readonly window: number;
  readonly used: number;
}

/** What a request gets of a counter; the rule that every adapter obeys. */
export function takeUsage(stored: StoredUsage | null, request: UsageRequest): UsageTaken {
  const { window: wantedWindow, windowsAhead, limit, least, wanted } = request;
  const ahead = stored === null ? -1 : stored.window - wantedWindow;
  const isPresent = stored !== null && ahead >= 0 && ahead <= windowsAhead;
  const { window, used } = isPresent ? stored : { window: wantedWindow, used: 0 };
  const left = Math.max(0, limit - used);
  const taken = left < least ? 0 : Math.min(wanted, left);
  return { window, taken, used: used + taken };
}

/** What a counter is after something was given back; null when it stays as it is. */
export function returnUsage(
  stored: StoredUsage | null,
  { window, taken }: Pick<UsageTaken, 'window' | 'taken'>,
): StoredUsage | null {
  return stored?.window === window && taken > 0 ? { window, used: Math.max(0, stored.used - taken) } : null;
}

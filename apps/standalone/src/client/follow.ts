/**
 * Follows a list that grows at its head (newest first) by asking again and again: each item is given once, oldest first.
 * Bounded in every way: pages read in a round, items remembered; what is skipped because too much arrived is counted.
 */
import { sleep, type Clock } from '@posthorn/runtime';
import { isTransient } from './api-error.ts';

export interface FollowOptions<T> {
  /** The items after a moment (exclusive), newest first. */
  readonly newest: (after: string) => AsyncIterable<T>;
  readonly idOf: (item: T) => string;
  readonly timeOf: (item: T) => string;
  /** Where to begin: items up to this moment aren't given. */
  readonly since: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
  /** How far back each round looks again, for items that became visible late; 5 s by default. */
  readonly overlapMs?: number;
  /** How many items a round takes at most; 2,500 by default. */
  readonly maxPerRound?: number;
  /** Called when a round had more than it takes. */
  readonly onSkipped?: () => void;
  /** Called when the API is away; the next round comes as usual. */
  readonly onAway?: (error: Error) => void;
  /** Called after each round, before the wait. */
  readonly afterRound?: () => Promise<void>;
}

/** Yields items until the signal aborts. Rejects when the API refuses; goes on when it is only away. */
export async function* follow<T>(options: FollowOptions<T>): AsyncGenerator<T, void, undefined> {
  const { newest, idOf, timeOf, clock, signal } = options;
  const overlapMs = options.overlapMs ?? 5_000;
  const maxPerRound = options.maxPerRound ?? 2_500;
  const since = Date.parse(options.since);
  let latest = since;
  /** Times of what was given, by id: as much of it as the next round will see again. */
  let given = new Map<string, number>();

  while (!signal.aborted) {
    const after = Math.max(since, latest - overlapMs);
    const fresh: T[] = [];
    try {
      let seen = 0;
      for await (const item of newest(new Date(after).toISOString())) {
        seen += 1;
        if (seen > maxPerRound) {
          options.onSkipped?.();
          break;
        }
        if (!given.has(idOf(item))) fresh.push(item);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error)) throw error;
      options.onAway?.(error);
      fresh.length = 0;
    }
    for (const item of fresh.reverse()) {
      const time = Date.parse(timeOf(item));
      latest = Math.max(latest, time);
      given.set(idOf(item), time);
      yield item;
    }
    given = new Map([...given].filter(([, time]) => time >= latest - overlapMs));
    await options.afterRound?.();
    await sleep(clock, options.intervalMs ?? 1_000, signal);
  }
}

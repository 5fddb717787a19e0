/**
 * Remembers what another service said for a short while: keys and organisations are asked for with every request.
 *
 * Guaranteed: what was revoked is refused after `maxAgeMs` at the latest, as long as the other service answers; many
 * callers of one key cause one look-up; unknown keys can't push known ones out. While the other service is away, what
 * was used within `keepMs` goes on working. Not guaranteed: that something new is seen within `unknownMs` of being asked for.
 */
import { DomainError, type ErrorCode } from '@posthorn/models';
import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';

export interface LookupCacheOptions<T> {
  readonly load: (key: string) => Promise<T>;
  /** The code with which `load` says that there is no such thing. */
  readonly unknownCode: ErrorCode;
  readonly clock: Clock;
  /** Younger than this: used as it is. Older: used, and asked for again in the background. */
  readonly refreshAfterMs: number;
  /** Older than this: asked for again before it is used. */
  readonly maxAgeMs: number;
  /** How long after its last use an entry is still good for when the other service is away. */
  readonly keepMs: number;
  /** How long an unknown key is remembered as unknown. */
  readonly unknownMs: number;
  readonly maxEntries: number;
}

/** See `createLookupCache`. */
export interface LookupCache<T> {
  /** The value, at once where it is known; rejects as `load` did. */
  get(key: string): T | Promise<T>;
  /** Everything is asked for anew, also what is being asked for at this moment. */
  clear(): void;
}

interface Entry<T> {
  readonly value: T;
  readonly confirmedAt: number;
  usedAt: number;
  /** After a failed refresh: don't wait for the other service again before this. */
  retryAt: number;
}

/** While the other service is away, one caller in this time waits to find out; the others don't. */
const retryAfterMs = 1_000;

export function createLookupCache<T>(options: LookupCacheOptions<T>): LookupCache<T> {
  const { clock, load } = options;
  const known = new LRUCache<string, Entry<T>>({ max: options.maxEntries });
  const unknown = new LRUCache<string, { readonly error: DomainError; readonly until: number }>({
    max: options.maxEntries,
  });
  const loading = new Map<string, Promise<T>>();

  function get(key: string): T | Promise<T> {
    const now = clock.monotonic();
    const entry = known.get(key);
    if (entry === undefined) return refusedBefore(key, now) ?? refresh(key);

    const previouslyUsedAt = entry.usedAt;
    entry.usedAt = now;
    const age = now - entry.confirmedAt;
    if (age < options.refreshAfterMs) return entry.value;
    if (age < options.maxAgeMs) {
      // What comes of it is for the next caller to see.
      if (now >= entry.retryAt) refresh(key).catch(() => undefined);
      return entry.value;
    }
    const isKept = now - previouslyUsedAt < options.keepMs;
    if (isKept && now < entry.retryAt) return entry.value;
    return refresh(key).catch((error: unknown) => {
      if (isKept && isAway(error)) return entry.value;
      throw error;
    });
  }

  function refusedBefore(key: string, now: number): Promise<T> | undefined {
    const refusal = unknown.get(key);
    if (refusal === undefined || now >= refusal.until) return undefined;
    return Promise.reject(refusal.error);
  }

  function refresh(key: string): Promise<T> {
    const running = loading.get(key);
    if (running !== undefined) return running;
    // An answer that was on its way for long says how it was when it was asked for.
    const askedAt = clock.monotonic();
    const isCurrent = (): boolean => loading.get(key) === started && loading.delete(key);
    const started: Promise<T> = load(key).then(
      (value) => {
        if (!isCurrent()) return value;
        unknown.delete(key);
        known.set(key, { value, confirmedAt: askedAt, usedAt: clock.monotonic(), retryAt: 0 });
        return value;
      },
      (error: unknown) => {
        if (isCurrent()) remember(key, DomainError.from(error));
        throw error;
      },
    );
    loading.set(key, started);
    return started;
  }

  function remember(key: string, error: DomainError): void {
    const now = clock.monotonic();
    if (error.code === options.unknownCode) {
      known.delete(key);
      unknown.set(key, { error, until: now + options.unknownMs });
      return;
    }
    const entry = known.peek(key);
    if (entry !== undefined) entry.retryAt = now + retryAfterMs;
  }

  return {
    get,
    clear() {
      known.clear();
      unknown.clear();
      loading.clear();
    },
  };
}

function isAway(error: unknown): boolean {
  const { code } = DomainError.from(error);
  return code === 'unavailable' || code === 'deadline_exceeded' || code === 'internal';
}

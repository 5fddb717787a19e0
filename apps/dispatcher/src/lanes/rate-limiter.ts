import type { Endpoint, RateLimit } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';

/**
 * Rate limits of endpoints, as token buckets: in no stretch of t seconds do more than `burst + perSecond * t` attempts begin, whoever
 * asked for them. A bucket is one number, the time at which it will be full: pure, and kept only while it isn't.
 *
 * Only the owner of an endpoint's home partition starts anything (homes.ts), and counts from when it became that: its bucket was empty
 * then, because the one before may just have emptied its own. So the limit holds across owners too, and nothing of it is stored.
 */
export interface RateLimiter {
  /** How long until one more attempt may begin; 0: it may now. */
  waitMs(endpoint: Endpoint): number;
  /** An attempt begins. */
  take(endpoint: Endpoint): void;
}

interface Bucket {
  /** Since when it is ours: that of another time is another bucket. */
  readonly since: number;
  readonly limit: RateLimit;
  readonly fullAt: number;
}

/** So many buckets are kept before the full ones are looked for: they are as if they had never been touched. */
const keptBuckets = 1000;

export function createRateLimiter({
  clock,
  sinceOf,
}: {
  readonly clock: Clock;
  /** Since when (monotonic) this process starts the endpoint's attempts. */
  readonly sinceOf: (endpoint: Endpoint) => number;
}): RateLimiter {
  const buckets = new Map<string, Bucket>();
  let sweepAt = keptBuckets;

  function bucketOf({ id }: Endpoint, limit: RateLimit, since: number, now: number): Bucket {
    const known = buckets.get(id);
    if (known?.since !== since) return { since, limit, fullAt: emptyAt(limit, since) };
    const { perSecond, burst } = known.limit;
    if (perSecond === limit.perSecond && burst === limit.burst) return known;
    return { since, limit, fullAt: changed(known.limit, limit, known.fullAt, now) };
  }

  function sweep(now: number): void {
    for (const [id, { fullAt }] of buckets) if (fullAt <= now) buckets.delete(id);
    sweepAt = Math.max(keptBuckets, buckets.size * 2);
  }

  return {
    waitMs(endpoint) {
      const { rateLimit } = endpoint;
      if (rateLimit === null) return 0;
      const now = clock.monotonic();
      const { limit, fullAt } = bucketOf(endpoint, rateLimit, sinceOf(endpoint), now);
      return waitFor(limit, fullAt, now);
    },
    take(endpoint) {
      const { rateLimit } = endpoint;
      if (rateLimit === null) return;
      const now = clock.monotonic();
      const bucket = bucketOf(endpoint, rateLimit, sinceOf(endpoint), now);
      buckets.set(endpoint.id, { ...bucket, fullAt: taken(rateLimit, bucket.fullAt, now) });
      if (buckets.size > sweepAt) sweep(now);
    },
  };
}

/** When a bucket that is empty at a time will be full; times are monotonic milliseconds. */
export function emptyAt(limit: RateLimit, at: number): number {
  return at + limit.burst * intervalOf(limit);
}

/** How long until there is a token in it. */
export function waitFor(limit: RateLimit, fullAt: number, now: number): number {
  return Math.max(0, fullAt - (limit.burst - 1) * intervalOf(limit) - now);
}

/** When it will be full after a token was taken. */
export function taken(limit: RateLimit, fullAt: number, now: number): number {
  return Math.max(fullAt, now) + intervalOf(limit);
}

/** The same tokens under another limit, as many as that allows. */
function changed(before: RateLimit, limit: RateLimit, fullAt: number, now: number): number {
  const tokens = before.burst - Math.max(0, fullAt - now) / intervalOf(before);
  return now + Math.max(0, limit.burst - Math.max(0, tokens)) * intervalOf(limit);
}

function intervalOf({ perSecond }: RateLimit): number {
  return 1000 / perSecond;
}

/**
 * So many requests of a key in any hour, counted by the second: what was sent an hour ago counts no more. Every process counts for
 * itself, and forgets when it ends.
 */
import { DomainError, type Principal } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { RequestLimit } from '../dialect.ts';

const hourSeconds = 3_600;
/** Keys that are remembered; beyond that, the one that was used least recently is forgotten. */
const maxKeys = 10_000;

interface Usage {
  /** Requests by second, oldest first. */
  readonly seconds: { readonly at: number; count: number }[];
  total: number;
}

/** At most `perHour` requests of each key. */
export function createRequestLimit(perHour: number, clock: Clock): RequestLimit {
  const usages = new Map<string, Usage>();
  const now = (): number => Math.floor(clock.now() / 1_000);

  function usageOf(key: string): Usage {
    const usage = usages.get(key) ?? { seconds: [], total: 0 };
    const from = now() - hourSeconds;
    while ((usage.seconds[0]?.at ?? Infinity) <= from) usage.total -= usage.seconds.shift()?.count ?? 0;
    return usage;
  }

  /** When there is room for more than there is now. */
  function resetOf(usage: Usage): number {
    return (usage.seconds[0]?.at ?? now()) + hourSeconds;
  }

  return {
    admit({ id }) {
      const usage = usageOf(id);
      // A map keeps the order of its keys: the last is the one that was used last.
      usages.delete(id);
      usages.set(id, usage);
      const [oldest] = usages.keys();
      if (usages.size > maxKeys && oldest !== undefined) usages.delete(oldest);
      if (usage.total >= perHour) {
        const retryAfterMs = Math.max(1_000, resetOf(usage) * 1_000 - clock.now());
        throw new DomainError('rate_limited', 'Too many requests in this hour.', { retryAfterMs });
      }
      const at = now();
      const latest = usage.seconds.at(-1);
      if (latest?.at === at) latest.count++;
      else usage.seconds.push({ at, count: 1 });
      usage.total++;
    },
    headers(principal: Principal | null) {
      const usage = principal === null ? { seconds: [], total: 0 } : usageOf(principal.id);
      return {
        'X-RateLimit-Limit': String(perHour),
        'X-RateLimit-Remaining': String(Math.max(0, perHour - usage.total)),
        'X-RateLimit-Reset': String(resetOf(usage)),
      };
    },
  };
}

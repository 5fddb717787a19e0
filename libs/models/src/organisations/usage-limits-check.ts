import type { Violation } from '../errors.ts';
import { checkInteger } from '../field-check.ts';
import type { PublishLimits, UsageLimits } from './usage-limits.ts';

/** What a limit may be. 15 digits are the most that the headers which tell of it can hold. */
export const usageLimitBounds = {
  publishesPerSecond: { min: 1, max: 1_000_000 },
  publishesPerDay: { min: 1, max: 100_000_000_000 },
  bytesPerDay: { min: 1, max: 999_999_999_999_999 },
  endpoints: { min: 0, max: 10_000 },
} as const satisfies Record<keyof UsageLimits, { readonly min: number; readonly max: number }>;

/** Everything that is wrong with the limits of a key (without `endpoints`) or of an organisation. */
export function checkUsageLimits(limits: PublishLimits & Partial<UsageLimits>): readonly Violation[] {
  const names = Object.keys(usageLimitBounds) as (keyof UsageLimits)[];
  return names.flatMap((name) => {
    const limit = limits[name] ?? null;
    return limit === null ? [] : checkInteger(limit, `/limits/${name}`, usageLimitBounds[name]);
  });
}

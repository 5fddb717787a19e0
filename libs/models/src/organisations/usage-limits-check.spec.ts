import { checkUsageLimits, usageLimitBounds } from './usage-limits-check.ts';
import { limitsPublishing, noPublishLimits, noUsageLimits, type UsageLimits } from './usage-limits.ts';

const names = Object.keys(usageLimitBounds) as (keyof UsageLimits)[];

describe('checkUsageLimits', () => {
  it('takes no limits, and every limit at its bounds', () => {
    expect(checkUsageLimits(noUsageLimits)).toEqual([]);
    expect(checkUsageLimits(noPublishLimits)).toEqual([]);
    for (const name of names) {
      const { min, max } = usageLimitBounds[name];
      expect(checkUsageLimits({ ...noUsageLimits, [name]: min })).toEqual([]);
      expect(checkUsageLimits({ ...noUsageLimits, [name]: max })).toEqual([]);
    }
  });

  it.each(names)('refuses %s beyond its bounds, and what is no whole number', (name) => {
    const { min, max } = usageLimitBounds[name];
    for (const limit of [min - 1, max + 1, min + 0.5, NaN, Infinity]) {
      expect(checkUsageLimits({ ...noUsageLimits, [name]: limit })).toMatchObject([
        { field: `/limits/${name}`, code: 'out_of_range' },
      ]);
    }
  });

  it('tells everything that is wrong at once', () => {
    const wrong = { publishesPerSecond: 0, publishesPerDay: 0, bytesPerDay: 0, endpoints: -1 };
    expect(checkUsageLimits(wrong).map(({ field }) => field)).toEqual(names.map((name) => `/limits/${name}`));
  });
});

describe('limitsPublishing', () => {
  it('is true for any limit but the one on endpoints', () => {
    expect(limitsPublishing({ ...noUsageLimits, endpoints: 1 } as UsageLimits)).toBe(false);
    for (const name of ['publishesPerSecond', 'publishesPerDay', 'bytesPerDay'] as const)
      expect(limitsPublishing({ ...noPublishLimits, [name]: 1 })).toBe(true);
  });
});

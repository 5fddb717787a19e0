import { createStatsSum } from './stats.ts';

describe('the sum of attempts', () => {
  it('counts by outcome, and gives percentiles of what was answered within a tenth', () => {
    const sum = createStatsSum();
    for (let n = 1; n <= 1000; n += 1) {
      sum.add({ startedAt: 0, durationMs: n, outcome: n % 10 === 0 ? 'http_error' : 'success' });
    }
    for (let n = 0; n < 500; n += 1) sum.add({ startedAt: 0, durationMs: 60_000, outcome: 'timeout' });
    expect(sum.attempts).toBe(1500);
    expect(sum.byOutcome).toEqual({ success: 900, http_error: 100, timeout: 500 });
    for (const [q, exact] of [
      [0.5, 500],
      [0.95, 950],
      [0.99, 990],
    ] as const) {
      expect(sum.percentile(q)).toBeGreaterThan(exact * 0.94);
      expect(sum.percentile(q)).toBeLessThan(exact * 1.06);
    }
  });

  it('has no latency when nothing was answered', () => {
    const sum = createStatsSum();
    sum.add({ startedAt: 0, durationMs: 5, outcome: 'refused' });
    expect(sum.percentile(0.5)).toBeNull();
  });
});

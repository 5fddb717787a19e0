import { defaultRetryDelaysMs, jitteredDelayMs } from './retry-schedule.ts';

describe('the default schedule', () => {
  it('makes ten attempts in a little over three days, each wait longer than the one before', () => {
    expect(defaultRetryDelaysMs).toHaveLength(9);
    const total = defaultRetryDelaysMs.reduce((sum, delay) => sum + delay, 0);
    expect(total / 3_600_000).toBeCloseTo(75.58, 1);
    expect([...defaultRetryDelaysMs].sort((a, b) => a - b)).toEqual(defaultRetryDelaysMs);
  });
});

describe('jitteredDelayMs', () => {
  it.each([
    [0, 8000],
    [0.5, 10_000],
    [1, 12_000],
  ])('with %d of the jitter makes 10 s into %d ms', (jitter, expected) => {
    expect(jitteredDelayMs(10_000, jitter)).toBe(expected);
  });

  it.each([
    [0, 5000],
    [0.5, 7500],
    [1, 10_000],
  ])('from half to full, with %d of the jitter, makes 10 s into %d ms', (jitter, expected) => {
    expect(jitteredDelayMs(10_000, jitter, 'half_to_full')).toBe(expected);
  });
});

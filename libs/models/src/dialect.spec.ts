import { dialectRules } from './dialect.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

describe('the rules of the dialects', () => {
  it('give ricloud four retries over a few hours', () => {
    expect(dialectRules.ricloud.retryDelaysMs).toEqual([10 * second, 5 * minute, 30 * minute, 2 * hour]);
  });

  it('give xurrent ten retries at growing intervals', () => {
    const delays: readonly number[] = dialectRules.xurrent.retryDelaysMs;
    expect(delays).toHaveLength(10);
    expect([...delays].sort((a, b) => a - b)).toEqual(delays);
    expect(new Set(delays).size).toBe(10);
  });

  it('give rapidly ten retries that double from 2 seconds, 20 minutes at most, each waiting half of it or more', () => {
    const { retryDelaysMs, jitter } = dialectRules.rapidly;
    expect(retryDelaysMs).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].map((wait) => wait * second));
    expect(jitter).toBe('half_to_full');
  });

  it('give preo five retries over ten hours and a half', () => {
    expect(dialectRules.preo.retryDelaysMs).toEqual([minute, 5 * minute, 30 * minute, 2 * hour, 8 * hour]);
  });

  it('give ricloud, xurrent and rapidly ten seconds to answer, and preo thirty', () => {
    const { ricloud, xurrent, rapidly, preo } = dialectRules;
    expect([ricloud, xurrent, rapidly, preo].map(({ timeoutMs }) => timeoutMs / second)).toEqual([
      10, 10, 10, 30,
    ]);
  });
});

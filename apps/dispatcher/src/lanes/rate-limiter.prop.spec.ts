import type { Endpoint, RateLimit } from '@posthorn/models';
import { FakeClock } from '@posthorn/testing';
import fc from 'fast-check';
import { createRateLimiter, emptyAt, taken, waitFor } from './rate-limiter.ts';
import { simulatedEndpoint } from '../simulation/simulated-life.harness.ts';

/** Rounding of the sums below. */
const tolerance = 1e-6;

const limits: fc.Arbitrary<RateLimit> = fc.record({
  perSecond: fc.oneof(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.integer({ min: 1, max: 10_000 })),
  burst: fc.integer({ min: 1, max: 50 }),
});
const endpointWith = (rateLimit: RateLimit | null): Endpoint => ({
  ...simulatedEndpoint({ organisationId: 'org' }, 1).endpoint,
  rateLimit,
});

/** In no stretch between two starts are there more than the limit allows for it. */
function expectWithin({ perSecond, burst }: RateLimit, starts: readonly number[]): void {
  let worst = 0;
  for (const [from, first] of starts.entries()) {
    for (const [after, last] of starts.slice(from).entries()) {
      worst = Math.max(worst, after + 1 - (burst + (perSecond * (last - first)) / 1000));
    }
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

describe('a rate limit', () => {
  it('lets no more attempts begin in any stretch of time than it says, however they are asked for', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { maxLength: 60 }),
        (limit, pauses) => {
          const starts: number[] = [];
          let now = 0;
          let fullAt = emptyAt(limit, 0);
          for (const pause of pauses) {
            now += pause;
            if (waitFor(limit, fullAt, now) > 0) continue;
            starts.push(now);
            fullAt = taken(limit, fullAt, now);
          }
          expectWithin(limit, starts);
        },
      ),
    );
  });

  it('wastes nothing: whoever waits as long as it says may begin, and what is unused for long enough becomes a burst', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 60 }), (limit, count) => {
        let now = 0;
        let fullAt = emptyAt(limit, -1e9);
        for (let n = 0; n < count; n += 1) {
          now += waitFor(limit, fullAt, now);
          expect(waitFor(limit, fullAt, now)).toBeLessThan(tolerance);
          fullAt = taken(limit, fullAt, now);
        }
        const expected = Math.max(0, count - limit.burst) * (1000 / limit.perSecond);
        expect(Math.abs(now - expected)).toBeLessThan(1e-3);
      }),
    );
  });

  it('holds across owners: the next one begins with an empty bucket', () => {
    fc.assert(
      fc.property(limits, fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 }), (limit, turns) => {
        const clock = new FakeClock();
        const endpoint = endpointWith(limit);
        const starts: number[] = [];
        for (const asked of turns) {
          const since = clock.monotonic();
          const limiter = createRateLimiter({ clock, sinceOf: () => since });
          for (let n = 0; n < asked; n += 1) {
            clock.advance(Math.ceil(limiter.waitMs(endpoint)));
            limiter.take(endpoint);
            starts.push(clock.monotonic());
          }
        }
        expectWithin(limit, starts);
      }),
    );
  });
});

describe('a rate limiter', () => {
  const setUp = () => {
    const clock = new FakeClock();
    let since = clock.monotonic() - 1_000_000;
    const limiter = createRateLimiter({ clock, sinceOf: () => since });
    return { clock, limiter, own: () => void (since = clock.monotonic()) };
  };

  it('asks nobody to wait who has no limit', () => {
    const { limiter } = setUp();
    const endpoint = endpointWith(null);
    for (let n = 0; n < 100; n += 1) limiter.take(endpoint);
    expect(limiter.waitMs(endpoint)).toBe(0);
  });

  it('keeps what was used when the limit changes, and gives no more than the new burst', () => {
    const { clock, limiter } = setUp();
    const slow = endpointWith({ perSecond: 1, burst: 10 });
    for (let n = 0; n < 10; n += 1) limiter.take(slow);
    expect(limiter.waitMs(slow)).toBe(1000);
    expect(limiter.waitMs(endpointWith({ perSecond: 10, burst: 10 }))).toBe(100);
    clock.advance(1_000_000);
    const small = endpointWith({ perSecond: 1, burst: 2 });
    limiter.take(small);
    limiter.take(small);
    expect(limiter.waitMs(small)).toBe(1000);
  });

  it('begins anew when the home was someone else’s meanwhile', () => {
    const { clock, limiter, own } = setUp();
    const endpoint = endpointWith({ perSecond: 2, burst: 5 });
    limiter.take(endpoint);
    expect(limiter.waitMs(endpoint)).toBe(0);
    clock.advance(60_000);
    own();
    expect(limiter.waitMs(endpoint)).toBe(500);
  });

  it('forgets buckets that are full, and is no different for that', () => {
    const { clock, limiter } = setUp();
    const limit = { perSecond: 1, burst: 1 };
    const used = { ...endpointWith(limit), id: 'used' };
    for (let n = 0; n < 3000; n += 1) {
      limiter.take({ ...endpointWith(limit), id: `other ${n}` });
      if (n % 1000 === 0) clock.advance(1000);
    }
    limiter.take(used);
    expect(limiter.waitMs(used)).toBe(1000);
    expect(limiter.waitMs({ ...endpointWith(limit), id: 'other 1' })).toBe(0);
  });
});

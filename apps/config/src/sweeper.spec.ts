import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { IdempotencyStore } from './idempotency-store.ts';
import { createSweeper } from './sweeper.ts';

/** A store of which only the sweeping counts: `expired` entries are left. */
function storeWith(expired: number): IdempotencyStore & { steps: number[] } {
  const steps: number[] = [];
  return {
    steps,
    reserve: () => Promise.reject(new Error('not part of this test')),
    complete: () => Promise.reject(new Error('not part of this test')),
    sweep(_now, limit) {
      const swept = Math.min(expired, limit);
      expired -= swept;
      steps.push(swept);
      return Promise.resolve(swept);
    },
  };
}

describe('the sweeper', () => {
  it('takes small steps until nothing expired is left, then rests', async () => {
    const clock = new FakeClock();
    const store = storeWith(600);
    const sweeper = createSweeper({ store, clock, logger: silentLogger });
    sweeper.start();
    await clock.advanceAsync(1000);
    expect(store.steps).toEqual([256, 256, 88]);
    await clock.advanceAsync(60_000);
    expect(store.steps).toEqual([256, 256, 88, 0]);
    await sweeper.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('goes on after a failure', async () => {
    const clock = new FakeClock();
    const store = storeWith(1);
    let failures = 1;
    const sweeper = createSweeper({
      store: {
        ...store,
        sweep: (now, limit) =>
          failures-- > 0 ? Promise.reject(new Error('the disk is full')) : store.sweep(now, limit),
      },
      clock,
      logger: silentLogger,
    });
    sweeper.start();
    await clock.advanceAsync(61_000);
    expect(store.steps).toEqual([1]);
    await sweeper.stop();
  });

  it('does not begin another step after it was stopped within one', async () => {
    const clock = new FakeClock();
    const store = storeWith(10_000);
    const sweeper = createSweeper({ store, clock, logger: silentLogger });
    sweeper.start();
    clock.advance(100);
    await sweeper.stop();
    expect(store.steps).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

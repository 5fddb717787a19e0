import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { createSweeper } from './sweeper.ts';

const what = 'what has expired';

/** What is swept: `expired` entries are left. */
function storeWith(expired: number) {
  const steps: number[] = [];
  return {
    steps,
    sweep(_now: Date, limit: number): Promise<number> {
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
    const sweeper = createSweeper({ store, what, clock, logger: silentLogger });
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
      what,
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
    const sweeper = createSweeper({ store, what, clock, logger: silentLogger });
    sweeper.start();
    clock.advance(100);
    await sweeper.stop();
    expect(store.steps).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves alone what is younger than it is to be kept', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const store = {
      sweep: (before: Date) => {
        asked.push(clock.now() - before.getTime());
        return Promise.resolve(0);
      },
    };
    const sweeper = createSweeper({ store, keepMs: 86_400_000, what, clock, logger: silentLogger });
    sweeper.start();
    await clock.advanceAsync(1_000);
    expect(asked).toEqual([86_400_000]);
    await sweeper.stop();
  });
});

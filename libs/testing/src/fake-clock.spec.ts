import { sleep } from '@posthorn/runtime';
import { FakeClock } from './fake-clock.ts';

describe('a fake clock', () => {
  it('stands still until it is moved', () => {
    const clock = new FakeClock(1_000);
    let called = false;
    clock.setTimeout(() => (called = true), 0);

    expect(clock.now()).toBe(1_000);
    expect(called).toBe(false);
    clock.advance(0);
    expect(called).toBe(true);
  });

  it('fires timers in the order in which they are due, equal ones in the order in which they were set', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('late'), 30);
    clock.setTimeout(() => fired.push('early'), 10);
    clock.setTimeout(() => fired.push('also early'), 10);

    clock.advance(29);
    expect(fired).toEqual(['early', 'also early']);
    clock.advance(1);
    expect(fired).toEqual(['early', 'also early', 'late']);
  });

  it('shows each timer its very moment, and fires what timers set on the way', () => {
    const clock = new FakeClock(1_000);
    const moments: number[] = [];
    clock.setTimeout(() => {
      moments.push(clock.now());
      clock.setTimeout(() => moments.push(clock.now()), 5);
    }, 10);

    clock.advance(100);

    expect(moments).toEqual([1_010, 1_015]);
    expect(clock.now()).toBe(1_100);
    expect(clock.monotonic()).toBe(100);
  });

  it('forgets what was cleared, and knows what is pending', () => {
    const clock = new FakeClock();
    let called = false;
    const timer = clock.setTimeout(() => (called = true), 10);
    expect([clock.pendingTimers, clock.nextTimerInMs]).toEqual([1, 10]);

    clock.clearTimeout(timer);
    clock.clearTimeout(undefined);
    clock.advance(100);

    expect(called).toBe(false);
    expect([clock.pendingTimers, clock.nextTimerInMs]).toEqual([0, null]);
  });

  it('lets asynchronous code take its turn between timers', async () => {
    const clock = new FakeClock(0);
    const moments: number[] = [];
    const work = (async () => {
      for (let round = 0; round < 3; round++) {
        await sleep(clock, 10);
        moments.push(clock.now());
      }
    })();

    await clock.advanceAsync(30);
    await work;

    expect(moments).toEqual([10, 20, 30]);
  });

  it('jumps without any timer noticing', () => {
    const clock = new FakeClock(1_000);
    let called = false;
    clock.setTimeout(() => (called = true), 10);

    clock.jump(-60_000);
    expect(clock.now()).toBe(-59_000);
    expect(clock.monotonic()).toBe(0);
    expect(called).toBe(false);
    clock.advance(10);

    expect(called).toBe(true);
  });

  it('is not moved back by a timer that moves it on', () => {
    const clock = new FakeClock(0);
    clock.setTimeout(() => clock.advance(50), 10);

    clock.advance(20);

    expect(clock.now()).toBe(60);
  });
});

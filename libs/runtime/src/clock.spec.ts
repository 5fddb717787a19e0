import { sleep, systemClock } from './clock.ts';

describe('the clock of the machine', () => {
  it('tells the time', () => {
    const before = Date.now();

    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(systemClock.now()).toBeLessThanOrEqual(Date.now());
  });

  it('calls after the time that was asked for, by its own measure', async () => {
    const startedAt = systemClock.monotonic();

    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 20));

    // Node rounds timers to whole milliseconds.
    expect(systemClock.monotonic() - startedAt).toBeGreaterThanOrEqual(19);
  });

  it('never calls what was cleared', async () => {
    let called = false;
    systemClock.clearTimeout(systemClock.setTimeout(() => (called = true), 1));
    systemClock.clearTimeout(undefined);

    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 20));

    expect(called).toBe(false);
  });

  it('does not call at once when asked for longer than Node’s timers reach', async () => {
    let called = false;
    const timer = systemClock.setTimeout(() => (called = true), 2 ** 40);

    await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 20));
    systemClock.clearTimeout(timer);

    expect(called).toBe(false);
  });
});

describe('sleep', () => {
  it('resolves after its time', async () => {
    const startedAt = systemClock.monotonic();

    await sleep(systemClock, 20);

    expect(systemClock.monotonic() - startedAt).toBeGreaterThanOrEqual(19);
  });

  it('ends when its signal aborts, and leaves neither timer nor listener behind', async () => {
    const controller = new AbortController();
    const timers = new Set<unknown>();
    const clock = {
      ...systemClock,
      setTimeout: (fn: () => void, ms: number) => {
        const timer = systemClock.setTimeout(fn, ms);
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer: ReturnType<typeof systemClock.setTimeout> | undefined) => {
        timers.delete(timer);
        systemClock.clearTimeout(timer);
      },
    };
    const sleeping = sleep(clock, 60_000, controller.signal);

    controller.abort();
    await sleeping;

    expect(timers.size).toBe(0);
  });

  it('ends at once when its signal was aborted before', async () => {
    const startedAt = systemClock.monotonic();

    await sleep(systemClock, 60_000, AbortSignal.abort());

    expect(systemClock.monotonic() - startedAt).toBeLessThan(10_000);
  });
});

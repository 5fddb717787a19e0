import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { createLagReport } from './lag-report.ts';
import { readerMetrics } from './reader-metrics.ts';

function setUp() {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const world = { isAway: false, committed: [] as unknown[], ends: new Map([[0, 11]]) };
  const report = createLagReport({
    partitions: () => world.ends.keys(),
    commitOffsets(offsets) {
      if (world.isAway) return Promise.reject(new Error('away'));
      world.committed.push(...offsets);
      return Promise.resolve();
    },
    boundsOf: (partition) => Promise.resolve({ first: 1, next: world.ends.get(partition) ?? 1 }),
    everyMs: 5000,
    clock,
    logger: silentLogger,
    metrics: readerMetrics(metrics, { partitions: () => 1, isConnected: () => true }),
  });
  const stop = new AbortController();
  const running = report.run(stop.signal);
  const lag = async (): Promise<string | undefined> =>
    /^posthorn_log_lag_events\{partition="0"\} (.+)$/m.exec(await metrics.render())?.[1];
  return { clock, world, report, lag, end: () => (stop.abort(), running) };
}

describe('the report of the lag', () => {
  it('tells Kafka the latest of what is on record, once', async () => {
    const { clock, world, report, end } = setUp();
    report.recorded(0, 3);
    report.recorded(0, 5);
    await clock.advanceAsync(5000);
    expect(world.committed).toEqual([{ partition: 0, offset: '4' }]);
    await clock.advanceAsync(5000);
    expect(world.committed).toHaveLength(1);
    await end();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells it later when Kafka was away', async () => {
    const { clock, world, report, end } = setUp();
    world.isAway = true;
    report.recorded(0, 3);
    await clock.advanceAsync(5000);
    world.isAway = false;
    await clock.advanceAsync(5000);
    expect(world.committed).toEqual([{ partition: 0, offset: '2' }]);
    await end();
  });

  it('gives a partition in which nothing happens its place, and never sets it back', async () => {
    const { clock, world, report, end } = setUp();
    report.begins(0, 7);
    await clock.advanceAsync(5000);
    report.recorded(0, 9);
    report.begins(0, 7);
    await clock.advanceAsync(5000);
    expect(world.committed).toEqual([
      { partition: 0, offset: '6' },
      { partition: 0, offset: '8' },
    ]);
    await end();
  });

  it('says how many events are in the log and not on record, until the partition is given away', async () => {
    const { clock, world, report, lag, end } = setUp();
    report.recorded(0, 5);
    await clock.advanceAsync(5000);
    expect(await lag()).toBe('6');
    report.recorded(0, 11);
    expect(await lag()).toBe('0');
    report.forget(0);
    world.ends.clear();
    expect(await lag()).toBeUndefined();
    await end();
  });
});

import { createMetrics } from '@posthorn/runtime';
import type { Breaker } from './breaker.ts';
import { createLane, type Lane } from './lane.ts';
import { registerLaneMetrics } from './lane-metrics.ts';

describe('posthorn_oldest_due_seconds', () => {
  const now = 100_000;

  async function oldestDue(
    stored: readonly Lane[],
    isOpen: (lane: Lane) => boolean,
  ): Promise<string | undefined> {
    const metrics = createMetrics();
    registerLaneMetrics(metrics, {
      inFlight: () => 0,
      queued: () => 0,
      active: new Set(),
      stored: new Set(stored),
      known: () => stored,
      isOpen,
      now: () => now,
    });
    return /^posthorn_oldest_due_seconds (.*)$/m.exec(await metrics.render())?.[1];
  }

  function laneDueAt(endpointId: string, storedDueAt: number | null): Lane {
    return { ...createLane('org', endpointId), storedDueAt };
  }

  it('is the wait of the delivery that is most overdue', async () => {
    const lanes = [laneDueAt('a', now - 5_000), laneDueAt('b', now - 30_000), laneDueAt('c', null)];
    expect(await oldestDue(lanes, () => true)).toBe('30');
  });

  it('is nothing while all that waits is due later', async () => {
    expect(await oldestDue([laneDueAt('a', now + 5_000)], () => true)).toBe('0');
  });

  it('does not count what is held for a paused endpoint', async () => {
    const lanes = [laneDueAt('paused', now - 86_400_000), laneDueAt('open', now - 1_000)];
    expect(await oldestDue(lanes, ({ endpointId }) => endpointId === 'open')).toBe('1');
  });
});

describe('posthorn_breakers', () => {
  it('counts the endpoints whose breaker is not closed, by its state', async () => {
    const breakers: Breaker[] = [
      { state: 'closed', failures: 4 },
      { state: 'open', waitMs: 5000, probeAt: 0 },
      { state: 'open', waitMs: 5000, probeAt: 0 },
      { state: 'ramping', waitMs: 5000, failures: 0, answersLeft: 3 },
    ];
    const lanes = breakers.map((breaker, index) => ({ ...createLane('org', String(index)), breaker }));
    const metrics = createMetrics();
    registerLaneMetrics(metrics, {
      inFlight: () => 0,
      queued: () => 0,
      active: new Set(),
      stored: new Set(),
      known: () => lanes,
      isOpen: () => true,
      now: () => 0,
    });
    const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('posthorn_breakers'));
    expect(lines).toEqual([
      'posthorn_breakers{state="open"} 2',
      'posthorn_breakers{state="probing"} 0',
      'posthorn_breakers{state="ramping"} 1',
    ]);
  });
});

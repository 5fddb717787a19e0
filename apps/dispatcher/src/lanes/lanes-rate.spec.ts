import { startLanes, type LanesUnderTest } from './lanes.harness.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** Rate limits in the lanes: what they hold back, and that nobody else notices. */

let lanes: LanesUnderTest;
beforeEach(() => {
  lanes = startLanes();
  lanes.lanes.start();
});
afterEach(() => lanes.close());

const timesOf = (id: string): number[] => {
  const times = lanes.requestsTo(id).map(({ at }) => at);
  return times.map((at) => at - (times[0] ?? 0));
};
/** Long enough for a bucket to be full. */
const settleDown = (): Promise<void> => lanes.pass(10_000);

describe('an endpoint with a rate limit', () => {
  it('gets a burst, then one after the other at its rate, and in the end everything', async () => {
    const id = lanes.addEndpoint(1, { rateLimit: { perSecond: 10, burst: 3 }, maxInFlight: 50 });
    await settleDown();
    const all = await lanes.offer(id, 1, 10);
    await lanes.pass(300);
    expect(timesOf(id).length).toBeLessThanOrEqual(6);
    await lanes.pass(2000);
    const times = timesOf(id);
    expect(times).toHaveLength(10);
    expect(times.slice(0, 3)).toEqual([0, 0, 0]);
    for (const [index, at] of times.entries()) {
      if (index >= 3) expect(at).toBeGreaterThanOrEqual((index - 2) * 100);
    }
    expect(times.at(-1)).toBeLessThanOrEqual(750);
    for (const delivery of all) expect((await lanes.recorded(delivery))?.state).toBe('succeeded');
  });

  it('begins with an empty bucket: the process before may just have emptied its own', async () => {
    const id = lanes.addEndpoint(1, { rateLimit: { perSecond: 2, burst: 100 } });
    await lanes.offer(id, 1, 5);
    await lanes.pass(490);
    expect(timesOf(id)).toEqual([]);
    await lanes.pass(1020);
    expect(timesOf(id)).toHaveLength(3);
  });

  it('holds nobody else up while it waits, and takes no place', async () => {
    await lanes.close();
    lanes = startLanes({ slots: 1 });
    lanes.lanes.start();
    const slow = lanes.addEndpoint(1, { rateLimit: { perSecond: 0.1, burst: 1 } });
    const other = lanes.addEndpoint(2);
    await lanes.offer(slow, 1, 5);
    await lanes.offer(other, 10, 5);
    await lanes.pass(1000);
    expect(timesOf(slow)).toEqual([]);
    expect(timesOf(other)).toHaveLength(5);
  });

  it('counts retries, and what is asked for by hand waits also, ahead of the others', async () => {
    const id = lanes.addEndpoint(1, {
      rateLimit: { perSecond: 1, burst: 1 },
      retryDelaysMs: [1, 1, 1, 1, 1, 1],
    });
    await settleDown();
    lanes.answers.set(id, { status: 500, afterMs: 5 });
    await lanes.offer(id, 1, 2);
    await lanes.pass(100);
    const byHand: QueuedDelivery = { ...(await lanes.planned(id, 9)), expedited: true };
    lanes.lanes.expedite(byHand);
    await lanes.pass(3500);
    const times = timesOf(id);
    expect(lanes.requestsTo(id)[1]?.eventId).toBe(byHand.event.id);
    expect(times).toHaveLength(4);
    for (const [index, at] of times.entries()) expect(at).toBeGreaterThanOrEqual(index * 1000);
  });

  it('goes on faster at once when its owner lifts the limit', async () => {
    const id = lanes.addEndpoint(1, { rateLimit: { perSecond: 0.01, burst: 1 } });
    await lanes.offer(id, 1, 5);
    await lanes.pass(1000);
    expect(timesOf(id)).toEqual([]);
    lanes.change(id, { rateLimit: null });
    await lanes.pass(100);
    expect(timesOf(id)).toHaveLength(5);
  });

  it('keeps its backlog in storage, not in memory', async () => {
    await lanes.close();
    lanes = startLanes({ laneDeliveries: 5 });
    lanes.lanes.start();
    const id = lanes.addEndpoint(1, { rateLimit: { perSecond: 20, burst: 1 }, maxInFlight: 3 });
    await lanes.offer(id, 1, 40);
    await lanes.pass(500);
    expect(lanes.lanes.memory.deliveries).toBeLessThanOrEqual(20);
    await lanes.pass(3000);
    const times = timesOf(id);
    expect(times).toHaveLength(40);
    for (const [index, at] of times.entries()) expect(at).toBeGreaterThanOrEqual((index - 1) * 50);
  });
});

describe('an endpoint with few places', () => {
  it('has no more under way than they are, whoever asks for it', async () => {
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    lanes.answers.set(id, { status: 200, afterMs: 100 });
    await lanes.offer(id, 1, 2);
    for (let number = 3; number <= 4; number += 1) {
      lanes.lanes.expedite({ ...(await lanes.planned(id, number)), expedited: true });
    }
    await lanes.pass(1000);
    expect(lanes.requestsTo(id)).toHaveLength(4);
    expect(lanes.peak.underWay).toBe(1);
  });
});

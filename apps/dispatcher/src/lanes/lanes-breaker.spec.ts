import type { Delivery } from '@posthorn/models';
import { queuedDelivery } from './queued-delivery.ts';
import { claim, startLanes, type LanesUnderTest } from './lanes.harness.ts';

let lanes: LanesUnderTest;
beforeEach(() => {
  lanes = startLanes();
  lanes.lanes.start();
});
afterEach(() => lanes.close());

const failing = { status: 500, afterMs: 5 };
const well = { status: 200, afterMs: 5 };

async function attemptsOf(deliveries: readonly Delivery[]): Promise<number[]> {
  const all = await Promise.all(deliveries.map((delivery) => lanes.recorded(delivery)));
  return all.map((one) => one?.attempts ?? -1);
}

/** An endpoint whose breaker is open, and its deliveries: five of them have had an attempt. */
async function open(more = 0): Promise<{ readonly id: string; readonly deliveries: Delivery[] }> {
  const id = lanes.addEndpoint(1, { maxInFlight: 100 });
  lanes.answers.set(id, failing);
  const deliveries: Delivery[] = [];
  for (let number = 1; number <= 5; number += 1) {
    deliveries.push(...(await lanes.offer(id, number)));
    await lanes.pass(20);
  }
  expect(lanes.lanes.breakerOf(id).state).toBe('open');
  for (let number = 6; number < 6 + more; number += 1) deliveries.push(...(await lanes.offer(id, number)));
  return { id, deliveries };
}

describe('an open breaker', () => {
  it('keeps what is due in storage without spending an attempt, and nothing of it in memory', async () => {
    const { id, deliveries } = await open(500);
    await lanes.pass(3500);
    // The first five would have had their first retry after a second, and the second one two later.
    expect(lanes.requestsTo(id)).toHaveLength(5);
    expect(await attemptsOf(deliveries)).toEqual(deliveries.map((_, index) => (index < 5 ? 1 : 0)));
    expect(lanes.lanes.memory.deliveries).toBe(0);
  });

  it('sends one probe, and waits longer after each that fails', async () => {
    const { id } = await open(20);
    await lanes.pass(150_000);
    const at = lanes.requestsTo(id).map((request) => request.at);
    const waits = at.slice(5).map((time, index) => time - (at[index + 4] ?? 0));
    const expected = [5_000, 10_000, 20_000, 40_000];
    expect(waits).toHaveLength(4);
    for (const [index, wait] of waits.entries()) {
      // The wait begins with the end of an attempt and ends with a look, each of which takes a moment.
      expect(wait / expected[index]!).toBeGreaterThan(0.79);
      expect(wait / expected[index]!).toBeLessThan(1.25);
    }
  });

  it('never ends a delivery sooner than its schedule does', async () => {
    const { deliveries } = await open();
    const seen = new Set<string>();
    for (let minutes = 0; minutes < 60; minutes += 5) {
      await lanes.pass(300_000);
      const now = await Promise.all(deliveries.map((delivery) => lanes.recorded(delivery)));
      for (const one of now) if (one?.state !== 'retrying') seen.add(`${one?.state} ${one?.attempts}`);
    }
    expect(seen).toEqual(new Set(['exhausted 4']));
  });

  it('leads a receiver that is back in gently: the oldest first, 1, 2, 4 at a time, and fresh ones in between', async () => {
    const { id, deliveries } = await open(60);
    lanes.answers.set(id, { status: 200, afterMs: 100 });
    const before = lanes.requestsTo(id).length;
    while (lanes.lanes.breakerOf(id).state !== 'ramping') await lanes.pass(20);
    const fresh = await lanes.offer(id, 1000, 3);
    await lanes.pass(20_000);
    const after = lanes.requestsTo(id).slice(before);
    const begun = after.map(({ at }) => at - (after[0]?.at ?? 0));
    const inRound = (round: number): number =>
      begun.filter((at) => at >= round * 100 - 5 && at < round * 100 + 95).length;
    expect(inRound(0)).toBe(1);
    expect(inRound(1)).toBeLessThanOrEqual(2);
    expect(inRound(2)).toBeLessThanOrEqual(4);
    const order = after.map(({ eventId }) => eventId);
    // The retries of the first five are due later.
    expect(order[0]).toBe(deliveries[5]?.eventId);
    for (const { eventId } of fresh) expect(order.indexOf(eventId)).toBeLessThan(order.length - 10);
    expect(order).toHaveLength(deliveries.length + fresh.length);
    expect(lanes.lanes.breakerOf(id)).toEqual({ state: 'closed', failures: 0 });
  });

  it('lets what someone asked for through, and believes its answer', async () => {
    const { id } = await open(10);
    lanes.answers.set(id, well);
    const [one] = await lanes.offer(id, 900);
    await lanes.pass(300);
    expect(lanes.requestsTo(id)).toHaveLength(5);
    const claimed = await lanes.store.claimNow({
      delivery: (await lanes.recorded(one!))!,
      partition: 0,
      epoch: 1,
      order: null,
      trigger: 'manual',
      now: new Date(lanes.clock.now()),
      claim,
      claimedUntil: new Date(lanes.clock.now() + 60_000),
    });
    const event = (await lanes.planned(id, 901)).event;
    const { holding } = lanes;
    const queuedAt = lanes.clock.monotonic();
    lanes.lanes.expedite(
      queuedDelivery({
        delivery: claimed,
        event,
        holding,
        isRecorded: true,
        mark: null,
        queuedAt,
        expedited: true,
      }),
    );
    await lanes.pass(50);
    expect((await lanes.recorded(one!))?.state).toBe('succeeded');
    expect(lanes.lanes.breakerOf(id).state).not.toBe('open');
  });

  it('gives an endpoint that its owner has changed a chance at once', async () => {
    const { id, deliveries } = await open(10);
    lanes.answers.set(id, well);
    lanes.change(id, { version: 2 });
    await lanes.pass(2000);
    expect(new Set(await attemptsOf(deliveries.slice(5)))).toEqual(new Set([1]));
  });

  it('sends back what a look into storage brings that was under way when it opened, and in its time out', async () => {
    const id = lanes.addEndpoint(1);
    lanes.answers.set(id, failing);
    const { claimDue } = lanes.store;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const deliveries = await lanes.offer(id, 1);
    await lanes.pass(20);
    lanes.store.claimDue = async (request) => {
      const claimed = await claimDue(request);
      await released;
      return claimed;
    };
    // Its retry is due, and being fetched.
    await lanes.pass(1500);
    for (let number = 2; number <= 5; number += 1) {
      deliveries.push(...(await lanes.offer(id, number)));
      await lanes.pass(20);
    }
    expect(lanes.lanes.breakerOf(id).state).toBe('open');
    release();
    await lanes.pass(100);
    expect(lanes.lanes.memory.deliveries).toBe(0);
    lanes.answers.set(id, well);
    await lanes.pass(10_000);
    expect(await attemptsOf(deliveries)).toEqual([2, 2, 2, 2, 2]);
  });

  it('does not move when the wall clock jumps', async () => {
    const { id } = await open(10);
    lanes.clock.jump(3_600_000);
    await lanes.pass(3500);
    expect(lanes.requestsTo(id)).toHaveLength(5);
    lanes.clock.jump(-7_200_000);
    await lanes.pass(3000);
    expect(lanes.requestsTo(id)).toHaveLength(6);
  });
});

describe('a breaker', () => {
  it('counts failures that have nothing else of their endpoint around them', async () => {
    const id = lanes.addEndpoint(1, { retryDelaysMs: [] });
    lanes.answers.set(id, failing);
    for (let number = 1; number <= 8; number += 1) {
      await lanes.offer(id, number);
      await lanes.pass(300);
    }
    expect(lanes.requestsTo(id)).toHaveLength(5);
  });

  it('stays closed for a receiver that answers, whatever it answers', async () => {
    const id = lanes.addEndpoint(1, { retryDelaysMs: [] });
    lanes.answers.set(id, { status: 404, afterMs: 5 });
    await lanes.offer(id, 1, 50);
    await lanes.pass(2000);
    expect(lanes.requestsTo(id)).toHaveLength(50);
  });

  it('of one endpoint delays nobody else', async () => {
    await open(50);
    const other = lanes.addEndpoint(2);
    await lanes.offer(other, 2000, 3);
    expect(lanes.requestsTo(other)).toHaveLength(3);
  });
});

describe('what waits in storage', () => {
  it('gets its turn although more comes from the log than goes out', async () => {
    const id = lanes.addEndpoint(1, { maxInFlight: 1, retryDelaysMs: [1000] });
    lanes.answers.set(id, { status: 404, afterMs: 100 });
    const [early] = await lanes.offer(id, 1);
    await lanes.pass(200);
    lanes.answers.set(id, { status: 200, afterMs: 100 });
    for (let second = 0; second < 5; second += 1) {
      await lanes.offer(id, 100 + second * 100, 40);
      await lanes.pass(1000);
    }
    expect((await lanes.recorded(early!))?.state).toBe('succeeded');
  });
});

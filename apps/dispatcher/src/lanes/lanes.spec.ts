import type { Delivery } from '@posthorn/models';
import { queuedDelivery } from './queued-delivery.ts';
import { claim, startLanes, type LanesUnderTest } from './lanes.harness.ts';
import { mostBehindMs } from '../erasures/tombstones.ts';
import { sampleEvent } from '../deliveries/sample-deliveries.ts';

let subject: LanesUnderTest | undefined;

/** Lanes that are closed after the test. */
function start(...limits: Parameters<typeof startLanes>): LanesUnderTest {
  subject = startLanes(...limits);
  subject.lanes.start();
  return subject;
}
afterEach(async () => {
  await subject?.close();
  subject = undefined;
});

async function states(lanes: LanesUnderTest, deliveries: readonly Delivery[]): Promise<string[]> {
  const all = await Promise.all(deliveries.map((delivery) => lanes.recorded(delivery)));
  return [...new Set(all.map((one) => (one === undefined ? 'unknown' : `${one.state} ${one.reason}`)))];
}

describe('whose turn it is', () => {
  it('gives an organisation with one delivery its turn before the many endpoints of another', async () => {
    const lanes = start({ slots: 2 });
    const busy = Array.from({ length: 10 }, (_, index) =>
      lanes.addEndpoint(index + 1, { organisationId: 'a' }),
    );
    const other = lanes.addEndpoint(50, { organisationId: 'b' });
    for (const [index, id] of busy.entries()) await lanes.offer(id, 1 + index * 10, 5);
    await lanes.offer(other, 500);
    await lanes.pass(20);
    expect(lanes.requests.slice(0, 6).map(({ endpointId }) => endpointId)).toContain(other);
  });

  it('starts the deliveries of a healthy endpoint in the very tick while many others hang', async () => {
    const lanes = start();
    const hanging = Array.from({ length: 100 }, (_, index) =>
      lanes.addEndpoint(index + 1, { organisationId: `org-${index % 10}` }),
    );
    const healthy = lanes.addEndpoint(500, { organisationId: 'healthy' });
    for (const id of hanging) lanes.answers.set(id, 'hang');
    for (const [index, id] of hanging.entries()) await lanes.offer(id, 1 + index * 10, 10);
    // Through their first timeouts and retries.
    for (let number = 2001; number < 2120; number += 1) {
      const before = lanes.requestsTo(healthy).length;
      await lanes.offer(healthy, number);
      expect(lanes.requestsTo(healthy).length).toBe(before + 1);
      await lanes.pass(70);
    }
    expect(lanes.requests.length).toBeGreaterThan(400 + 119);
  });

  it('starts the deliveries of a prompt endpoint in the very tick while many that nothing is known of hang', async () => {
    const lanes = start();
    const prompt = lanes.addEndpoint(1, { organisationId: 'prompt' });
    await lanes.offer(prompt, 1);
    await lanes.pass(20);
    for (let number = 100; number < 400; number += 1) {
      const id = lanes.addEndpoint(number, { organisationId: `org-${number}` });
      lanes.answers.set(id, 'hang');
      await lanes.offer(id, number * 10, 4);
    }
    // Three quarters of the 512.
    expect(lanes.peak.underWay).toBe(384);
    await lanes.offer(prompt, 2);
    expect(lanes.requestsTo(prompt)).toHaveLength(2);
  });

  it('has a place for a prompt endpoint a moment after more than all places began to hang in endpoints that were prompt', async () => {
    const lanes = start();
    const prompt = lanes.addEndpoint(1, { organisationId: 'prompt' });
    const others = Array.from({ length: 300 }, (_, index) =>
      lanes.addEndpoint(index + 100, { organisationId: `org-${index}` }),
    );
    for (const [index, id] of [prompt, ...others].entries()) await lanes.offer(id, 1 + index);
    await lanes.pass(50);
    for (const id of others) lanes.answers.set(id, 'hang');
    for (const [index, id] of others.entries()) await lanes.offer(id, 1000 + index * 10, 4);
    expect(lanes.peak.underWay).toBe(512);
    const offeredAt = lanes.clock.monotonic();
    await lanes.offer(prompt, 9000);
    await lanes.pass(1000);
    // Two waves of them, each of which is found out with the tick after a tenth of a second.
    expect(lanes.requestsTo(prompt)[1]!.at - offeredAt).toBeLessThanOrEqual(310);
  });

  it('leaves every other place to endpoints that nothing is known of while prompt ones would take them all', async () => {
    const lanes = start({ slots: 4 });
    const busy = lanes.addEndpoint(1, { organisationId: 'busy' });
    const fresh = lanes.addEndpoint(2, { organisationId: 'fresh' });
    await lanes.offer(busy, 1);
    await lanes.pass(20);
    await lanes.offer(busy, 2, 500);
    await lanes.offer(fresh, 1000, 4);
    const before = lanes.requests.length;
    await lanes.pass(20);
    expect(before).toBe(1 + 4);
    const next = lanes.requests.slice(before, before + 2).map(({ endpointId }) => endpointId);
    expect(next).toContain(fresh);
  });

  it('bounds what is under way by the slots, and that of slow lanes by a quarter of them', async () => {
    const lanes = start({ slots: 16 });
    const hanging = Array.from({ length: 20 }, (_, index) => lanes.addEndpoint(index + 1));
    for (const id of hanging) lanes.answers.set(id, 'hang');
    for (const [index, id] of hanging.entries()) await lanes.offer(id, 1 + index * 10, 10);
    // Nothing is known of any of them.
    expect(lanes.peak.underWay).toBe(12);
    await lanes.pass(60_000);
    // All are known to be slow by now, and each attempt takes 5 s.
    const begun = lanes.requests.filter(({ at }) => at > 30_000 && at <= 35_000).length;
    expect(begun).toBeLessThanOrEqual(4);
    expect(begun).toBeGreaterThan(0);
  });

  it('never has more of an endpoint under way than it allows', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 3 });
    lanes.answers.set(id, { status: 200, afterMs: 100 });
    const deliveries = await lanes.offer(id, 1, 30);
    await lanes.pass(3000);
    expect(lanes.peak.underWay).toBe(3);
    expect(await states(lanes, deliveries)).toEqual(['succeeded null']);
  });

  it('starts nothing new while more waits to be recorded than its bound, and goes on afterwards', async () => {
    const lanes = start({ laneDeliveries: 4100 });
    const [full, healthy] = [lanes.addEndpoint(1, { state: 'paused' }), lanes.addEndpoint(2)];
    lanes.away.add('record');
    await lanes.offer(full, 1, 4000);
    const [waiting] = await lanes.offer(healthy, 5000);
    await lanes.pass(200);
    expect(lanes.requests).toEqual([]);
    lanes.away.clear();
    await lanes.pass(6000);
    expect(await states(lanes, waiting ? [waiting] : [])).toEqual(['succeeded null']);
  });
});

describe('what is in memory', () => {
  it('is put on record, under our claim, when it has waited for 250 ms, and the log moves on', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    lanes.answers.set(id, 'hang');
    const [underWay, waiting] = await lanes.offer(id, 1, 2);
    await lanes.pass(240);
    expect(await lanes.recorded(underWay!)).toBeUndefined();
    expect(lanes.books.progress(0)!.next).toBe(1);
    await lanes.pass(100);
    for (const delivery of [underWay!, waiting!]) {
      const record = await lanes.recorded(delivery);
      expect(record).toMatchObject({ state: 'pending', attempts: 0 });
      // Beyond the timeout of 5 s: nobody else takes it up meanwhile.
      expect(record!.nextAttemptAt!.getTime()).toBeGreaterThan(lanes.clock.now() + 5000);
    }
    expect(lanes.books.progress(0)!.next).toBe(3);
    expect(lanes.rooms.made).toBeGreaterThan(0);
  });

  it('is written once when it ends within that time', async () => {
    const lanes = start();
    const written: string[] = [];
    const { record } = lanes.store;
    lanes.store.record = (records, books) => {
      written.push(...records.map(({ kind }) => kind));
      return record(records, books);
    };
    await lanes.offer(lanes.addEndpoint(1), 1, 4);
    await lanes.pass(1000);
    expect(written).toEqual(['insert', 'insert', 'insert', 'insert']);
  });

  it('goes to storage beyond the bound of its lane, and all of it comes back, once', async () => {
    const lanes = start({ laneDeliveries: 10 });
    const id = lanes.addEndpoint(1, { maxInFlight: 2 });
    const deliveries = await lanes.offer(id, 1, 200);
    expect(lanes.peak.underWay).toBe(2);
    await lanes.pass(200);
    expect(lanes.lanes.memory.deliveries).toBeLessThanOrEqual(10 + 2);
    await lanes.pass(10_000);
    expect(await states(lanes, deliveries)).toEqual(['succeeded null']);
    expect(lanes.requests).toHaveLength(200);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
    expect(await lanes.metrics.render()).toContain('posthorn_parked_total 188');
  });

  it('is bounded in bytes as well', async () => {
    const lanes = start({ laneBytes: 50_000 });
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    const deliveries = await lanes.offer(id, 1, 50, Buffer.alloc(10_000, '1'));
    await lanes.pass(100);
    expect(lanes.lanes.memory.bytes).toBeLessThanOrEqual(50_000 + 3 * 11_024);
    await lanes.pass(5000);
    expect(await states(lanes, deliveries)).toEqual(['succeeded null']);
    expect(lanes.requests).toHaveLength(50);
  });

  it('exceeds the bound of all lanes by no more than what is under way, however many come back at once', async () => {
    const lanes = start({ slots: 8, totalDeliveries: 20, totalBytes: 300_000 });
    const ids = Array.from({ length: 30 }, (_, index) => lanes.addEndpoint(index + 1, { maxInFlight: 4 }));
    const deliveries: Delivery[] = [];
    for (const [index, id] of ids.entries()) {
      lanes.answers.set(id, { status: 200, afterMs: 200 });
      deliveries.push(...(await lanes.offer(id, 1 + index * 20, 20, Buffer.alloc(5000, '1'))));
      await lanes.pass(20);
    }
    lanes.peak.deliveries = lanes.peak.bytes = 0;
    await lanes.pass(25_000);
    expect(lanes.peak.deliveries).toBeGreaterThanOrEqual(20);
    expect(lanes.peak.deliveries).toBeLessThanOrEqual(20 + 10);
    expect(lanes.peak.bytes).toBeLessThanOrEqual(300_000 + 10 * 6024);
    expect(await states(lanes, deliveries)).toEqual(['succeeded null']);
    expect(lanes.requests).toHaveLength(600);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
  });

  it('of receivers that hang is little: the rest of theirs waits in storage', async () => {
    const lanes = start();
    const ids = Array.from({ length: 8 }, (_, index) => lanes.addEndpoint(index + 1));
    for (const id of ids) lanes.answers.set(id, 'hang');
    for (const [index, id] of ids.entries()) await lanes.offer(id, 1 + index * 200, 100);
    await lanes.pass(1500);
    expect(lanes.lanes.memory.deliveries).toBeLessThanOrEqual(8 * (4 + 4));
    for (const [index, id] of ids.entries()) await lanes.offer(id, 101 + index * 200, 100);
    await lanes.pass(100);
    expect(lanes.lanes.memory.deliveries).toBeLessThanOrEqual(8 * (4 + 4));
    for (const id of ids) lanes.answers.set(id, { status: 200, afterMs: 5 });
    await lanes.pass(30_000);
    expect(lanes.lanes.memory.deliveries).toBe(0);
    expect(await lanes.store.waitingLanes([0])).toEqual([]);
  });

  it('counts until it is on record, so that a store that is away bounds it', async () => {
    const lanes = start({ laneDeliveries: 5 });
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    lanes.away.add('record');
    await lanes.offer(id, 1, 20);
    expect(lanes.lanes.memory.deliveries).toBe(20);
    lanes.away.clear();
    await lanes.pass(10_000);
    expect(lanes.lanes.memory.deliveries).toBe(0);
  });

  it('stays where it is when there is room enough', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    const other = lanes.addEndpoint(2, { maxInFlight: 1 });
    await lanes.offer(other, 100, 2);
    await lanes.offer(id, 1, 30);
    lanes.lanes.relieve({ deliveries: 33, bytes: 1_000_000 });
    expect(await lanes.metrics.render()).toContain('posthorn_parked_total 0');
    lanes.lanes.relieve({ deliveries: 31, bytes: 1_000_000 });
    expect(await lanes.metrics.render()).not.toContain('posthorn_parked_total 0');
  });

  it('makes room when it is asked to: every lane keeps its share, the oldest of it', async () => {
    const lanes = start();
    const [long, short] = [
      lanes.addEndpoint(1, { maxInFlight: 1 }),
      lanes.addEndpoint(2, { maxInFlight: 1 }),
    ];
    for (const id of [long, short]) lanes.answers.set(id, { status: 200, afterMs: 900 });
    await lanes.offer(long, 1, 100);
    const few = await lanes.offer(short, 200, 4);
    lanes.lanes.relieve({ deliveries: 20, bytes: 1_000_000 });
    await lanes.pass(100);
    // Ten wait of one, three of the other, and two are under way.
    expect(lanes.lanes.memory.deliveries).toBe(15);
    expect(lanes.lanes.find(few[3]!.id)).toBeDefined();
    await lanes.pass(100_000);
    expect(lanes.requests).toHaveLength(104);
    const numbers = lanes.requestsTo(long).map(({ eventId }) => eventId);
    expect(numbers).toEqual([...numbers].sort());
  });
});

describe('what comes back from storage', () => {
  it('stays within the bounds although all lanes ask at once', async () => {
    const lanes = start({ slots: 8, totalDeliveries: 20 });
    const ids = Array.from({ length: 30 }, (_, index) => lanes.addEndpoint(index + 1, { state: 'paused' }));
    for (const [index, id] of ids.entries()) await lanes.offer(id, 1 + index * 10, 10);
    await lanes.pass(100);
    lanes.peak.deliveries = 0;
    for (const id of ids) lanes.setState(id, 'enabled');
    await lanes.pass(10_000);
    expect(lanes.peak.deliveries).toBeGreaterThanOrEqual(18);
    expect(lanes.peak.deliveries).toBeLessThanOrEqual(20 + 10);
    expect(lanes.requests).toHaveLength(300);
  });

  it('comes although memory is full, to a lane that has nothing in it, when it can be attempted at once', async () => {
    const lanes = start({ totalDeliveries: 4 });
    const [hanging, other] = [lanes.addEndpoint(1), lanes.addEndpoint(2, { state: 'paused' })];
    lanes.answers.set(hanging, 'hang');
    await lanes.offer(other, 1);
    await lanes.pass(50);
    await lanes.offer(hanging, 10, 4);
    expect(lanes.lanes.memory.deliveries).toBe(4);
    lanes.setState(other, 'enabled');
    await lanes.pass(20);
    expect(lanes.requestsTo(other)).toHaveLength(1);
  });

  it('is held when its endpoint was paused meanwhile', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { state: 'paused' });
    const [held] = await lanes.offer(id, 1);
    await lanes.pass(50);
    const { claimDue } = lanes.store;
    lanes.store.claimDue = async (request) => {
      const claimed = await claimDue(request);
      lanes.setState(id, 'paused');
      return claimed;
    };
    lanes.setState(id, 'enabled');
    await lanes.pass(200);
    expect(lanes.requests).toEqual([]);
    expect(lanes.lanes.memory.deliveries).toBe(0);
    expect(await states(lanes, [held!])).toEqual(['held endpoint_paused']);
    lanes.store.claimDue = claimDue;
    lanes.setState(id, 'enabled');
    await lanes.pass(200);
    expect(lanes.requests).toHaveLength(1);
  });

  it('is not forgotten when it was stored while a look into storage was under way', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { state: 'paused' });
    await lanes.offer(id, 1);
    await lanes.pass(50);
    const late = await lanes.planned(id, 2);
    const { claimDue } = lanes.store;
    lanes.store.claimDue = async (request) => {
      const claimed = await claimDue(request);
      lanes.store.claimDue = claimDue;
      lanes.lanes.offer(late);
      lanes.setState(id, 'paused');
      lanes.lanes.offer(await lanes.planned(id, 3));
      await lanes.recorder.drain(new AbortController().signal);
      lanes.setState(id, 'enabled');
      return claimed;
    };
    lanes.setState(id, 'enabled');
    await lanes.pass(1000);
    expect(lanes.requests).toHaveLength(3);
  });
});

describe('an endpoint that takes nothing', () => {
  it('has what waits held while it is paused, and sends it when it is resumed, oldest first', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    const before = await lanes.offer(id, 1, 20);
    lanes.setState(id, 'paused');
    await lanes.pass(20);
    const after = await lanes.offer(id, 21, 20);
    await lanes.pass(5000);
    expect(lanes.requests).toHaveLength(1);
    expect(await states(lanes, [...before.slice(1), ...after])).toEqual(['held endpoint_paused']);
    lanes.setState(id, 'enabled');
    await lanes.pass(5000);
    expect(await states(lanes, [...before, ...after])).toEqual(['succeeded null']);
    expect(lanes.requests.map(({ eventId }) => eventId)).toEqual(
      [...before, ...after].map(({ eventId }) => eventId),
    );
  });

  it('has everything held with the reason when it is disabled: what waits, what is stored, what was under way', async () => {
    const lanes = start({ laneDeliveries: 5 });
    const id = lanes.addEndpoint(1, { maxInFlight: 2 });
    lanes.answers.set(id, { status: 500, afterMs: 300 });
    const deliveries = await lanes.offer(id, 1, 20);
    await lanes.pass(50);
    lanes.setState(id, 'disabled');
    deliveries.push(...(await lanes.offer(id, 21, 3)));
    await lanes.pass(1000);
    expect(lanes.requests).toHaveLength(2);
    expect(await states(lanes, deliveries)).toEqual(['held endpoint_disabled']);
    expect(await lanes.store.waitingLanes([0])).toEqual([]);
  });

  it('has everything cancelled when it is deleted', async () => {
    const lanes = start({ laneDeliveries: 5 });
    const id = lanes.addEndpoint(1, { maxInFlight: 2 });
    lanes.answers.set(id, { status: 500, afterMs: 300 });
    const deliveries = await lanes.offer(id, 1, 20);
    await lanes.pass(50);
    lanes.setState(id, 'deleted');
    await lanes.pass(1000);
    expect(await states(lanes, deliveries)).toEqual(['cancelled endpoint_deleted']);
  });

  it('gets what was asked for by hand all the same', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { state: 'disabled' });
    const [held] = await lanes.offer(id, 1);
    await lanes.pass(100);
    const delivery = await lanes.store.claimNow({
      delivery: held!,
      partition: 0,
      epoch: 1,
      order: null,
      trigger: 'manual',
      now: new Date(lanes.clock.now()),
      claim,
      claimedUntil: new Date(lanes.clock.now() + 60_000),
    });
    const event = sampleEvent(1);
    lanes.lanes.expedite(
      queuedDelivery({
        delivery,
        event,
        holding: lanes.holding,
        isRecorded: true,
        mark: null,
        queuedAt: 0,
        expedited: true,
      }),
    );
    await lanes.pass(100);
    expect(await states(lanes, [held!])).toEqual(['succeeded null']);
  });
});

describe('stopping', () => {
  it('starts nothing new, parks the rest and waits for what is under way', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 4 });
    lanes.answers.set(id, { status: 200, afterMs: 1000 });
    const deliveries = await lanes.offer(id, 1, 10);
    let stopped = false;
    const stopping = lanes.lanes.stop(new AbortController().signal).then(() => (stopped = true));
    deliveries.push(...(await lanes.offer(id, 11, 2)));
    await lanes.pass(900);
    expect(stopped).toBe(false);
    await lanes.pass(200);
    await stopping;
    expect(lanes.requests).toHaveLength(4);
    expect(await states(lanes, deliveries.slice(0, 4))).toEqual(['succeeded null']);
    expect(await states(lanes, deliveries.slice(4))).toEqual(['pending null']);
    const [lane] = await lanes.store.waitingLanes([0]);
    expect(lane!.dueAt.getTime()).toBeLessThanOrEqual(lanes.clock.now());
    expect(lanes.books.progress(0)!.next).toBe(13);
  });

  it('is done when it may wait no longer', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1);
    lanes.answers.set(id, 'hang');
    await lanes.offer(id, 1);
    const patience = new AbortController();
    const stopping = lanes.lanes.stop(patience.signal);
    patience.abort();
    await stopping;
    expect(lanes.lanes.memory.deliveries).toBe(1);
  });
});

describe('withdrawing', () => {
  it('takes out what waits, makes room, and sends it no more', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    const [first, second, third] = await lanes.offer(id, 1, 3);
    const { made } = lanes.rooms;
    expect(lanes.lanes.withdraw(second!.id)).toBe(true);
    expect(lanes.rooms.made).toBe(made + 1);
    expect(lanes.lanes.find(second!.id)).toBeUndefined();
    await lanes.pass(1000);
    expect(lanes.requests.map(({ eventId }) => eventId)).toEqual([first!.eventId, third!.eventId]);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
  });

  it('leaves alone what is under way, being recorded, or unknown', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1);
    const [underWay] = await lanes.offer(id, 1);
    expect(lanes.lanes.withdraw(underWay!.id)).toBe(false);
    expect(lanes.lanes.withdraw('unknown')).toBe(false);
    lanes.away.add('record');
    await lanes.pass(50);
    expect(lanes.lanes.find(underWay!.id)).toMatchObject({ done: true });
    expect(lanes.lanes.withdraw(underWay!.id)).toBe(false);
    expect(lanes.lanes.memory.deliveries).toBe(1);
    lanes.away.clear();
    await lanes.pass(1000);
    expect(await states(lanes, [underWay!])).toEqual(['succeeded null']);
  });
});

describe('expediting', () => {
  it('attempts once what came from storage while it was asked for', async () => {
    const lanes = start();
    const id = lanes.addEndpoint(1, { maxInFlight: 1 });
    lanes.answers.set(id, { status: 200, afterMs: 100 });
    await lanes.offer(id, 1);
    const waiting = await lanes.planned(id, 2);
    lanes.lanes.offer(waiting);
    lanes.lanes.expedite({ ...waiting, expedited: true, done: false });
    await lanes.pass(1000);
    expect(lanes.requests).toHaveLength(2);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
  });
});

describe('a receiver', () => {
  it('is remembered as slow from one retry to the next', async () => {
    const lanes = start({ slots: 4 });
    const id = lanes.addEndpoint(1, { retryDelaysMs: Array.from({ length: 10 }, () => 100) });
    const healthy = lanes.addEndpoint(2);
    await lanes.offer(healthy, 90);
    lanes.answers.set(id, 'hang');
    await lanes.offer(id, 1);
    // Two timeouts of 5 s, then the third attempt: its place is among the slow ones from its beginning.
    await lanes.pass(10_400);
    expect(lanes.requestsTo(id).length).toBe(3);
    lanes.answers.set(healthy, { status: 200, afterMs: 50 });
    const before = lanes.requestsTo(healthy).length;
    await lanes.offer(healthy, 100, 4);
    expect(lanes.requestsTo(healthy).length - before).toBe(4);
  });
});

describe('a view of what was erased that is too old', () => {
  it('has nothing started by it, and everything as soon as it is brought up to date', async () => {
    const lanes = start();
    const endpoint = lanes.addEndpoint(1);
    lanes.tombstones.knownAt = lanes.clock.monotonic();
    await lanes.offer(endpoint, 1);
    expect(lanes.requests).toHaveLength(1);
    await lanes.pass(mostBehindMs);
    await lanes.offer(endpoint, 2);
    await lanes.pass(1000);
    expect(lanes.requests).toHaveLength(1);
    lanes.tombstones.knownAt = lanes.clock.monotonic();
    await lanes.pass(100);
    expect(lanes.requests).toHaveLength(2);
  });
});

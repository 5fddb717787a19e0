import { startLanes, type LanesUnderTest } from '../lanes/lanes.harness.ts';
import { sampleDelivery, sampleEvent, sampleInsert } from '../deliveries/sample-deliveries.ts';

let lanes: LanesUnderTest;
let endpointId: string;
beforeEach(() => {
  lanes = startLanes();
  lanes.lanes.start();
  endpointId = lanes.addEndpoint(1, { ordering: 'key', retryDelaysMs: [100, 100, 100] });
});
afterEach(() => lanes.close());

const key = () => ({ organisationId: 'org', endpointId, key: 'a' });

/** Events of one key in storage: these of them are due, the others wait. */
async function store(count: number, due: readonly number[] = [1]): Promise<void> {
  for (let number = 1; number <= count; number += 1) {
    const { delivery } = await lanes.planned(endpointId, number);
    const nextAttemptAt = due.includes(number) ? new Date(lanes.clock.now()) : null;
    await lanes.store.record(
      [
        sampleInsert({
          delivery: { ...delivery, nextAttemptAt },
          order: { key: 'a', position: number },
        }),
      ],
      [],
    );
  }
}

const wake = (): void => lanes.lanes.noteStored('org', endpointId, lanes.clock.now());

/** The numbers of the events that were sent, in order. */
const sent = (): readonly number[] => lanes.requests.map(({ eventId }) => Number(eventId.slice(-12)));
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

async function passUntil(isSo: () => boolean): Promise<void> {
  for (let steps = 0; !isSo(); steps += 1) {
    if (steps > 10_000) throw new Error(`it never came to that; sent: ${sent().join()}`);
    await lanes.clock.advanceAsync(1);
  }
}

describe('a backlog of one key', () => {
  it('goes out in order, one at a time, with few looks into storage', async () => {
    const looks = { claims: 0, promotions: 0 };
    const { claimDue, promote } = lanes.store;
    lanes.store.claimDue = (request) => {
      looks.claims += 1;
      return claimDue(request);
    };
    lanes.store.promote = (request) => {
      looks.promotions += 1;
      return promote(request);
    };
    await store(120);
    wake();
    await passUntil(() => sent().length === 120);
    await lanes.pass(1000);
    expect(sent()).toEqual(upTo(120));
    expect(lanes.peak.underWay).toBe(1);
    // Fifty at a time behind each head; one look more at the end, which finds nothing.
    expect(looks.promotions).toBeLessThanOrEqual(3);
    expect(looks.claims).toBeLessThanOrEqual(4);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
  });

  it('has what is new go behind it', async () => {
    await store(20);
    wake();
    await passUntil(() => sent().length === 5);
    for (const number of [21, 22]) {
      lanes.lanes.offer({
        ...(await lanes.planned(endpointId, number)),
        order: { key: 'a', position: number },
      });
    }
    await passUntil(() => sent().length === 22);
    expect(sent()).toEqual(upTo(22));
  });

  it('goes back when one of it fails, and on when that one has succeeded', async () => {
    await store(20);
    wake();
    await passUntil(() => sent().length === 5);
    lanes.answers.set(endpointId, { status: 500, afterMs: 5 });
    await passUntil(() => sent().length === 7);
    await lanes.recorder.drain(new AbortController().signal);
    lanes.answers.set(endpointId, { status: 200, afterMs: 5 });
    await passUntil(() => sent().at(-1) === 20);
    await lanes.pass(1000);
    const { length } = sent();
    expect([...new Set(sent())]).toEqual(upTo(20));
    expect([...sent()].sort((a, b) => a - b)).toEqual(sent());
    expect(length).toBeLessThanOrEqual(23);
    expect(lanes.peak.underWay).toBe(1);
  });

  it('lets what is asked for again take its place before what came with its head', async () => {
    await store(20);
    wake();
    await passUntil(() => sent().length === 5);
    await lanes.recorder.drain(new AbortController().signal);
    await lanes.store.claimNow({
      delivery: sampleDelivery(sampleEvent(1), endpointId),
      partition: 0,
      epoch: 1,
      order: { key: 'a', position: 1 },
      trigger: 'replay',
      now: new Date(lanes.clock.now()),
      claim: null,
      claimedUntil: new Date(lanes.clock.now()),
    });
    lanes.lanes.keys.recheck(lanes.holding, key());
    await passUntil(() => sent().at(-1) === 20);
    expect(sent().lastIndexOf(1)).toBeGreaterThan(4);
    expect(sent().lastIndexOf(1)).toBeLessThanOrEqual(6);
    expect(sent().filter((number) => number !== 1)).toEqual(upTo(20).slice(1));
  });

  it('lets what is asked for again take its place before what has just come', async () => {
    lanes.answers.set(endpointId, { status: 200, afterMs: 50 });
    for (const number of [2, 3, 4]) {
      lanes.lanes.offer({
        ...(await lanes.planned(endpointId, number)),
        order: { key: 'a', position: number },
      });
    }
    await passUntil(() => sent().length === 1);
    const claim = { partition: 0, epoch: 1, claim: null, order: { key: 'a', position: 1 } } as const;
    const now = new Date(lanes.clock.now());
    const { delivery } = await lanes.planned(endpointId, 1);
    await lanes.store.claimNow({ ...claim, delivery, trigger: 'replay', now, claimedUntil: now });
    lanes.lanes.keys.recheck(lanes.holding, key());
    await passUntil(() => sent().length === 4);
    expect(sent()).toEqual([2, 1, 3, 4]);
  });

  it('belongs to nobody when its partition is handed over', async () => {
    await store(20);
    wake();
    await passUntil(() => sent().length === 5);
    const stopped = lanes.lanes.stop(new AbortController().signal);
    await passUntil(() => lanes.lanes.memory.deliveries === 0);
    await stopped;
    expect(await lanes.store.releaseClaims({ partition: 0, keep: [], now: new Date(0) })).toBe(0);
    const next = { ...key(), partition: 0, now: new Date(lanes.clock.now()), release: false };
    const { id } = sampleDelivery(sampleEvent(sent().length + 1), endpointId);
    expect(await lanes.store.promote(next)).toMatchObject({ kind: 'due', deliveryId: id });
  });

  it('leaves nothing in memory when its partition is lost while it is on its way there', async () => {
    await store(20);
    const { claimDue } = lanes.store;
    lanes.store.claimDue = async (request) => {
      const claimed = await claimDue(request);
      Object.assign(lanes.holding, { state: 'lost' });
      lanes.lanes.drop(lanes.holding);
      return claimed;
    };
    wake();
    await lanes.pass(1000);
    expect(lanes.lanes.memory).toEqual({ deliveries: 0, bytes: 0 });
    expect(sent()).toEqual([]);
  });

  it('keeps what is behind something that goes back from overtaking it', async () => {
    await store(12, [1, 10]);
    wake();
    await passUntil(() => sent().length === 12);
    expect(sent()).toEqual(upTo(12));
  });
});

import { silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import type { Delivery } from '@posthorn/models';
import type { DeliveryRecord, DeliveryStore } from './deliveries/delivery-store.ts';
import { createDueClock } from './due-clock.ts';
import { createDueReader } from './due.ts';
import { sampleDelivery, sampleEvent } from './deliveries/sample-deliveries.ts';
import { sampleHolding } from './ownership/sample-holding.harness.ts';
import { simulatedEndpoint } from './simulation/simulated-life.harness.ts';

const lane = { organisationId: 'org', endpointId: 'endpoint' };
const endpoint = simulatedEndpoint({ organisationId: 'org' }, 1);
const holding = sampleHolding();
const request = {
  endpoint,
  verificationOnly: false,
  followers: 0,
  holdings: [holding],
  limit: 7,
  maxBytes: 1000,
};
const place = { partition: 0, order: null };

function setUp(store: Partial<DeliveryStore>) {
  const clock = new FakeClock();
  const records: DeliveryRecord[] = [];
  const due = createDueReader({
    store: store as DeliveryStore,
    recorder: {
      add: (record) => void records.push(record),
      planned: () => undefined,
      backlog: 0,
      drain: () => Promise.resolve(),
    },
    clock,
    dueClock: createDueClock(clock),
    logger: silentLogger,
  });
  return { clock, due, records };
}

/** A store in which these are due, none of them with its event. */
function withoutPayload(...deliveries: Delivery[]): Partial<DeliveryStore> {
  return {
    claimDue: () =>
      Promise.resolve({
        due: deliveries.map((delivery) => ({ delivery, event: null, ...place })),
        nextDueAt: null,
      }),
  };
}

describe('fetching what is due', () => {
  it('claims for longer than an attempt can take, within the limits, and tells when more is due', async () => {
    const event = sampleEvent(1);
    const delivery = sampleDelivery(event);
    let asked: Parameters<DeliveryStore['claimDue']>[0] | undefined;
    const { clock, due } = setUp({
      claimDue: (asking) => {
        asked = asking;
        return Promise.resolve({ due: [{ delivery, event, ...place }], nextDueAt: new Date(5) });
      },
    });
    const fetched = await due.fetch(lane, request);
    expect(asked).toMatchObject({
      ...lane,
      buckets: [{ partition: 0, claim: 'me' }],
      limit: 7,
      maxBytes: 1000,
    });
    expect(asked!.claimedUntil.getTime()).toBeGreaterThan(clock.now() + endpoint.endpoint.timeoutMs);
    expect(fetched.queued).toMatchObject([{ delivery, event, isRecorded: true, mark: null, done: false }]);
    expect(fetched.nextDueAt).toBe(5);
  });

  it('cancels what has lost its payload, with the reason', async () => {
    const delivery = sampleDelivery(sampleEvent(1), 'endpoint', { state: 'held' });
    const { clock, due, records } = setUp(withoutPayload(delivery));
    expect(await due.fetch(lane, request)).toEqual({ queued: [], nextDueAt: null });
    expect(records).toEqual([
      {
        kind: 'update',
        expectedClaim: 'me',
        claim: null,
        order: null,
        attempt: null,
        delivery: {
          ...delivery,
          state: 'cancelled',
          reason: 'payload_expired',
          nextAttemptAt: null,
          finishedAt: new Date(clock.now()),
        },
      },
    ]);
  });

  it('turns no success back when a retry that was asked for has lost its payload', async () => {
    const delivery = sampleDelivery(sampleEvent(1), 'endpoint', {
      state: 'succeeded',
      nextAttemptAt: new Date(1),
      finishedAt: new Date(0),
    });
    const { due, records } = setUp(withoutPayload(delivery));
    await due.fetch(lane, request);
    expect(records[0]?.delivery).toEqual({ ...delivery, nextAttemptAt: null });
  });

  it('asks again a second later when the store is away', async () => {
    const { clock, due } = setUp({ claimDue: () => Promise.reject(new Error('away')) });
    expect(await due.fetch(lane, request)).toEqual({ queued: [], nextDueAt: clock.now() + 1000 });
  });
});

describe('settling what waits for an endpoint that takes nothing any more', () => {
  it.each([
    [{ kind: 'gone' }, { state: 'cancelled', reason: 'endpoint_deleted' }],
    [
      { kind: 'closed', reason: 'endpoint_disabled' },
      { state: 'held', reason: 'endpoint_disabled' },
    ],
  ] as const)('goes in steps until nothing waits (%j)', async (gate, becomes) => {
    const steps: Parameters<DeliveryStore['settleWaiting']>[0][] = [];
    const { due } = setUp({
      settleWaiting: (step) => Promise.resolve([200, 200, 3, 0][steps.push(step) - 1] ?? 0),
    });
    await due.settle(lane, gate, [holding]);
    expect(steps).toHaveLength(4);
    for (const step of steps)
      expect(step).toMatchObject({ ...lane, ...becomes, partitions: [0], limit: 200 });
  });

  it('leaves it to the next look when the store is away', async () => {
    const { due } = setUp({ settleWaiting: () => Promise.reject(new Error('away')) });
    await expect(due.settle(lane, { kind: 'gone' }, [holding])).resolves.toBeUndefined();
  });
});

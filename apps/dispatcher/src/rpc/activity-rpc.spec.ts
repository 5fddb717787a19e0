import type { AttemptOutcome, Principal } from '@posthorn/models';
import { createInProcessClient } from '@posthorn/rpc';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { FakeClock } from '@posthorn/testing';
import { createActivityRpc } from './activity-rpc.ts';
import { closedBreaker, type Breaker } from '../lanes/breaker.ts';
import type {
  AttemptSample,
  AttemptScan,
  DeliveryStore,
  RecordedHealth,
} from '../deliveries/delivery-store.ts';
import type { EndpointTrouble } from '../troubles/trouble-store.ts';

const principal: Principal = { kind: 'key', id: 'key', organisationId: 'org', scopes: ['*'] };
const dayMs = 86_400_000;
const healthy: RecordedHealth = {
  consecutiveFailures: 0,
  failingSince: null,
  lastSuccessAt: new Date(7000),
  waiting: 0,
  oldestWaitingAt: null,
};

interface Known {
  readonly health?: Record<string, RecordedHealth>;
  readonly troubles?: readonly EndpointTrouble[];
  readonly breakers?: Record<string, Breaker>;
}

function setUp(
  samples: readonly AttemptSample[] = [],
  { health = {}, troubles = [], breakers = {} }: Known = {},
) {
  const clock = new FakeClock();
  const scans: AttemptScan[] = [];
  const store: Partial<DeliveryStore> = {
    async *scanAttempts(scan) {
      scans.push(scan);
      yield samples.slice(0, 2);
      yield samples.slice(2);
    },
    health: (_organisationId, endpointId) => Promise.resolve(health[endpointId] ?? healthy),
  };
  const service = createActivityRpc({
    deliveries: store as DeliveryStore,
    troubles: {
      find: (_organisationId, ids) => Promise.resolve(troubles.filter((one) => ids.includes(one.endpointId))),
    },
    lanes: { breakerOf: (id) => breakers[id] ?? closedBreaker },
    feed: { read: notInThisTest },
    test: { send: notInThisTest },
    view: () => {
      throw new Error('not in this test');
    },
    clock,
  });
  const client = createInProcessClient(service, { clock, logger: silentLogger, metrics: createMetrics() });
  const stats = (window: { after?: Date; before?: Date } = {}, organisationId = 'org') =>
    client.getStats(
      { organisationId, endpointId: 'endpoint', after: window.after, before: window.before },
      { principal },
    );
  return { clock, client, scans, stats };
}

const notInThisTest = () => Promise.reject(new Error('not in this test'));

const sample = (startedAt: number, outcome: AttemptOutcome, durationMs = 10): AttemptSample => ({
  startedAt,
  outcome,
  durationMs,
});

describe('the statistics of an endpoint', () => {
  it('add all attempts up, and those of each bucket of time', async () => {
    const start = Date.parse('2026-01-01T00:00:00.000Z');
    const minute = 60_000;
    const { stats } = setUp([
      sample(start, 'success'),
      sample(start + minute - 1, 'http_error'),
      sample(start + minute, 'timeout'),
      sample(start + 59 * minute, 'success'),
    ]);
    const answer = await stats({ after: new Date(start), before: new Date(start + 60 * minute) });
    expect(answer.bucketMs).toBe(BigInt(minute));
    expect(answer.buckets).toHaveLength(60);
    expect(answer.total).toMatchObject({
      attempts: 4n,
      byOutcome: { success: 2n, http_error: 1n, timeout: 1n },
    });
    const attempts = answer.buckets.map(({ summary }) => summary?.attempts);
    expect([attempts[0], attempts[1], attempts[59]]).toEqual([2n, 1n, 1n]);
    expect(answer.buckets[59]?.start).toEqual(new Date(start + 59 * minute));
    expect(answer.total?.latencyP50Ms).toBeCloseTo(10, 0);
  });

  it('are of the last day when nothing is said', async () => {
    const { clock, scans, stats } = setUp();
    const answer = await stats();
    expect(scans[0]).toMatchObject({
      organisationId: 'org',
      after: new Date(clock.now() - dayMs),
      before: new Date(clock.now()),
    });
    expect(answer.total).toMatchObject({ attempts: 0n, byOutcome: {}, latencyP50Ms: undefined });
  });

  it.each([
    [1, 60_000],
    [dayMs, 3_600_000],
    [90 * dayMs, 7 * dayMs],
  ])('have at most sixty buckets (%d ms)', async (lengthMs, bucketMs) => {
    const answer = await setUp().stats({ after: new Date(0), before: new Date(lengthMs) });
    expect(answer.bucketMs).toBe(BigInt(bucketMs));
    expect(answer.buckets.length).toBe(Math.ceil(lengthMs / bucketMs));
    expect(answer.buckets.length).toBeLessThanOrEqual(60);
  });

  it.each([
    [5, 5],
    [6, 5],
    [0, 90 * dayMs + 1],
  ])('refuse a window from %d to %d', async (after, before) => {
    await expect(setUp().stats({ after: new Date(after), before: new Date(before) })).rejects.toMatchObject({
      code: 'invalid_argument',
      violations: [{ field: '?after' }],
    });
  });

  it.each([
    ['the wrong way round', new Date(2000), new Date(1000)],
    ['from no time', new Date(NaN), new Date(1000)],
    ['to no time', new Date(1000), new Date(NaN)],
  ])('are refused for a window that is %s', async (_, after, before) => {
    await expect(setUp().stats({ after, before })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('are given to the owner only', async () => {
    const { scans, stats } = setUp();
    await expect(stats({}, 'another')).rejects.toMatchObject({ code: 'not_found' });
    expect(scans).toEqual([]);
  });
});

describe('the health of endpoints', () => {
  it('is failing from the first failure on, in the order in which it was asked for', async () => {
    const failing: RecordedHealth = {
      ...healthy,
      consecutiveFailures: 1,
      failingSince: new Date(9000),
      waiting: 3,
    };
    const { client } = setUp([], { health: { bad: failing } });
    const request = { organisationId: 'org', endpointIds: ['good', 'bad'] };
    expect((await client.getHealth(request, { principal })).endpoints).toEqual([
      {
        endpointId: 'good',
        state: 'healthy',
        consecutiveFailures: 0,
        failingSince: undefined,
        lastSuccessAt: new Date(7000),
        waiting: 0n,
      },
      {
        endpointId: 'bad',
        state: 'failing',
        consecutiveFailures: 1,
        failingSince: new Date(9000),
        lastSuccessAt: new Date(7000),
        waiting: 3n,
      },
    ]);
    await expect(
      client.getHealth({ ...request, organisationId: 'another' }, { principal }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is open when a breaker of ours is, or another dispatcher has said so and its time is not over', async () => {
    const failing: RecordedHealth = { ...healthy, consecutiveFailures: 6, failingSince: new Date(9000) };
    const now = new FakeClock().now();
    const trouble = (endpointId: string, openUntil: number): EndpointTrouble => ({
      organisationId: 'org',
      endpointId,
      failingSince: new Date(8000),
      openUntil: new Date(openUntil),
    });
    const open: Breaker = { state: 'open', waitMs: 5000, probeAt: 0 };
    const { client } = setUp([], {
      health: { ours: failing, theirs: failing, over: failing },
      troubles: [trouble('theirs', now + 1), trouble('over', now), trouble('answers', now + 1)],
      breakers: { ours: open },
    });
    const endpointIds = ['ours', 'theirs', 'over', 'answers'];
    const { endpoints } = await client.getHealth({ organisationId: 'org', endpointIds }, { principal });
    expect(endpoints.map(({ state }) => state)).toEqual(['open', 'open', 'failing', 'healthy']);
    // Since the trouble began, which may be longer ago than the records are looked at.
    expect(endpoints[1]?.failingSince).toEqual(new Date(8000));
    expect(endpoints[3]?.failingSince).toBeUndefined();
  });
});

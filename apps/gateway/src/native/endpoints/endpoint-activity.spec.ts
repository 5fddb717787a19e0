import type { configV1, dispatchV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme } from '../../testing/fake-services.harness.ts';
import { sampleAttempt, sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;
let testAsked: dispatchV1.SendTestRequest | null = null;
let statsAsked: dispatchV1.GetStatsRequest | null = null;

const { id } = sampleEndpoint();
const path = `/v1/endpoints/${id}`;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        getEndpoint: ({ idOrUid }: configV1.GetEndpointRequest) =>
          idOrUid === id || idOrUid === 'billing'
            ? Promise.resolve({ endpoint: sampleEndpoint(), secrets: [] })
            : Promise.reject(new DomainError('not_found', 'There is no such endpoint.')),
      },
      activity: {
        sendTest: (request) => {
          testAsked = request;
          return Promise.resolve({ attempt: sampleAttempt() });
        },
        getStats: (request) => {
          statsAsked = request;
          return Promise.resolve({
            after: sampleTime,
            before: sampleTime,
            total: {
              attempts: 3n,
              byOutcome: { success: 2n, timeout: 1n },
              latencyP50Ms: 12,
              latencyP95Ms: 20.5,
              latencyP99Ms: 21,
            },
            buckets: [{ start: sampleTime, summary: { attempts: 0n, byOutcome: {} } }],
            bucketMs: 3_600_000n,
            oldestWaitingAt: sampleTime,
            waiting: 4n,
          });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  testAsked = null;
  statsAsked = null;
});

test('a test event is sent as the very bytes that came, and answers with the attempt', async () => {
  const sent = await running.call('POST', '/v1/endpoints/billing/test', {
    body: '{ "data" : {"total": 12.50, "id":12345678901234567890 } , "type":"order.paid"}',
  });
  expect([sent.status, sent.body]).toEqual([
    200,
    expect.objectContaining({ outcome: 'success', status: 204, trigger: 'test' }),
  ]);
  const { data, ...rest } = testAsked ?? { data: null };
  expect(Buffer.from(data ?? []).toString()).toBe('{"total": 12.50, "id":12345678901234567890 }');
  expect(rest).toEqual({ organisationId: acme.id, endpointId: id, type: 'order.paid' });
});

test('without a body a sample is sent', async () => {
  expect((await running.call('POST', `${path}/test`)).status).toBe(200);
  expect(testAsked).toMatchObject({ type: '', data: new Uint8Array() });
});

test('an event type that can’t be one is refused', async () => {
  expect((await running.call('POST', `${path}/test`, { body: { type: 'no spaces' } })).status).toBe(400);
});

test('stats are numbers by outcome, in all and over time', async () => {
  const stats = await running.call(
    'GET',
    `${path}/stats?after=2026-01-30T00:00:00Z&before=2026-01-31T00:00:00%2B01:00`,
  );
  expect(statsAsked).toMatchObject({
    endpointId: id,
    after: new Date('2026-01-30T00:00:00.000Z'),
    before: new Date('2026-01-30T23:00:00.000Z'),
  });
  expect(stats.body).toEqual({
    after: '2026-01-31T12:00:00.000Z',
    before: '2026-01-31T12:00:00.000Z',
    total: {
      attempts: 3,
      byOutcome: { success: 2, timeout: 1 },
      latencyMs: { p50: 12, p95: 20.5, p99: 21 },
    },
    bucketMs: 3_600_000,
    buckets: [{ start: '2026-01-31T12:00:00.000Z', attempts: 0, byOutcome: {}, latencyMs: null }],
    waiting: 4,
    oldestWaitingAt: '2026-01-31T12:00:00.000Z',
  });
});

test.each([
  'after=yesterday',
  'after=2026-02-30T00:00:00Z',
  'after=2026-01-31T00:00:00Z&before=2026-01-30T00:00:00Z',
])('stats of ?%s are refused', async (query) => {
  expect((await running.call('GET', `${path}/stats?${query}`)).status).toBe(400);
});

test('stats and tests of an unknown endpoint are not found', async () => {
  const answers = await Promise.all([
    running.call('GET', '/v1/endpoints/other/stats'),
    running.call('POST', '/v1/endpoints/other/test'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
});

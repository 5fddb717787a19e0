import { attemptToMessage, deliveryToMessage, dispatchV1, type DeliveryView } from '@posthorn/contracts';
import { DomainError, type Attempt } from '@posthorn/models';
import { acme, tokens, type FakeHandlers } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const at = new Date('2026-01-31T12:00:00.000Z');

const attempt: Attempt = {
  id: 'a1',
  organisationId: acme.id,
  deliveryId: 'd1',
  eventId: 'e1',
  eventType: 'order.paid',
  endpointId: 'n1',
  number: 1,
  trigger: 'schedule',
  startedAt: at,
  durationMs: 12,
  outcome: 'http_error',
  status: 503,
  error: 'The receiver answered 503.',
  response: { headers: { 'content-type': 'text/plain' }, body: 'busy', truncated: false },
  address: '127.0.0.1',
  signature: 'v1,abc',
};
const { organisationId: _, ...shownAttempt } = { ...attempt, startedAt: at.toISOString() };

const delivery: DeliveryView = {
  id: 'd1',
  organisationId: acme.id,
  eventId: 'e1',
  eventType: 'order.paid',
  endpointId: 'n1',
  state: 'retrying',
  reason: null,
  attempts: 1,
  nextAttemptAt: at,
  createdAt: at,
  finishedAt: null,
  lastAttempt: attempt,
  modifiedAt: null,
};
const shownDelivery = {
  id: 'd1',
  eventId: 'e1',
  eventType: 'order.paid',
  endpointId: 'n1',
  state: 'retrying',
  reason: null,
  attempts: 1,
  nextAttemptAt: at.toISOString(),
  createdAt: at.toISOString(),
  finishedAt: null,
  lastAttempt: shownAttempt,
};

type DeliveryHandlers = NonNullable<FakeHandlers['deliveries']>;

describe('deliveries and attempts', () => {
  let gateway: TestGateway;

  async function start(deliveries: DeliveryHandlers): Promise<TestGateway['call']> {
    gateway = await startTestGateway({ handlers: { deliveries } });
    return gateway.call;
  }
  afterEach(() => gateway.gateway.stop(1000));

  it('keeps nothing of what a receiver answered with an idempotency key: erasing would not find it there', async () => {
    const kept: string[] = [];
    const answer = { delivery: deliveryToMessage(delivery) };
    gateway = await startTestGateway({
      handlers: {
        deliveries: { retryDelivery: async () => answer, cancelDelivery: async () => answer },
        events: { replayEvent: async () => ({ deliveries: [answer.delivery] }) },
        idempotency: {
          reserve: async () => ({ answer: undefined, inProgress: false, reservation: 'r' }),
          complete: async (request) => {
            kept.push(Buffer.from(request.answer?.body ?? []).toString());
            return {};
          },
        },
      },
    });
    const headers = { 'Idempotency-Key': 'k' };
    for (const path of ['/v1/deliveries/d1/retry', '/v1/deliveries/d1/cancel', '/v1/events/e1/replay']) {
      const { body } = await gateway.call('POST', path, { headers });
      expect(JSON.stringify(body)).toContain('busy');
    }
    expect(kept).toEqual([
      expect.stringContaining('"response":null'),
      expect.stringContaining('"response":null'),
      expect.stringContaining('"response":null'),
    ]);
    expect(kept.join()).not.toContain('busy');
  });

  it('lists deliveries by endpoint, event, type, states, status class and time', async () => {
    let asked: dispatchV1.ListDeliveriesRequest | undefined;
    const call = await start({
      listDeliveries: (request) => {
        asked = request;
        return Promise.resolve({ deliveries: [deliveryToMessage(delivery)], nextCursor: '' });
      },
    });
    const filters =
      'endpointId=n1&eventId=e1&eventType=order.paid&state=held&state=failed&statusClass=5xx&after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z';
    const { body } = await call('GET', `/v1/deliveries?limit=250&cursor=abc&${filters}`);
    expect(asked).toEqual({
      organisationId: acme.id,
      limit: 250,
      cursor: 'abc',
      endpointId: 'n1',
      eventId: 'e1',
      eventType: 'order.paid',
      states: [dispatchV1.DeliveryState.DELIVERY_STATE_HELD, dispatchV1.DeliveryState.DELIVERY_STATE_FAILED],
      statusClass: 5,
      after: new Date('2026-01-01T00:00:00Z'),
      before: new Date('2026-02-01T00:00:00Z'),
    });
    expect(body).toEqual({ data: [shownDelivery], nextCursor: null });
    await call('GET', '/v1/deliveries');
    expect(asked).toMatchObject({ limit: 50, states: [], statusClass: undefined });
    const wrong = await call('GET', '/v1/deliveries?state=lost&statusClass=5&after=x&limit=251');
    expect(wrong.status).toBe(400);
    expect((wrong.body as { violations: { field: string }[] }).violations.map(({ field }) => field)).toEqual([
      '?state',
      '?statusClass',
      '?after',
      '?limit',
    ]);
  });

  it('shows a delivery with its last attempt, or without one', async () => {
    let shown = delivery;
    const call = await start({ getDelivery: () => Promise.resolve({ delivery: deliveryToMessage(shown) }) });
    expect((await call('GET', '/v1/deliveries/d1')).body).toEqual(shownDelivery);
    shown = {
      ...delivery,
      state: 'held',
      reason: 'endpoint_paused',
      attempts: 0,
      nextAttemptAt: null,
      lastAttempt: null,
    };
    expect((await call('GET', '/v1/deliveries/d1')).body).toMatchObject({
      state: 'held',
      reason: 'endpoint_paused',
      nextAttemptAt: null,
      lastAttempt: null,
    });
  });

  it("lists a delivery's attempts, and finds none of an unknown delivery", async () => {
    let asked: dispatchV1.ListAttemptsRequest | undefined;
    const call = await start({
      getDelivery: ({ id }) =>
        id === 'd1'
          ? Promise.resolve({ delivery: deliveryToMessage(delivery) })
          : Promise.reject(new DomainError('not_found', 'There is no such delivery.')),
      listAttempts: (request) => {
        asked = request;
        return Promise.resolve({
          attempts: request.deliveryId === 'd1' ? [attemptToMessage(attempt)] : [],
          nextCursor: '',
        });
      },
    });
    expect((await call('GET', '/v1/deliveries/d1/attempts?limit=1')).body).toEqual({
      data: [shownAttempt],
      nextCursor: null,
    });
    expect(asked).toMatchObject({ organisationId: acme.id, deliveryId: 'd1', limit: 1 });
    expect((await call('GET', '/v1/deliveries/d2/attempts')).status).toBe(404);
  });

  it('lists attempts by delivery, endpoint, event, type, outcome, status class and time', async () => {
    let asked: dispatchV1.ListAttemptsRequest | undefined;
    const call = await start({
      listAttempts: (request) => {
        asked = request;
        return Promise.resolve({ attempts: [attemptToMessage(attempt)], nextCursor: 'more' });
      },
    });
    const filters =
      'deliveryId=d1&endpointId=n1&eventId=e1&eventType=order.paid&outcome=http_error&statusClass=4xx&after=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z';
    const { body } = await call('GET', `/v1/attempts?${filters}`);
    expect(asked).toEqual({
      organisationId: acme.id,
      limit: 50,
      cursor: '',
      deliveryId: 'd1',
      endpointId: 'n1',
      eventId: 'e1',
      eventType: 'order.paid',
      outcome: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_HTTP_ERROR,
      statusClass: 4,
      after: new Date('2026-01-01T00:00:00Z'),
      before: new Date('2026-02-01T00:00:00Z'),
    });
    expect(body).toEqual({ data: [shownAttempt], nextCursor: 'more' });
  });

  it('retries and cancels', async () => {
    const call = await start({
      retryDelivery: () => Promise.resolve({ delivery: deliveryToMessage(delivery) }),
      cancelDelivery: ({ id }) =>
        id === 'd1'
          ? Promise.resolve({
              delivery: deliveryToMessage({ ...delivery, state: 'cancelled', finishedAt: at }),
            })
          : Promise.reject(new DomainError('failed_precondition', 'The delivery has ended.')),
    });
    expect(await call('POST', '/v1/deliveries/d1/retry')).toMatchObject({ status: 202, body: { id: 'd1' } });
    expect(await call('POST', '/v1/deliveries/d1/cancel')).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    expect((await call('POST', '/v1/deliveries/d2/cancel')).status).toBe(409);
    expect((await call('POST', '/v1/deliveries/d1/retry', { body: { now: true } })).status).toBe(400);
  });

  it('needs deliveries:read to look and deliveries:write to act', async () => {
    const call = await start({});
    const token = tokens.publisher;
    for (const path of [
      '/v1/deliveries',
      '/v1/deliveries/d1',
      '/v1/deliveries/d1/attempts',
      '/v1/attempts',
    ]) {
      expect((await call('GET', path, { token })).status).toBe(403);
    }
    expect((await call('POST', '/v1/deliveries/d1/retry', { token })).status).toBe(403);
    expect((await call('POST', '/v1/deliveries/d1/cancel', { token })).status).toBe(403);
    expect((await call('GET', '/v1/deliveries/d1')).status).toBe(404);
  });
});

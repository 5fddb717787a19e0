import { attemptIdOf, type Delivery } from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { createAttempt } from './attempt.ts';
import { createDueClock } from './due-clock.ts';
import { queuedDelivery } from './queued-delivery.ts';
import { sampleDelivery, sampleEvent } from './sample-deliveries.ts';
import { simulatedEndpoint } from './simulated-life.harness.ts';
import type { Exchange, WebhookClient, WebhookRequest } from './webhook-client.ts';

const endpoint = simulatedEndpoint({ organisationId: 'org' }, 1);
const success: Exchange = {
  outcome: 'success',
  status: 200,
  response: { headers: {}, body: 'thanks', truncated: false },
  retryAfterMs: null,
  address: '192.0.2.1',
  error: null,
  durationMs: 12.6,
};
const serverError: Exchange = { ...success, outcome: 'http_error', status: 500, error: 'It answered 500.' };

function setUp(exchange: Exchange | Error, startMs = Date.parse('2026-01-01T00:00:10.000Z')) {
  const clock = new FakeClock(startMs);
  const dueClock = createDueClock(clock);
  const metrics = createMetrics();
  const requests: WebhookRequest[] = [];
  const client: WebhookClient = {
    send(request) {
      requests.push(request);
      clock.advance(400);
      return exchange instanceof Error ? Promise.reject(exchange) : Promise.resolve(exchange);
    },
    close: () => Promise.resolve(),
  };
  const attempt = createAttempt({
    client,
    clock,
    dueClock,
    random: createSeededRandom(1),
    logger: silentLogger,
    metrics,
  });
  const queued = (over: Partial<Delivery> = {}) => {
    const event = sampleEvent(1);
    const delivery = sampleDelivery(event, endpoint.endpoint.id, over);
    return queuedDelivery({ delivery, event, claim: null, mark: null, queuedAt: 0 });
  };
  return { clock, metrics, requests, attempt, queued };
}

describe('an attempt', () => {
  it('has the number after the last, an id of its own, and the whole milliseconds that it took', async () => {
    const { clock, attempt, queued, requests } = setUp(success);
    const startedAt = new Date(clock.now());
    const one = queued({ attempts: 3, state: 'retrying' });
    const { attempt: made, delivery, outcome } = await attempt(one, endpoint);
    expect(made).toMatchObject({
      id: attemptIdOf(one.delivery.id, 4),
      deliveryId: one.delivery.id,
      eventId: one.event.id,
      endpointId: endpoint.endpoint.id,
      organisationId: 'org',
      number: 4,
      trigger: 'schedule',
      outcome: 'success',
      status: 200,
      durationMs: 13,
      startedAt,
      address: '192.0.2.1',
      response: success.response,
    });
    expect(delivery).toMatchObject({ state: 'succeeded', attempts: 4, nextAttemptAt: null });
    expect(outcome).toEqual({ kind: 'success', status: 200, retryAfterMs: null });
    expect(requests[0]?.headers).toContain(made.signature);
    expect(requests[0]).toMatchObject({ timeoutMs: 5000, organisationId: 'org', url: endpoint.endpoint.url });
  });

  it('is followed by the next one of the schedule, counted from its end', async () => {
    const { clock, attempt, queued } = setUp(serverError);
    const { delivery } = await attempt(queued(), endpoint);
    expect(delivery).toMatchObject({ state: 'retrying', attempts: 1 });
    const waitMs = delivery.nextAttemptAt!.getTime() - clock.now();
    expect(waitMs).toBeGreaterThanOrEqual(800);
    expect(waitMs).toBeLessThanOrEqual(1200);
  });

  it('says whom it is for, as it was asked', async () => {
    const { attempt, queued } = setUp(success);
    expect((await attempt(queued({ trigger: 'replay' }), endpoint)).attempt.trigger).toBe('replay');
  });

  it('disables the endpoint when the receiver is gone for good', async () => {
    const { attempt, queued } = setUp({ ...serverError, status: 410 });
    const { delivery, disableEndpoint } = await attempt(queued(), endpoint);
    expect([delivery.state, disableEndpoint]).toEqual(['failed', 'gone']);
  });

  it('turns no success back', async () => {
    const { attempt, queued } = setUp(serverError);
    const one = queued({ state: 'succeeded', attempts: 1, trigger: 'manual', finishedAt: new Date(5) });
    expect((await attempt(one, endpoint)).delivery).toMatchObject({
      state: 'succeeded',
      attempts: 2,
      nextAttemptAt: null,
      finishedAt: new Date(5),
    });
  });

  it('comes to an outcome of our own when a secret cannot be decoded, and is tried again', async () => {
    const { attempt, queued, requests } = setUp(success);
    const secrets = endpoint.secrets.map((secret) => ({ ...secret, secret: 'whsec_%%%' }));
    const { attempt: made, delivery } = await attempt(queued(), { ...endpoint, secrets });
    expect(requests).toEqual([]);
    expect(made).toMatchObject({
      number: 1,
      outcome: 'internal',
      status: null,
      response: null,
      signature: null,
      error: 'Posthorn could not build this request.',
    });
    expect(JSON.stringify(made)).not.toContain('%%%');
    expect(delivery.state).toBe('retrying');
  });

  it('never rejects, whatever the client does', async () => {
    const { attempt, queued } = setUp(new Error('a bug'));
    expect((await attempt(queued(), endpoint)).attempt.outcome).toBe('internal');
  });

  it('is counted by outcome and trigger, with how long it took and how long its event had waited', async () => {
    const { metrics, attempt, queued } = setUp(success);
    await attempt(queued(), endpoint);
    await attempt(queued({ attempts: 1 }), endpoint);
    await attempt(queued({ trigger: 'manual' }), endpoint);
    const rendered = await metrics.render();
    expect(rendered).toContain('posthorn_attempts_total{outcome="success",trigger="schedule"} 2');
    expect(rendered).toContain('posthorn_attempts_total{outcome="success",trigger="manual"} 1');
    expect(rendered).toContain('posthorn_attempt_duration_seconds_count 3');
    expect(rendered).toContain('posthorn_attempt_duration_seconds_sum 0.039');
    // Accepted at second 1, started at second 10; only first attempts by the schedule count.
    expect(rendered).toContain('posthorn_time_to_first_attempt_seconds_sum 9\n');
    expect(rendered).toContain('posthorn_time_to_first_attempt_seconds_count 1');
  });

  it('counts no negative wait when the clock was set back', async () => {
    const { metrics, attempt, queued } = setUp(success, 0);
    await attempt(queued(), endpoint);
    expect(await metrics.render()).toContain('posthorn_time_to_first_attempt_seconds_sum 0\n');
  });
});

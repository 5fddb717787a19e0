import {
  attemptIdOf,
  compileMatcher,
  dialectRules,
  type Delivery,
  type Dialect,
  type Endpoint,
  type SigningEndpoint,
} from '@posthorn/models';
import { createMetrics, silentLogger } from '@posthorn/runtime';
import { createSeededRandom, FakeClock } from '@posthorn/testing';
import { createAttempt, type Judged } from './attempt.ts';
import type { OrganisationView } from './directory.ts';
import { createDueClock } from './due-clock.ts';
import { createEnvelopes } from './envelope/envelope.ts';
import { sampleHolding } from './ownership/sample-holding.harness.ts';
import { sampleOrganisation, samplePolicy, sampleSecret } from './envelope/occasion.harness.ts';
import { defaultBranding } from './envelope/rapidly.ts';
import { queuedDelivery } from './lanes/queued-delivery.ts';
import { sampleDelivery, sampleEvent } from './deliveries/sample-deliveries.ts';
import { simulatedEndpoint } from './simulation/simulated-life.harness.ts';
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

const view: OrganisationView = {
  organisation: { ...sampleOrganisation, id: 'org' },
  endpoints: new Map(),
  policies: new Map(),
  matcher: compileMatcher([]),
};

function inDialect(dialect: Dialect, over: Partial<Endpoint> = {}): SigningEndpoint {
  const { formats } = dialectRules[dialect];
  return {
    ...endpoint,
    endpoint: { ...endpoint.endpoint, dialect, format: formats[0], signing: [], ...over },
    secrets: [sampleSecret],
  };
}

function setUp(
  exchange: Exchange | Error,
  startMs = Date.parse('2026-01-01T00:00:10.000Z'),
  known: Partial<OrganisationView> = {},
) {
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
  const random = createSeededRandom(1);
  const attemptOrNot = createAttempt({
    envelopes: createEnvelopes({
      branding: defaultBranding,
      publicUrl: () => 'https://posthorn.example',
      random,
    }),
    directory: { organisation: () => ({ ...view, ...known }) },
    client,
    clock,
    dueClock,
    random,
    logger: silentLogger,
    metrics,
  });
  const attempt = async (...of: Parameters<typeof attemptOrNot>): Promise<Judged> => {
    const judged = await attemptOrNot(...of);
    if (judged === null) throw new Error('it was not sent');
    return judged;
  };
  const queued = (over: Partial<Delivery> = {}) => {
    const event = sampleEvent(1);
    const delivery = sampleDelivery(event, endpoint.endpoint.id, over);
    return queuedDelivery({
      delivery,
      event,
      holding: sampleHolding(),
      isRecorded: false,
      mark: null,
      queuedAt: 0,
    });
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

describe('an attempt in a dialect', () => {
  const blocked: Exchange = {
    ...success,
    outcome: 'blocked',
    status: null,
    response: null,
    address: null,
    error: 'The address may not be reached.',
  };

  it.each(['blocked', 'dns'] as const)(
    'ends a rapidly delivery at once with the one text that it has for an address that is %s',
    async (outcome) => {
      const { attempt, queued } = setUp({ ...blocked, outcome });
      const { attempt: made, delivery } = await attempt(queued(), inDialect('rapidly'));

      expect(made).toMatchObject({
        outcome,
        status: null,
        response: null,
        error: 'URL resolves to a private/internal IP address',
      });
      expect(delivery).toMatchObject({ state: 'failed', attempts: 1, nextAttemptAt: null });
    },
  );

  it('goes to the URL, and with the user agent, of the dialect', async () => {
    const { attempt, queued, requests } = setUp(success);
    const one = queued();
    await attempt(one, inDialect('ricloud', { url: 'https://h/hooks/' }));
    await attempt(one, inDialect('rapidly'));
    await attempt(one, endpoint);

    expect(requests[0]?.url).toBe(`https://h/hooks/${one.event.id}`);
    expect(requests.map(({ userAgent }) => userAgent)).toEqual([
      undefined,
      'rapidly.tech webhooks',
      undefined,
    ]);
  });

  it.each([
    [success, 'The JSON Web Token has '],
    [serverError, 'It answered 500. The JSON Web Token has '],
  ])('says of a JWT over 8 KiB that receivers may refuse it', async (exchange, said) => {
    const key = 'a shared secret of sixty-four printable characters: 0123456789abcdef';
    const { attempt, queued, requests } = setUp(exchange, undefined, {
      policies: new Map([['policy', { policy: samplePolicy, key }]]),
    });
    const one = queued();
    const event = { ...one.event, payload: Buffer.from(`"${'x'.repeat(8000)}"`) };
    const { attempt: made } = await attempt({ ...one, event }, inDialect('xurrent', { policyId: 'policy' }));

    expect(made.error).toContain(said);
    expect(made.outcome).toBe(exchange.outcome);
    expect(requests).toHaveLength(1);
  });
});

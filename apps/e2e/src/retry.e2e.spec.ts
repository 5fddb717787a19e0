import { eventually, failTimes, hang, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type EndpointAnswer, type Tenant } from './tenant.ts';

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterEach(() => receiver.close());

const event = { type: 'order.paid', data: {} };

/** How long the receiver waited between one request and the next. */
function waitsMs(): readonly number[] {
  const times = receiver.requests.map(({ receivedAt }) => receivedAt);
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe('a failed attempt', () => {
  it('is repeated by the schedule, each wait within 20 % of what it says', async () => {
    receiver.behave(failTimes(3, respond(500)));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [500, 1000, 100] });
    const { id } = await tenant.publish(event);
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 4 });
    const [first = 0, second = 0, third = 0] = waitsMs();
    expect(first).toBeGreaterThanOrEqual(399);
    expect(second).toBeGreaterThanOrEqual(799);
    expect(third).toBeGreaterThanOrEqual(79);
    expect(first).toBeLessThan(10_000);
  });

  it('ends as exhausted when the schedule has no further attempt', async () => {
    receiver.behave(503);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [50, 50] });
    const { id } = await tenant.publish(event);
    expect(await tenant.deliveryIn('exhausted', id, endpointId)).toMatchObject({
      attempts: 3,
      reason: 'attempts_exhausted',
      nextAttemptAt: null,
      finishedAt: expect.any(String),
      lastAttempt: { outcome: 'http_error', status: 503 },
    });
    expect(receiver.requests).toHaveLength(3);
  });

  it('is told with the time of the next one until then', async () => {
    receiver.behave(500);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [60_000] });
    const { id } = await tenant.publish(event);
    const { nextAttemptAt } = await tenant.deliveryIn('retrying', id, endpointId);
    const inMs = Date.parse(nextAttemptAt ?? '') - Date.now();
    expect(inMs).toBeGreaterThan(20_000);
    expect(inMs).toBeLessThanOrEqual(72_000);
  });

  it.each([301, 302, 304, 307, 308])('comes of a redirect (%d), which is not followed', async (status) => {
    const elsewhere = await startReceiver();
    receiver.behave(respond(status, { headers: { location: elsewhere.url } }));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [] });
    const { id } = await tenant.publish(event);
    expect(await tenant.deliveryIn('exhausted', id, endpointId)).toMatchObject({
      attempts: 1,
      lastAttempt: { outcome: 'http_error', status },
    });
    expect(elsewhere.requests).toHaveLength(0);
    await elsewhere.close();
  });

  it.each([429, 503])('waits as long as Retry-After asks with a %d', async (status) => {
    receiver.behave(failTimes(1, respond(status, { headers: { 'retry-after': '2' } })));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [50, 50] });
    const { id } = await tenant.publish(event);
    await tenant.deliveryIn('succeeded', id, endpointId);
    expect(waitsMs()[0]).toBeGreaterThanOrEqual(1990);
  });

  it('waits until the date that Retry-After names', async () => {
    receiver.behave(({ response }) =>
      response.writeHead(503, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }).end(),
    );
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [50, 50] });
    const { id } = await tenant.publish(event);
    const { nextAttemptAt } = await tenant.deliveryIn('retrying', id, endpointId);
    const inMs = Date.parse(nextAttemptAt ?? '') - Date.now();
    expect(inMs).toBeGreaterThan(3_500_000);
    expect(inMs).toBeLessThanOrEqual(3_601_000);
  });

  it("comes of a receiver that doesn't answer within the endpoint's timeout", async () => {
    receiver.behave(failTimes(1, hang()));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, timeoutMs: 500 });
    const { id } = await tenant.publish(event);
    const { id: deliveryId } = await tenant.deliveryIn('succeeded', id, endpointId);
    const [first] = await tenant.attempts(deliveryId);
    expect(first).toMatchObject({ outcome: 'timeout', status: null });
    expect(first?.durationMs).toBeGreaterThanOrEqual(490);
    expect(first?.durationMs).toBeLessThan(10_000);
  });

  it('comes of a port that nobody listens on, and of a name that does not exist', async () => {
    const gone = await startReceiver();
    await gone.close();
    const refused = await tenant.endpoint({ url: gone.url, retryDelaysMs: [] });
    const unknown = await tenant.endpoint({ url: 'http://posthorn.invalid/', retryDelaysMs: [] });
    const { id } = await tenant.publish(event);
    expect(await tenant.deliveryIn('exhausted', id, refused.id)).toMatchObject({
      lastAttempt: { outcome: 'refused', status: null, error: expect.stringMatching(/./) },
    });
    expect(await tenant.deliveryIn('exhausted', id, unknown.id)).toMatchObject({
      lastAttempt: { outcome: 'dns', address: null },
    });
  });
});

describe('a receiver that answers 410', () => {
  it('has its endpoint disabled: the delivery failed, later events are held until someone asks for them', async () => {
    receiver.behave(410);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const gone = await tenant.publish(event);
    expect(await tenant.deliveryIn('failed', gone.id, endpointId)).toMatchObject({
      attempts: 1,
      reason: 'gone',
    });
    const read = () => tenant.ok<EndpointAnswer>('GET', `/v1/endpoints/${endpointId}`);
    await eventually(
      async () => expect(await read()).toMatchObject({ state: 'disabled', stateReason: 'gone' }),
      {
        timeoutMs: patienceMs,
      },
    );
    receiver.behave(204);
    const later = await tenant.publish(event);
    const held = await tenant.deliveryIn('held', later.id, endpointId);
    expect(held).toMatchObject({ reason: 'endpoint_disabled', attempts: 0, nextAttemptAt: null });
    expect(receiver.requests).toHaveLength(1);

    await tenant.ok('POST', `/v1/endpoints/${endpointId}/enable`);
    await tenant.ok('POST', `/v1/events/${later.id}/replay`);
    expect(await tenant.deliveryIn('succeeded', later.id, endpointId)).toMatchObject({ id: held.id });
  });
});

describe('a retry by hand', () => {
  it('goes out at once, whatever the state of the delivery, and never turns a success back', async () => {
    receiver.behave(500);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [3_600_000] });
    const { id } = await tenant.publish(event);
    const { id: deliveryId } = await tenant.deliveryIn('retrying', id, endpointId);
    receiver.behave(204);
    await tenant.ok('POST', `/v1/deliveries/${deliveryId}/retry`);
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 2 });

    receiver.behave(500);
    await tenant.ok('POST', `/v1/deliveries/${deliveryId}/retry`);
    await eventually(
      async () => expect(await tenant.delivery(id, endpointId)).toMatchObject({ attempts: 3 }),
      {
        timeoutMs: patienceMs,
      },
    );
    expect(await tenant.delivery(id, endpointId)).toMatchObject({ state: 'succeeded', nextAttemptAt: null });
    expect((await tenant.attempts(deliveryId)).map(({ trigger }) => trigger)).toEqual([
      'schedule',
      'manual',
      'manual',
    ]);
  });

  it('works on what was cancelled, and cancelling ends what waits', async () => {
    receiver.behave(500);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [3_600_000] });
    const { id } = await tenant.publish(event);
    const { id: deliveryId } = await tenant.deliveryIn('retrying', id, endpointId);
    expect(await tenant.ok('POST', `/v1/deliveries/${deliveryId}/cancel`)).toMatchObject({
      state: 'cancelled',
      nextAttemptAt: null,
    });
    expect(await tenant.call('POST', `/v1/deliveries/${deliveryId}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'failed_precondition' },
    });
    receiver.behave(204);
    await tenant.ok('POST', `/v1/deliveries/${deliveryId}/retry`);
    expect(await tenant.deliveryIn('succeeded', id, endpointId)).toMatchObject({ attempts: 2 });
  });
});

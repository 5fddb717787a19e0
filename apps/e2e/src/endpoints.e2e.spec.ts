import { eventually, failTimes, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import {
  createTenant,
  patienceMs,
  type AttemptAnswer,
  type DeliveryAnswer,
  type EndpointAnswer,
  type PageAnswer,
  type Tenant,
} from './tenant.ts';

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

/** Which paths of the receiver got the event. */
async function pathsOf(id: string, count: number): Promise<readonly string[]> {
  const mine = () => receiver.requests.filter((request) => request.headers['webhook-id'] === id);
  await eventually(() => mine().length >= count, { timeoutMs: patienceMs, message: `${count} requests` });
  return mine()
    .map(({ path }) => path)
    .toSorted();
}

/** Publishes, and expects the event at these paths of the receiver beside `/all`, and at no other. */
async function expectTakers(event: object, paths: readonly string[]): Promise<void> {
  const { id } = await tenant.publish(event);
  const expected = ['/all', ...paths].toSorted();
  expect(await pathsOf(id, expected.length)).toEqual(expected);
  // Planned deliveries are on record soon, whether they have gone out or not.
  const deliveries = () => tenant.ok<PageAnswer<DeliveryAnswer>>('GET', `/v1/deliveries?eventId=${id}`);
  await eventually(async () => expect((await deliveries()).data.length).toBe(expected.length), {
    timeoutMs: patienceMs,
  });
}

async function state(endpointId: string, verb: string, body?: object): Promise<EndpointAnswer> {
  return tenant.ok<EndpointAnswer>('POST', `/v1/endpoints/${endpointId}/${verb}`, body);
}

const event = { type: 'order.paid', data: {} };

describe('an endpoint gets', () => {
  beforeEach(() => tenant.endpoint({ url: `${receiver.url}/all` }));

  it('the event types that it names, and all below a wildcard', async () => {
    await tenant.endpoint({ url: `${receiver.url}/orders`, eventTypes: ['order.*'] });
    await tenant.endpoint({ url: `${receiver.url}/paid`, eventTypes: ['order.paid', 'invoice.paid'] });
    await tenant.endpoint({ url: `${receiver.url}/star`, eventTypes: ['*'] });
    await expectTakers({ type: 'order.paid', data: 1 }, ['/orders', '/paid', '/star']);
    await expectTakers({ type: 'order.item.added', data: 1 }, ['/orders', '/star']);
    await expectTakers({ type: 'invoice.paid', data: 1 }, ['/paid', '/star']);
    await expectTakers({ type: 'orders.paid', data: 1 }, ['/star']);
  });

  it('the events that carry its labels', async () => {
    const labels = { region: ['eu', 'us'], tier: ['gold'] };
    await tenant.endpoint({ url: `${receiver.url}/labels`, labels });
    await expectTakers({ ...event, labels: { region: 'us', tier: 'gold', more: 'x' } }, ['/labels']);
    await expectTakers({ ...event, labels: { region: 'apac', tier: 'gold' } }, []);
    await expectTakers({ ...event, labels: { region: 'eu' } }, []);
    await expectTakers(event, []);
  });

  it('the events whose payload its filter matches, as trying the filter out said', async () => {
    const filter = {
      'order.total': { $gte: 100 },
      $or: [{ 'order.currency': { $in: ['EUR', 'CHF'] } }, { 'order.vip': true }],
      'order.note': { $not: { $startsWith: 'test' } },
    };
    await tenant.endpoint({ url: `${receiver.url}/filter`, filter });
    const cases = [
      [{ order: { total: 120.5, currency: 'EUR' } }, true],
      [{ order: { total: 100, vip: true, note: 'hello' } }, true],
      [{ order: { total: 99, currency: 'EUR' } }, false],
      [{ order: { total: 120, currency: 'USD' } }, false],
      [{ order: { total: 120, currency: 'EUR', note: 'test: no' } }, false],
      ['not an object', false],
    ] as const;
    for (const [data, matches] of cases) {
      const verdict = await tenant.ok('POST', '/v1/filters/evaluate', { filter, event: { data } });
      expect(verdict).toMatchObject({ matches, because: expect.stringMatching(/./) });
      await expectTakers({ type: 'order.paid', data }, matches ? ['/filter'] : []);
    }
  });

  it('every event that is published after it was created or changed, without a gap', async () => {
    const late = await tenant.endpoint({ url: `${receiver.url}/late`, eventTypes: ['order.paid'] });
    await expectTakers(event, ['/late']);
    await tenant.ok('PATCH', `/v1/endpoints/${late.id}`, { eventTypes: ['order.shipped'] });
    await expectTakers(event, []);
    await expectTakers({ type: 'order.shipped', data: 1 }, ['/late']);
    expect((await tenant.call('DELETE', `/v1/endpoints/${late.id}`)).status).toBe(204);
    await expectTakers({ type: 'order.shipped', data: 1 }, []);
  });
});

describe('an endpoint that is', () => {
  it('paused has its deliveries held, and gets them all when it is resumed', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    expect(await state(endpointId, 'pause', { reason: 'maintenance' })).toMatchObject({
      state: 'paused',
      stateReason: 'maintenance',
    });
    const events = await Promise.all(Array.from({ length: 20 }, () => tenant.publish(event)));
    for (const { id } of events) {
      expect(await tenant.deliveryIn('held', id, endpointId)).toMatchObject({ reason: 'endpoint_paused' });
    }
    expect(receiver.requests).toHaveLength(0);
    await state(endpointId, 'resume');
    for (const { id } of events) await tenant.deliveryIn('succeeded', id, endpointId);
    expect(receiver.requests).toHaveLength(20);
  });

  it('paused while a retry waits makes no attempt until it is resumed', async () => {
    receiver.behave(failTimes(1, respond(500)));
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [1000] });
    const { id } = await tenant.publish(event);
    await tenant.deliveryIn('retrying', id, endpointId);
    await state(endpointId, 'pause');
    // A retry that is due later shows, when it has gone out, that the paused one didn't.
    const later = await startReceiver({ behaviour: failTimes(1, respond(500)) });
    const other = await tenant.endpoint({ url: later.url, retryDelaysMs: [2000] });
    const after = await tenant.publish(event);
    await tenant.deliveryIn('succeeded', after.id, other.id);
    await later.close();
    expect(receiver.requests).toHaveLength(1);
    await state(endpointId, 'resume');
    await tenant.deliveryIn('succeeded', id, endpointId);
    await tenant.deliveryIn('succeeded', after.id, endpointId);
  });

  it('disabled has its deliveries held for a replay; one that is asked for goes out all the same', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    expect(await state(endpointId, 'disable')).toMatchObject({ state: 'disabled', stateReason: 'manual' });
    const { id } = await tenant.publish(event);
    const { id: deliveryId } = await tenant.deliveryIn('held', id, endpointId);
    await tenant.ok('POST', `/v1/deliveries/${deliveryId}/retry`);
    await tenant.deliveryIn('succeeded', id, endpointId);
    expect((await tenant.call('POST', `/v1/endpoints/${endpointId}/resume`)).body).toMatchObject({
      code: 'failed_precondition',
    });
    expect(await state(endpointId, 'enable')).toMatchObject({ state: 'enabled', stateReason: null });
  });

  it('deleted has what waited for it cancelled', async () => {
    receiver.behave(500);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [3_600_000] });
    const { id } = await tenant.publish(event);
    await tenant.deliveryIn('retrying', id, endpointId);
    await tenant.call('DELETE', `/v1/endpoints/${endpointId}`);
    expect(await tenant.deliveryIn('cancelled', id, endpointId)).toMatchObject({
      reason: 'endpoint_deleted',
    });
  });
});

describe('a replay of an event', () => {
  it('goes to every endpoint that had it, under the same delivery', async () => {
    const first = await tenant.endpoint({ url: `${receiver.url}/first` });
    const second = await tenant.endpoint({ url: `${receiver.url}/second` });
    const { id } = await tenant.publish(event);
    const before = await tenant.deliveryIn('succeeded', id, first.id);
    await tenant.deliveryIn('succeeded', id, second.id);
    const { data } = await tenant.ok<PageAnswer<DeliveryAnswer>>('POST', `/v1/events/${id}/replay`);
    expect(data).toHaveLength(2);
    expect(await pathsOf(id, 4)).toEqual(['/first', '/first', '/second', '/second']);
    await eventually(async () => expect((await tenant.delivery(id, first.id)).attempts).toBe(2), {
      timeoutMs: patienceMs,
    });
    expect(await tenant.delivery(id, first.id)).toMatchObject({ id: before.id, state: 'succeeded' });
    expect((await tenant.attempts(before.id)).map(({ trigger }) => trigger)).toEqual(['schedule', 'replay']);
  });

  it('goes to the endpoints that are named, also to one that was created later', async () => {
    const first = await tenant.endpoint({ url: `${receiver.url}/first` });
    const { id } = await tenant.publish(event);
    await tenant.deliveryIn('succeeded', id, first.id);
    const later = await tenant.endpoint({ url: `${receiver.url}/later`, uid: 'later' });
    await tenant.ok('POST', `/v1/events/${id}/replay`, { endpoints: ['later'] });
    await tenant.deliveryIn('succeeded', id, later.id);
    expect(await pathsOf(id, 2)).toEqual(['/first', '/later']);
    expect(
      await tenant.call('POST', `/v1/events/${id}/replay`, { endpoints: ['later', 'nobody'] }),
    ).toMatchObject({
      status: 400,
      body: { violations: [{ field: '/endpoints/1' }] },
    });
  });
});

describe('what an owner sees of an endpoint', () => {
  it('is the attempt that a test event came to, at once', async () => {
    const { id } = await tenant.endpoint({ url: receiver.url, eventTypes: ['nothing.else'] });
    const other = await startReceiver();
    await tenant.endpoint({ url: other.url });
    const attempt = await tenant.ok<AttemptAnswer>('POST', `/v1/endpoints/${id}/test`, {
      type: 'order.paid',
      data: { test: true },
    });
    expect(attempt).toMatchObject({ trigger: 'test', outcome: 'success', status: 204, number: 1 });
    expect(receiver.requests).toHaveLength(1);
    expect(JSON.parse(receiver.requests[0]?.body.toString() ?? '')).toMatchObject({
      type: 'order.paid',
      data: { test: true },
    });
    receiver.behave(418);
    expect(await tenant.ok('POST', `/v1/endpoints/${id}/test`)).toMatchObject({
      outcome: 'http_error',
      status: 418,
    });
    expect(other.requests).toHaveLength(0);
    await other.close();
  });

  it('is its health and its statistics', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [3_600_000] });
    const health = async () => (await tenant.ok<EndpointAnswer>('GET', `/v1/endpoints/${endpointId}`)).health;
    const good = await tenant.publish(event);
    await tenant.deliveryIn('succeeded', good.id, endpointId);
    expect(await health()).toMatchObject({ state: 'healthy', consecutiveFailures: 0, waiting: 0 });
    receiver.behave(500);
    for (let n = 0; n < 3; n += 1) {
      const { id } = await tenant.publish(event);
      await tenant.deliveryIn('retrying', id, endpointId);
    }
    expect(await health()).toMatchObject({
      state: 'failing',
      consecutiveFailures: 3,
      failingSince: expect.any(String),
      lastSuccessAt: expect.any(String),
      waiting: 3,
    });
    const stats = await tenant.ok('GET', `/v1/endpoints/${endpointId}/stats`);
    expect(stats).toMatchObject({
      total: {
        attempts: 4,
        byOutcome: { success: 1, http_error: 3 },
        latencyMs: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      },
      waiting: 3,
      oldestWaitingAt: expect.any(String),
    });
  });

  it('is its deliveries and attempts, by state, type, status class and time, page by page', async () => {
    receiver.behave(({ request, response }) => response.writeHead(request.path === '/bad' ? 500 : 200).end());
    const good = await tenant.endpoint({ url: `${receiver.url}/good` });
    const bad = await tenant.endpoint({ url: `${receiver.url}/bad`, retryDelaysMs: [] });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { id } = await tenant.publish({ type: n === 0 ? 'order.first' : 'order.paid', data: n });
      await tenant.deliveryIn('succeeded', id, good.id);
      await tenant.deliveryIn('exhausted', id, bad.id);
      ids.unshift(id);
    }
    const list = <T = { eventId: string }>(path: string) => tenant.ok<PageAnswer<T>>('GET', `/v1/${path}`);
    const eventIds = async (path: string) => (await list(path)).data.map(({ eventId }) => eventId);
    expect(await eventIds(`deliveries?endpointId=${good.id}`)).toEqual(ids);
    expect(await eventIds('deliveries?state=exhausted')).toEqual(ids);
    expect(await eventIds('deliveries?state=held&state=cancelled')).toEqual([]);
    expect(await eventIds('deliveries?statusClass=5xx&eventType=order.first')).toEqual([ids[4]]);
    expect(await eventIds(`attempts?outcome=http_error&endpointId=${bad.id}`)).toEqual(ids);
    expect(await eventIds('attempts?statusClass=2xx')).toEqual(ids);
    expect(await eventIds('deliveries?before=2020-01-01T00:00:00Z')).toEqual([]);
    expect((await list('events?type=order.first')).data).toHaveLength(1);

    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path: string = `deliveries?limit=3&state=succeeded${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const page: PageAnswer<{ eventId: string }> = await list(path);
      seen.push(...page.data.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
      // What arrives in between moves nothing that is still to come.
      await tenant.publish({ type: 'order.between', data: 1 });
    }
    expect(seen).toEqual(ids);
  });
});

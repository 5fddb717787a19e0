import { eventually, failTimes, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { expectProblem } from './expect-problem.harness.ts';
import { operatorKey, preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createRestClient, type RestClient } from './rest-client.ts';
import { createTenant, patienceMs, type EndpointAnswer, type PageAnswer, type Tenant } from './tenant.ts';

interface KeyAnswer {
  readonly id: string;
  readonly token: string;
  readonly prefix: string;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;
let operator: RestClient;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
  operator = createRestClient({ url: platform.url, key: operatorKey });
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await createTenant(platform);
});
afterEach(() => receiver.close());

const event = { type: 'order.paid', data: {} };
const unauthenticated = [401, 'unauthenticated'] as const;
const forbidden = [403, 'permission_denied'] as const;
const notFound = [404, 'not_found'] as const;

async function keyWith(scopes: readonly string[], more: object = {}): Promise<KeyAnswer> {
  return tenant.ok<KeyAnswer>('POST', '/v1/keys', { name: 'narrow', scopes, ...more });
}

describe('a key', () => {
  it('is needed, whole and known, for everything below /v1', async () => {
    const as = (key: string) => tenant.as({ key });
    expectProblem(await as('').call('GET', '/v1/endpoints'), unauthenticated);
    expectProblem(await as('phk_unknown').call('GET', '/v1/endpoints'), unauthenticated);
    expectProblem(await as(tenant.key.slice(0, -1)).call('POST', '/v1/events', event), unauthenticated);
    expectProblem(await as('x'.repeat(5000)).call('GET', '/v1/endpoints'), unauthenticated);
    const basic = { authorization: `Basic ${Buffer.from(`:${tenant.key}`).toString('base64')}` };
    const refused = await tenant.call('GET', '/v1/endpoints', undefined, basic);
    expectProblem(refused, unauthenticated);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(tenant.key).toMatch(/^phk_[0-9A-Za-z]{36}$/);
  });

  it('is refused within 5 seconds of its revocation', async () => {
    const { id, token } = await keyWith(['events:write']);
    const narrow = tenant.as({ key: token });
    await narrow.ok('POST', '/v1/events', event);
    await tenant.call('DELETE', `/v1/keys/${id}`);
    const revokedAt = performance.now();
    await eventually(async () => (await narrow.call('POST', '/v1/events', event)).status === 401, {
      timeoutMs: patienceMs,
      everyMs: 50,
    });
    expect(performance.now() - revokedAt).toBeLessThan(5500);
    expectProblem(await narrow.call('POST', '/v1/events', event), unauthenticated);
  });

  it('is refused from the moment that it expires', async () => {
    const expiresAt = new Date(Date.now() + 3000).toISOString();
    const { token } = await keyWith(['events:write'], { expiresAt });
    const narrow = tenant.as({ key: token });
    await narrow.ok('POST', '/v1/events', event);
    await eventually(async () => (await narrow.call('POST', '/v1/events', event)).status === 401, {
      timeoutMs: patienceMs,
      everyMs: 50,
    });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  });

  it('does what its scopes cover and nothing else, and gives no more than it has', async () => {
    const publisher = tenant.as({ key: (await keyWith(['events:write', 'keys:write'])).token });
    await publisher.ok('POST', '/v1/events', event);
    await publisher.ok('GET', '/v1/events');
    expectProblem(await publisher.call('GET', '/v1/endpoints'), forbidden);
    expectProblem(await publisher.call('GET', '/v1/endpoints/anything'), forbidden);
    expectProblem(await publisher.call('POST', '/v1/events/x/replay'), forbidden);
    expectProblem(await publisher.call('GET', '/v1/organisations'), forbidden);
    const more = await publisher.call('POST', '/v1/keys', { name: 'more', scopes: ['deliveries:read'] });
    expectProblem(more, forbidden);
    const reader = tenant.as({ key: (await keyWith(['events:read', 'endpoints:read'])).token });
    await reader.ok('GET', '/v1/endpoints');
    expectProblem(await reader.call('POST', '/v1/events', event), forbidden);
  });

  it('is shown once', async () => {
    const { id, token, prefix } = await keyWith(['events:write']);
    const { text } = await tenant.call('GET', `/v1/keys/${id}`);
    expect(text).not.toContain(token);
    expect(token.startsWith(prefix)).toBe(true);
    expect((await tenant.call('GET', '/v1/keys')).text).not.toContain(token);
  });

  it('of an operator acts for the organisation that it names, in the header or in the body', async () => {
    await tenant.endpoint({ url: receiver.url });
    const ids = [
      await operator.as({ organisation: tenant.slug }).ok<{ id: string }>('POST', '/v1/events', event),
      await operator.as({ organisation: tenant.id }).ok<{ id: string }>('POST', '/v1/events', event),
      await operator.ok<{ id: string }>('POST', '/v1/events', { ...event, organisation: tenant.slug }),
    ].map(({ id }) => id);
    const requests = await receiver.waitFor(3, patienceMs);
    expect(requests.map(({ headers }) => headers['webhook-id']).toSorted()).toEqual(ids.toSorted());
    expectProblem(await operator.call('POST', '/v1/events', event), [400, 'invalid_argument']);
    expectProblem(await operator.as({ organisation: 'nobody' }).call('POST', '/v1/events', event), notFound);
  });
});

describe("another tenant's things", () => {
  it('answer exactly like things that never were', async () => {
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url });
    const { id: eventId } = await tenant.publish(event);
    const { id: deliveryId } = await tenant.deliveryIn('succeeded', eventId, endpointId);
    const { id: keyId } = await keyWith(['events:read']);
    await tenant.ok('PUT', '/v1/event-types/order.paid', {});
    const other = await createTenant(platform);
    const unknown = '01900000-0000-4000-8000-000000000000';
    // The same bytes but for the id that was asked for and the request's own.
    const answerTo = async (method: string, path: string, body?: object) => {
      const { status, text } = await other.call(method, path, body);
      return `${status} ${text.replaceAll(/"requestId":"[^"]+"/g, '').replaceAll(/[0-9a-f-]{36}/g, 'ID')}`;
    };
    const cases: readonly (readonly [
      method: string,
      path: (id: string) => string,
      id: string,
      body?: object,
    ])[] = [
      ['GET', (id) => `/v1/endpoints/${id}`, endpointId],
      ['PATCH', (id) => `/v1/endpoints/${id}`, endpointId, { name: 'mine' }],
      ['DELETE', (id) => `/v1/endpoints/${id}`, endpointId],
      ['POST', (id) => `/v1/endpoints/${id}/disable`, endpointId],
      ['POST', (id) => `/v1/endpoints/${id}/test`, endpointId],
      ['GET', (id) => `/v1/endpoints/${id}/secrets`, endpointId],
      ['GET', (id) => `/v1/endpoints/${id}/stats`, endpointId],
      ['GET', (id) => `/v1/events/${id}`, eventId],
      ['GET', (id) => `/v1/events/${id}/payload`, eventId],
      ['POST', (id) => `/v1/events/${id}/replay`, eventId],
      ['GET', (id) => `/v1/deliveries/${id}`, deliveryId],
      ['GET', (id) => `/v1/deliveries/${id}/attempts`, deliveryId],
      ['POST', (id) => `/v1/deliveries/${id}/retry`, deliveryId],
      ['POST', (id) => `/v1/deliveries/${id}/cancel`, deliveryId],
      ['GET', (id) => `/v1/keys/${id}`, keyId],
      ['DELETE', (id) => `/v1/keys/${id}`, keyId],
    ];
    const compare = async ([method, path, id, body]: (typeof cases)[number]): Promise<void> => {
      const theirs = await answerTo(method, path(id), body);
      expect(`${method} ${path('ID')} ${theirs}`).toMatch(/ 404 /);
      expect(theirs).toBe(await answerTo(method, path(unknown), body));
    };
    await Promise.all(cases.map(compare));
    for (const list of ['endpoints', 'events', 'deliveries', 'attempts', 'event-types']) {
      expect(await other.ok('GET', `/v1/${list}`)).toMatchObject({ data: [] });
    }
    expect(await other.ok('GET', `/v1/deliveries?endpointId=${endpointId}`)).toMatchObject({ data: [] });
    expect(await other.ok('GET', `/v1/attempts?eventId=${eventId}`)).toMatchObject({ data: [] });
    expect(await tenant.ok('GET', `/v1/endpoints/${endpointId}`)).toMatchObject({ state: 'enabled' });
    expect(receiver.requests).toHaveLength(1);
    const replay = await other.publish(event);
    const named = await other.call('POST', `/v1/events/${replay.id}/replay`, { endpoints: [endpointId] });
    expectProblem(named, [400, 'invalid_argument'], ['/endpoints/0']);
  });
});

describe('an organisation that is deleted', () => {
  it('is gone with its keys and everything of it; its slug is free, and a namesake sees nothing of it', async () => {
    receiver.behave(500);
    const { id: endpointId } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [3000] });
    const { id: eventId } = await tenant.publish(event);
    await tenant.deliveryIn('retrying', eventId, endpointId);
    expect((await operator.call('DELETE', `/v1/organisations/${tenant.slug}`)).status).toBe(204);
    expectProblem(await operator.call('GET', `/v1/organisations/${tenant.id}`), notFound);
    await eventually(async () => (await tenant.call('GET', '/v1/endpoints')).status === 401, {
      timeoutMs: patienceMs,
    });
    const namesake = operator.as({ organisation: tenant.slug });
    await operator.ok('POST', '/v1/organisations', { slug: tenant.slug });
    for (const list of ['endpoints', 'events', 'deliveries', 'attempts']) {
      expect(await namesake.ok('GET', `/v1/${list}`)).toMatchObject({ data: [] });
    }
    // A later retry that does go out shows that the one of the deleted organisation would have been due.
    const later = await startReceiver({ behaviour: failTimes(1, respond(500)) });
    await namesake.ok('POST', '/v1/endpoints', { url: later.url, retryDelaysMs: [5000] });
    await namesake.ok('POST', '/v1/events', event);
    await later.waitFor(2, patienceMs);
    expect(receiver.requests).toHaveLength(1);
    await later.close();
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string) => ({ 'idempotency-key': key });
  const mismatch = [409, 'idempotency_mismatch'] as const;

  it('makes a publish once, in the header and in the event; other content is refused', async () => {
    await tenant.endpoint({ url: receiver.url });
    type Accepted = { id: string; duplicate: boolean };
    const first = await tenant.call<Accepted>('POST', '/v1/events', event, keyed('a'));
    expect(first).toMatchObject({ status: 202, body: { duplicate: false } });
    for (const body of [event, JSON.stringify(event)]) {
      const again = await tenant.call<Accepted>('POST', '/v1/events', body, keyed('a'));
      expect(again).toMatchObject({ status: 202, body: { id: first.body.id, duplicate: true } });
    }
    const inBody = await tenant.call<Accepted>('POST', '/v1/events', { ...event, idempotencyKey: 'a' });
    expect(inBody).toMatchObject({ status: 202, body: { id: first.body.id, duplicate: true } });
    expectProblem(
      await tenant.call('POST', '/v1/events', { ...event, data: { a: 1 } }, keyed('a')),
      mismatch,
    );

    const own = { ...event, id: 'order-42' };
    expect(await tenant.publish(own)).toMatchObject({ id: 'order-42', duplicate: false });
    expect(await tenant.publish(own)).toMatchObject({ id: 'order-42', duplicate: true });
    expectProblem(await tenant.call('POST', '/v1/events', { ...own, type: 'order.lost' }), mismatch);

    const last = await tenant.publish({ type: 'last', data: 1 });
    const requests = await receiver.waitFor(3, patienceMs);
    expect(requests.map(({ headers }) => headers['webhook-id']).toSorted()).toEqual(
      [first.body.id, 'order-42', last.id].toSorted(),
    );
  });

  it('makes one event of many publishes at the same moment', async () => {
    await tenant.endpoint({ url: receiver.url });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        tenant.ok<{ id: string }>('POST', '/v1/events', { ...event, idempotencyKey: 'b' }),
      ),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const { id } = await tenant.publish({ type: 'last', data: 1 });
    const requests = await receiver.waitFor(2, patienceMs);
    expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([answers[0]?.id, id]),
    );
    expect(requests).toHaveLength(2);
  });

  it('makes an endpoint once, and its repeated answer shows no secret', async () => {
    const body = { url: receiver.url, uid: 'once' };
    const first = await tenant.call<EndpointAnswer>('POST', '/v1/endpoints', body, keyed('c'));
    expect(first).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) } });
    const again = await tenant.call<EndpointAnswer>('POST', '/v1/endpoints', body, keyed('c'));
    expect(again).toMatchObject({ status: 201, body: { id: first.body.id } });
    expect(again.text).not.toContain('whsec_');
    expectProblem(await tenant.call('POST', '/v1/endpoints', { ...body, name: 'x' }, keyed('c')), mismatch);
    expect((await tenant.ok<PageAnswer<unknown>>('GET', '/v1/endpoints')).data).toHaveLength(1);
    expectProblem(await tenant.call('POST', '/v1/endpoints', body), [409, 'already_exists']);
  });
});

describe('If-Match', () => {
  it('keeps a change from overwriting one that it has not seen', async () => {
    const { id } = await tenant.endpoint({ url: receiver.url, uid: 'mine' });
    const etag = (await tenant.call('GET', '/v1/endpoints/mine')).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"/);
    const patch = (name: string, tag: string) =>
      tenant.call('PATCH', `/v1/endpoints/${id}`, { name }, { 'if-match': tag });
    const first = await patch('first', etag);
    expect(first.status).toBe(200);
    expect(first.headers.get('etag')).not.toBe(etag);
    expectProblem(await patch('second', etag), [412, 'version_conflict']);
    expectProblem(await patch('third', 'nonsense'), [400, 'invalid_argument']);
    expect((await patch('fourth', '*')).status).toBe(200);
    const deleted = await tenant.call('DELETE', `/v1/endpoints/${id}`, undefined, { 'if-match': etag });
    expectProblem(deleted, [412, 'version_conflict']);
    expect(await tenant.ok('GET', `/v1/endpoints/${id}`)).toMatchObject({ name: 'fourth' });
  });

  it('does not mind how the endpoint fares: health is no change of it', async () => {
    receiver.behave(500);
    const { id } = await tenant.endpoint({ url: receiver.url, retryDelaysMs: [] });
    const etag = (await tenant.call('GET', `/v1/endpoints/${id}`)).headers.get('etag') ?? '';
    const { id: eventId } = await tenant.publish(event);
    await tenant.deliveryIn('exhausted', eventId, id);
    const answer = await tenant.call('PATCH', `/v1/endpoints/${id}`, { name: 'x' }, { 'if-match': etag });
    expect(answer.status).toBe(200);
  });
});

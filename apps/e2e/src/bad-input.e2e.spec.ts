import { startNameServer, startReceiver, type NameServer, type Receiver } from '@posthorn/testing';
import { expectProblem, type ProblemAnswer } from './expect-problem.harness.ts';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import type { RestAnswer } from './rest-client.ts';
import { createTenant, type Tenant } from './tenant.ts';

const maxEventBytes = 256 * 1024;
/** The only address that deliveries may reach although it isn't public. */
const receiverHost = '127.0.0.5';
const invalid = [400, 'invalid_argument'] as const;

let platform: PlatformProcess;
let names: NameServer;
let receiver: Receiver;
let tenant: Tenant;
/** Takes every event of the tenant: what was refused mustn't reach it, what was accepted must. */
let endpointId: string;

beforeAll(async () => {
  names = await startNameServer({
    'public.test': ['93.184.215.14'],
    'private.test': ['10.1.2.3'],
    'mixed.test': ['93.184.215.14', '192.168.0.1'],
    'mapped.test': ['::ffff:a9fe:a9fe'],
  });
  platform = await preparePlatform({
    env: { POSTHORN_DNS_SERVERS: names.address, POSTHORN_ALLOW_TARGETS: `${receiverHost}/32` },
  });
  await platform.start();
});
afterAll(async () => {
  await platform.dispose();
  await names.close();
});
beforeEach(async () => {
  receiver = await startReceiver({ host: receiverHost });
  tenant = await createTenant(platform);
  ({ id: endpointId } = await tenant.endpoint({ url: receiver.url }));
});
afterEach(async () => {
  // Whatever was tried, a good publish still works, and nothing else got through.
  const { id } = await tenant.publish({ type: 'after.all', data: {} });
  await tenant.deliveryIn('succeeded', id, endpointId);
  expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([...accepted.splice(0), id]);
  await receiver.close();
});
const accepted: string[] = [];

const publish = (body: string | Uint8Array | object, headers = {}) =>
  tenant.call<ProblemAnswer>('POST', '/v1/events', body, headers);

async function publishGood(body: string | Uint8Array | object): Promise<string> {
  const answer = await tenant.call<{ id: string }>('POST', '/v1/events', body);
  expect(`${answer.status} ${answer.text}`).toMatch(/^202 /);
  await tenant.deliveryIn('succeeded', answer.body.id, endpointId);
  accepted.push(answer.body.id);
  return answer.body.id;
}

function nested(depth: number): string {
  return '[{"a":'.repeat(depth / 2) + (depth % 2 === 1 ? '[]' : '1') + '}]'.repeat(depth / 2);
}

describe('a publish is refused with a clear answer when its body', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['is empty', '', ''],
    ['is not JSON', 'type=order.paid', ''],
    ['is truncated', '{"type":"order.paid","data":{"a":', ''],
    ['goes on after its end', '{"type":"order.paid","data":1} x', ''],
    ['is an array', '[{"type":"order.paid","data":1}]', ''],
    ['is null', 'null', ''],
    ['has NaN', '{"type":"order.paid","data":NaN}', ''],
    ['has a comment', '{"type":"order.paid",/* */"data":1}', ''],
    ['is not UTF-8', Buffer.from('{"type":"order.paid","data":"\xff\xfe"}', 'latin1'), ''],
    ['is UTF-16', Buffer.from('{"type":"order.paid","data":1}', 'utf16le'), ''],
    ['says its type twice', '{"type":"order.paid","type":"order.paid","data":1}', '/type'],
    ['says its data twice, once with an escape', '{"type":"a","data":1,"d\\u0061ta":2}', '/data'],
  ])('%s', async (_, body, field) => {
    const { violations } = expectProblem(await publish(body), invalid);
    expect(violations?.map((violation) => violation.field)).toContain(field);
  });

  it('is nested more than 128 deep, and not at 128', async () => {
    expectProblem(await publish(`{"type":"order.paid","data":${nested(130)}}`), invalid);
    expectProblem(await publish(`{"type":"order.paid","data":${'['.repeat(100_000)}`), invalid);
    await publishGood(`{"type":"order.paid","data":${nested(126)}}`);
  });

  it('has more bytes than an event may have, and not at exactly as many', async () => {
    const head = '{"type":"order.paid","data":"';
    const ofBytes = (bytes: number): string => `${head}${'x'.repeat(bytes - head.length - 2)}"}`;
    expectProblem(await publish(ofBytes(maxEventBytes + 1)), [413, 'payload_too_large']);
    expectProblem(await publish(ofBytes(8 * 1024 * 1024)), [413, 'payload_too_large']);
    await publishGood(ofBytes(maxEventBytes));
  });

  it('has wrong types and unknown fields, all of which are told at once', async () => {
    const body = {
      type: 42,
      id: 'a b',
      labels: { region: 7 },
      occurredAt: 'yesterday',
      orderingKey: 7,
      deliverAt: 'tomorrow',
      Data: 1,
    };
    const fields = [
      '/type',
      '/data',
      '/id',
      '/labels/region',
      '/occurredAt',
      '/orderingKey',
      '/deliverAt',
      '/Data',
    ];
    expectProblem(await publish(body), invalid, fields);
    expectProblem(await publish({ type: 'posthorn.endpoint.created', data: 1 }), invalid, ['/type']);
  });

  it('is not what its head says', async () => {
    const good = JSON.stringify({ type: 'order.paid', data: 1 });
    expectProblem(await publish(good, { 'content-type': 'multipart/form-data' }), invalid);
    expectProblem(await publish(good, { 'content-encoding': 'gzip' }), invalid);
    expectProblem(await publish(good, { 'content-type': 'application/json; charset=latin1' }), invalid);
  });
});

describe('the catalogue of event types', () => {
  it('keeps unknown and retired types out where the organisation wants only known ones', async () => {
    const strict = await createTenant(platform, { requireKnownTypes: true });
    await strict.ok('PUT', '/v1/event-types/order.paid', { description: 'An order was paid.' });
    expect(await strict.publish({ type: 'order.paid', data: 1 })).toMatchObject({ duplicate: false });
    const unknown = await strict.call('POST', '/v1/events', { type: 'order.payed', data: 1 });
    expectProblem(unknown, invalid, ['/type']);
    await strict.ok('PATCH', '/v1/event-types/order.paid', { retired: true });
    expectProblem(await strict.call('POST', '/v1/events', { type: 'order.paid', data: 1 }), invalid, [
      '/type',
    ]);
    await publishGood({ type: 'unheard.of', data: 1 });
  });

  it('refuses payloads that break a schema, or lets them pass with a warning, as it says', async () => {
    const schema = {
      type: 'object',
      properties: { total: { type: 'number', minimum: 0 }, currency: { enum: ['EUR', 'USD'] } },
      required: ['total'],
    };
    await tenant.ok('PUT', '/v1/event-types/order.paid', { schema, enforcement: 'reject' });
    const bad = { type: 'order.paid', data: { total: -1, currency: 'XXX' } };
    expectProblem(await publish(bad), invalid, ['/data/total', '/data/currency']);
    await publishGood({ type: 'order.paid', data: { total: 1 } });
    await tenant.ok('PATCH', '/v1/event-types/order.paid', { enforcement: 'warn' });
    await publishGood(bad);
    expectProblem(await tenant.call('PUT', '/v1/event-types/x', { schema: { type: 'nothing' } }), invalid);
  });
});

describe('an endpoint is refused when', () => {
  const create = (settings: object): Promise<RestAnswer<ProblemAnswer>> =>
    tenant.call('POST', '/v1/endpoints', settings);

  it.each([
    ['is no URL', 'example.com/hooks'],
    ['has credentials', 'https://user:password@public.test/'],
    ['has a user', 'https://user@public.test/'],
    ['is of another scheme', 'ftp://public.test/'],
    ['has a space', 'https://public.test/a b'],
    ['has a line break', 'https://public.test/\nhooks'],
    ['is a private address', 'http://10.0.0.1/'],
    ['is a private address in hexadecimal', 'http://0x0a000001/'],
    ['is a private address in one number', 'http://167772161/'],
    ['is the metadata service', 'http://169.254.169.254/latest/meta-data/'],
    ['is a private IPv6 address', 'http://[fd00::1]/'],
    ['is the loopback', 'http://127.0.0.1/'],
    ['is the IPv6 loopback', 'http://[::1]/'],
    ['is a mapped private address', 'http://[::ffff:10.0.0.1]/'],
    ['is a NAT64 form of a private address', 'http://[64:ff9b::a00:1]/'],
    ['is localhost', 'http://localhost:8080/'],
    ['is a name under localhost', 'http://app.localhost/'],
    ['is localhost with a dot', 'http://localhost./'],
    ['is a name that resolves to a private address', 'http://private.test/'],
    ['is a name of which one address is private', 'http://mixed.test/'],
    ['is a name that resolves to a mapped address', 'http://mapped.test/'],
  ])('its URL %s', async (_, url) => {
    expectProblem(await create({ url }), invalid, ['/url']);
  });

  it('anything of its settings is wrong, all of which is told at once', async () => {
    const settings = {
      url: 'http://user@10.0.0.1/',
      uid: 'no spaces allowed',
      eventTypes: ['order.*', 'order..paid'],
      labels: { region: [] },
      filter: { 'order.total': { $gt: 'x', $regex: '.*' } },
      format: 'xml',
      signing: ['v2'],
      headers: { Host: 'x', 'webhook-id': 'x', 'X-Ok': 'fine', 'X-Bad': 'a\r\nb' },
      timeoutMs: 60_001,
      retryDelaysMs: [-1, 1.5],
      maxInFlight: 0,
      rateLimit: { perSecond: 0, burst: 0 },
      ordering: 'sometimes',
      secret: 'too short',
    };
    const { violations } = expectProblem(await create(settings), invalid);
    const fields = (violations ?? []).map(({ field }) => `/${field.split('/')[1] ?? ''}`);
    expect([...new Set(fields)].toSorted()).toEqual(
      Object.keys(settings)
        .map((name) => `/${name}`)
        .toSorted(),
    );
  });
});

describe('a target that became private', () => {
  it('is never connected to, and the delivery says why', async () => {
    // Unknown at first, so it is accepted; by the time that it is connected to, it has a private address.
    const { id } = await tenant.endpoint({ url: 'http://rebound.test/', retryDelaysMs: [6500, 6500] });
    names.zone['rebound.test'] = ['10.1.2.3'];
    const { id: eventId } = await tenant.publish({ type: 'order.paid', data: 1 });
    accepted.push(eventId);
    expect(await tenant.deliveryIn('failed', eventId, id)).toMatchObject({
      reason: 'address_blocked',
      attempts: 2,
      lastAttempt: { outcome: 'blocked', status: null, response: null },
    });
  });
});

describe('a request is refused', () => {
  it.each([
    ['/v1/endpoints?limit=0', '?limit'],
    ['/v1/endpoints?limit=251', '?limit'],
    ['/v1/endpoints?limit=ten', '?limit'],
    ['/v1/endpoints?limit=1&limit=2', '?limit'],
    ['/v1/endpoints?limit=', '?limit'],
    ['/v1/endpoints?cursor=%00', '?cursor'],
    ['/v1/endpoints?cursor=bm9wZQ', '?cursor'],
    ['/v1/events?cursor=bm9wZQ', '?cursor'],
    ['/v1/deliveries?cursor=!!', '?cursor'],
    ['/v1/deliveries?cursor=bm9wZQ', '?cursor'],
    ['/v1/attempts?cursor=bm9wZQ', '?cursor'],
    ['/v1/attempts?outcome=fine', '?outcome'],
    ['/v1/deliveries?state=lost', '?state'],
    ['/v1/deliveries?statusClass=9xx', '?statusClass'],
    ['/v1/deliveries?after=yesterday', '?after'],
    ['/v1/deliveries?endpoint=x', '?endpoint'],
    ['/v1/events?%ff=x', '?%ff=x'],
  ])('that asks for %s', async (path, field) => {
    expectProblem(await tenant.call('GET', path), invalid, [field]);
  });

  it.each([
    ['GET', '/v1/nothing', 404, 'not_found'],
    ['GET', '/v2/events', 404, 'not_found'],
    ['GET', '/v1/events/', 404, 'not_found'],
    ['GET', '/v1/events/nobody', 404, 'not_found'],
    ['GET', '/v1/events/%ff', 400, 'invalid_argument'],
    ['GET', '/v1/deliveries/..%2fevents', 404, 'not_found'],
    ['DELETE', '/v1/events', 405, 'method_not_allowed'],
    ['PUT', '/v1/endpoints', 405, 'method_not_allowed'],
    ['PUT', '/v1/replays', 405, 'method_not_allowed'],
    ['PUT', '/v1/deliveries/retry', 405, 'method_not_allowed'],
    ['PUT', '/v1/events/x/payload', 405, 'method_not_allowed'],
  ])('where there is no %s %s', async (method, path, status, code) => {
    const answer = await tenant.call(method, path);
    expectProblem(answer, [status, code]);
    if (status === 405) expect(answer.headers.get('allow')).toMatch(/GET|POST/);
  });
});

import { eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, patienceMs, type EndpointAnswer, type PageAnswer, type Tenant } from './tenant.ts';

/** What an organisation is told of its own endpoints and deliveries, by webhooks like any other. */

interface OperationalBody {
  readonly type: string;
  readonly data: {
    readonly by?: string;
    readonly endpoint: {
      readonly id: string;
      readonly uid: string | null;
      readonly state: string;
      readonly stateReason: string | null;
    };
    readonly delivery?: { readonly id: string; readonly eventId: string; readonly attempts: number };
    readonly lastAttempt?: { readonly outcome: string; readonly status: number | null };
  };
}

let platform: PlatformProcess;
let failing: Receiver;
let listener: Receiver;
let tenant: Tenant;

beforeAll(async () => {
  platform = await preparePlatform();
  await platform.start();
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  failing = await startReceiver();
  listener = await startReceiver();
  tenant = await createTenant(platform);
});
afterEach(() => Promise.all([failing.close(), listener.close()]));

const listen = (eventTypes: readonly string[], more: object = {}): Promise<EndpointAnswer> =>
  tenant.endpoint({ url: `${listener.url}/operations`, eventTypes, ...more });

const told = (): OperationalBody[] =>
  listener.requests.map(({ body }) => JSON.parse(body.toString()) as OperationalBody);

/** What the listener got of that type about an endpoint, as soon as it is there. */
function toldOf(type: string, endpointId: string): Promise<OperationalBody> {
  return eventually(
    () => {
      const found = told().find((body) => body.type === type && body.data.endpoint.id === endpointId);
      if (found === undefined)
        throw new Error(`${type} hasn't come, of ${listener.requests.length} requests`);
      return found;
    },
    { timeoutMs: patienceMs },
  );
}

const publish = async (): Promise<string> =>
  (await tenant.publish({ type: 'order.paid', data: { n: 1 } })).id;

const eventsOf = async (type: string): Promise<readonly unknown[]> =>
  (await tenant.ok<PageAnswer<unknown>>('GET', `/v1/events?type=${type}`)).data;

it('tells when an endpoint is created, changed, disabled and deleted, and by whom', async () => {
  await listen(['posthorn.endpoint.*']);
  const { id } = await tenant.endpoint({ url: failing.url, uid: 'mine' });
  expect((await toldOf('posthorn.endpoint.created', id)).data).toMatchObject({
    endpoint: { id, uid: 'mine', state: 'enabled', stateReason: null },
    by: 'owner',
  });
  await tenant.ok('PATCH', `/v1/endpoints/${id}`, { name: 'new' });
  expect((await toldOf('posthorn.endpoint.updated', id)).data).toMatchObject({
    endpoint: { name: 'new', version: 2 },
  });
  await tenant.ok('POST', `/v1/endpoints/${id}/disable`, {});
  expect((await toldOf('posthorn.endpoint.disabled', id)).data).toMatchObject({
    endpoint: { state: 'disabled', stateReason: 'manual' },
    by: 'owner',
  });
  await tenant.ok('DELETE', `/v1/endpoints/${id}`);
  expect((await toldOf('posthorn.endpoint.deleted', id)).data).toMatchObject({ endpoint: { uid: 'mine' } });
});

it('tells that a receiver is gone', async () => {
  await listen(['posthorn.endpoint.disabled']);
  failing.behave(respond(410));
  const { id } = await tenant.endpoint({ url: failing.url });
  await publish();
  expect((await toldOf('posthorn.endpoint.disabled', id)).data).toMatchObject({
    endpoint: { id, state: 'disabled', stateReason: 'gone' },
    by: 'posthorn',
  });
});

it('tells that a rapidly endpoint was switched off after ten failures, once', async () => {
  await listen(['posthorn.endpoint.disabled']);
  // A refusal is an answer: it opens no breaker, which would keep the tenth waiting.
  failing.behave(respond(400));
  const { id } = await tenant.endpoint({ url: failing.url, dialect: 'rapidly', retryDelaysMs: [] });
  for (let count = 0; count < 10; count++) await publish();
  expect((await toldOf('posthorn.endpoint.disabled', id)).data).toMatchObject({
    endpoint: { state: 'disabled', stateReason: 'failing', dialect: 'rapidly' },
    by: 'posthorn',
  });
  expect(await eventsOf('posthorn.endpoint.disabled')).toHaveLength(1);
});

it('tells that a delivery is exhausted, and nothing of telling it in vain', async () => {
  listener.behave(respond(500));
  const { id: listeningId } = await listen(['posthorn.delivery.exhausted'], { retryDelaysMs: [50] });
  failing.behave(respond(503));
  const { id } = await tenant.endpoint({ url: failing.url, retryDelaysMs: [50] });
  const eventId = await publish();
  const { id: deliveryId } = await tenant.deliveryIn('exhausted', eventId, id);
  expect((await toldOf('posthorn.delivery.exhausted', id)).data).toMatchObject({
    delivery: { id: deliveryId, eventId, eventType: 'order.paid', attempts: 2, reason: 'attempts_exhausted' },
    lastAttempt: { outcome: 'http_error', status: 503 },
  });
  const [event] = (await eventsOf('posthorn.delivery.exhausted')) as readonly { readonly id: string }[];
  await tenant.deliveryIn('exhausted', event?.id ?? '', listeningId);
  // What is published now is planned after anything that would have been told of that.
  const later = await publish();
  await tenant.deliveryIn('exhausted', later, id);
  await eventually(async () => expect(await eventsOf('posthorn.delivery.exhausted')).toHaveLength(2), {
    timeoutMs: patienceMs,
  });
  expect(new Set(told().map(({ data }) => data.endpoint.id))).toEqual(new Set([id]));
});

it('publishes nothing where nobody listens', async () => {
  failing.behave(respond(500));
  const { id } = await tenant.endpoint({ url: failing.url, eventTypes: ['*'], retryDelaysMs: [] });
  const eventId = await publish();
  await tenant.deliveryIn('exhausted', eventId, id);
  await tenant.ok('DELETE', `/v1/endpoints/${id}`);
  // Told of from now on: what was before would be here before this.
  await listen(['posthorn.*']);
  const last = await tenant.endpoint({ url: failing.url });
  await toldOf('posthorn.endpoint.created', last.id);
  expect(
    (await tenant.ok<PageAnswer<{ type: string }>>('GET', '/v1/events')).data.map(({ type }) => type),
  ).toEqual(['posthorn.endpoint.created', 'posthorn.endpoint.created', 'order.paid']);
});

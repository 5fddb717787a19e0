/** What an organisation is told of its endpoints and deliveries, by config and the dispatcher through event-ingest, with certificates. */
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { eventually, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { createTenant, patienceMs, type EndpointAnswer, type PageAnswer, type Tenant } from '../tenant.ts';

let platform: StackPlatform;
let tenant: Tenant;
let failing: Receiver;
let listener: Receiver;

beforeAll(async () => {
  platform = await startStackPlatform({ counts: { config: 2, dispatcher: 2 }, security: 'certificates' });
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  failing = await startReceiver();
  listener = await startReceiver();
  tenant = await platform.explain(() => createTenant(platform));
  await tenant.endpoint({ url: listener.url, eventTypes: ['posthorn.*'] });
});
afterEach(() => Promise.all([failing.close(), listener.close()]));

/** What the listener got of that type about an endpoint, and how often, once it got some. */
function toldOf(type: string, { id }: Pick<EndpointAnswer, 'id'>): Promise<readonly object[]> {
  return eventually(
    () => {
      const told = listener.requests
        .map(
          ({ body }) => JSON.parse(body.toString()) as { type: string; data: { endpoint: { id: string } } },
        )
        .filter((body) => body.type === type && body.data.endpoint.id === id);
      if (told.length === 0) throw new Error(`${type} hasn't come, of ${listener.requests.length} requests`);
      return told;
    },
    { timeoutMs: patienceMs },
  );
}

const eventsOf = async (type: string): Promise<readonly unknown[]> =>
  (await tenant.ok<PageAnswer<unknown>>('GET', `/v1/events?type=${type}`)).data;

it('tells that a delivery is exhausted, and that its endpoint was switched off', () =>
  platform.explain(async () => {
    // A refusal is an answer: it opens no breaker, which would keep most of them waiting.
    failing.behave(respond(400));
    const endpoint = await tenant.endpoint({ url: failing.url, dialect: 'rapidly', retryDelaysMs: [] });
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => tenant.publish({ type: 'order.paid', data: { n } })),
    );
    expect(await toldOf('posthorn.delivery.exhausted', endpoint)).not.toEqual([]);
    const [told] = await toldOf('posthorn.endpoint.disabled', endpoint);
    expect(told).toMatchObject({
      data: { endpoint: { state: 'disabled', stateReason: 'failing' }, by: 'posthorn' },
    });
    // Both dispatchers may ask for it in the same moment, each of another config: one of those switches it off, and tells of it.
    expect(await eventsOf('posthorn.endpoint.disabled')).toHaveLength(1);
  }));

it('tells what became of an endpoint while event-ingest was away once it is back', () =>
  platform.explain(async () => {
    const ingest = platform.processes('event-ingest');
    const endpoint = await tenant.endpoint({ url: failing.url });
    await toldOf('posthorn.endpoint.created', endpoint);
    await Promise.all(ingest.map((one) => one.kill()));
    await tenant.ok('DELETE', `/v1/endpoints/${endpoint.id}`);
    await Promise.all(ingest.map((one) => one.start()));
    expect(await toldOf('posthorn.endpoint.deleted', endpoint)).not.toEqual([]);
  }));

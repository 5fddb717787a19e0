import { dispatchV1, type configV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme, feedOf, tokens } from '../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleTime } from '../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

let running: TestGateway;
let asked: dispatchV1.ReadFeedRequest | null = null;

const other = sampleEndpoint().id;
const payload = '{ "b":1.0,"a":12345678901234567890 }';
const delivery = dispatchV1.Delivery.fromPartial({
  id: '019b76da-a800-4000-8000-000000000001',
  organisationId: acme.id,
  eventId: 'e1',
  eventType: 'order.paid',
  endpointId: feedOf,
  state: dispatchV1.DeliveryState.DELIVERY_STATE_EXHAUSTED,
  reason: 'attempts_exhausted',
  attempts: 3,
  createdAt: sampleTime,
});
const event = dispatchV1.Event.fromPartial({
  id: 'e1',
  organisationId: acme.id,
  type: 'order.paid',
  data: Buffer.from(payload),
  labels: { region: 'eu' },
  occurredAt: sampleTime,
  acceptedAt: sampleTime,
});

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        getEndpoint: ({ idOrUid }: configV1.GetEndpointRequest) =>
          [feedOf, other, 'shop'].includes(idOrUid)
            ? Promise.resolve({
                endpoint: { ...sampleEndpoint(), id: idOrUid === 'shop' ? feedOf : idOrUid },
                secrets: [],
              })
            : Promise.reject(new DomainError('not_found', 'There is no such endpoint.')),
      },
      activity: {
        readFeed: (request) => {
          asked = request;
          return Promise.resolve({
            entries: [
              { delivery, event },
              { delivery, event: undefined },
            ],
            nextCursor: 'c2',
            hasMore: true,
          });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

it('shows what the endpoint was to get, with the bytes that were published, and what is gone without', async () => {
  const query = '?cursor=c1&limit=2&state=exhausted&state=held';
  const answer = await running.call('GET', `/v1/endpoints/shop/feed${query}`, { token: tokens.acme });
  expect(answer.status).toBe(200);
  expect(answer.text).toContain(`"data":${payload}}`);
  const entry = {
    deliveryId: delivery.id,
    eventId: 'e1',
    eventType: 'order.paid',
    state: 'exhausted',
    reason: 'attempts_exhausted',
    attempts: 3,
  };
  expect(answer.body).toMatchObject({
    data: [
      { ...entry, isPayloadKept: true, labels: { region: 'eu' }, acceptedAt: sampleTime.toISOString() },
      { ...entry, isPayloadKept: false, labels: null, acceptedAt: '2026-01-01T00:00:00.000Z' },
    ],
    nextCursor: 'c2',
    hasMore: true,
  });
  expect(asked).toMatchObject({ organisationId: acme.id, endpointId: feedOf, cursor: 'c1', limit: 2 });
  expect(asked?.states).toHaveLength(2);
});

it('lets a key of a feed read that feed, and nothing else', async () => {
  const get = (path: string) => running.call('GET', path, { token: tokens.feed });
  expect((await get(`/v1/endpoints/${feedOf}/feed`)).status).toBe(200);
  expect((await get('/v1/endpoints/shop/feed')).status).toBe(200);
  for (const path of [`/v1/endpoints/${feedOf}`, '/v1/deliveries', '/v1/events', '/v1/keys']) {
    expect((await get(path)).status).toBe(403);
  }
});

it('answers alike for the feed of another endpoint and for one that is not there', async () => {
  const get = (id: string) => running.call('GET', `/v1/endpoints/${id}/feed`, { token: tokens.feed });
  const [foreign, unknown] = [await get(other), await get('unknown')];
  const told = ({ body }: typeof foreign) => ({ ...(body as object), requestId: '' });
  expect(foreign.status).toBe(404);
  expect(told(foreign)).toEqual(told(unknown));
});

it('is closed to keys that read neither feeds nor deliveries', async () => {
  const path = `/v1/endpoints/${feedOf}/feed`;
  for (const token of [tokens.reader, tokens.publisher]) {
    expect((await running.call('GET', path, { token })).status).toBe(403);
  }
});

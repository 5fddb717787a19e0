/** What the platform is there for, by four services over a real Kafka and MongoDB. */
import { ingestV1 } from '@posthorn/contracts';
import { servicePrincipal } from '@posthorn/models';
import { createNetworkClient } from '@posthorn/rpc';
import { failTimes, respond, startReceiver, type Receiver } from '@posthorn/testing';
import { Webhook } from 'standardwebhooks';
import { createTenant, patienceMs, type DeliveryAnswer, type PageAnswer, type Tenant } from '../tenant.ts';
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';

let platform: StackPlatform;
let tenant: Tenant;
let receiver: Receiver;

beforeAll(async () => {
  platform = await startStackPlatform({
    counts: { 'event-ingest': 2, dispatcher: 2 },
    security: 'tokens',
  });
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await platform.explain(() => createTenant(platform));
});
afterEach(() => receiver.close());

const event = { type: 'order.paid', data: { orderId: 42, total: 1.5 } };

/** Throws unless it is signed with the endpoint's secret. */
function verify(secret: string, index: number): unknown {
  const request = receiver.requests[index];
  if (request === undefined) throw new Error(`request ${index} didn't come`);
  return new Webhook(secret).verify(request.body.toString(), request.headers as Record<string, string>);
}

describe('four services over a Kafka and a MongoDB', () => {
  it('deliver what is published over REST, signed, and show what became of it', () =>
    platform.explain(async () => {
      const { id: endpointId, secret } = await tenant.endpoint({ url: receiver.url });
      const { id } = await tenant.publish(event);
      const [request] = await receiver.waitFor(1, patienceMs);
      expect(request?.headers['webhook-id']).toBe(id);
      expect(verify(secret, 0)).toMatchObject({ type: 'order.paid', data: event.data });

      const delivery = await tenant.deliveryIn('succeeded', id, endpointId);
      expect(delivery.attempts).toBe(1);
      expect(await tenant.attempts(delivery.id)).toEqual([
        expect.objectContaining({ number: 1, outcome: 'success', status: 204, address: '127.0.0.1' }),
      ]);
      expect(await tenant.ok('GET', `/v1/events/${id}`)).toMatchObject({ id, ...event });
    }));

  it('deliver what a producer publishes over gRPC with its key', () =>
    platform.explain(async () => {
      const { secret } = await tenant.endpoint({ url: receiver.url });
      const principal = servicePrincipal('a-shop');
      const client = createNetworkClient(
        ingestV1.IngestServiceService,
        `ipv4:${platform.ingestAddresses.join(',')}`,
        { headers: { authorization: `Bearer ${tenant.key}` } },
      );
      try {
        const published = ingestV1.NewEvent.fromPartial({ type: 'order.paid', data: Buffer.from('{"n":1}') });
        const { accepted } = await client.publish({ event: published }, { principal });
        const [request] = await receiver.waitFor(1, patienceMs);
        expect(request?.headers['webhook-id']).toBe(accepted?.id);
        expect(verify(secret, 0)).toMatchObject({ data: { n: 1 } });
      } finally {
        client.close();
      }
    }));

  it('retry what a receiver refused, under the same id', () =>
    platform.explain(async () => {
      receiver.behave(failTimes(2, respond(500)));
      const { id: endpointId, secret } = await tenant.endpoint({ url: receiver.url });
      const { id } = await tenant.publish(event);
      const requests = await receiver.waitFor(3, patienceMs);
      expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual([id, id, id]);
      for (const index of requests.keys()) expect(() => verify(secret, index)).not.toThrow();
      const delivery = await tenant.deliveryIn('succeeded', id, endpointId);
      expect((await tenant.attempts(delivery.id)).map(({ status }) => status)).toEqual([500, 500, 204]);
    }));

  it('take an idempotency key for one event, whichever event-ingest is asked', () =>
    platform.explain(async () => {
      await tenant.endpoint({ url: receiver.url });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => tenant.publish({ ...event, idempotencyKey: 'order-42' })),
      );
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      const last = await tenant.publish({ type: 'order.last', data: {} });
      const requests = await receiver.waitFor(2, patienceMs);
      expect(requests.map(({ headers }) => headers['webhook-id']).toSorted()).toEqual(
        [answers[0]?.id, last.id].toSorted(),
      );
    }));

  it('match the very next event with an endpoint that was just created', () =>
    platform.explain(async () => {
      for (let round = 1; round <= 10; round += 1) {
        await tenant.endpoint({ url: `${receiver.url}/${round}`, eventTypes: [`round.${round}`] });
        await tenant.publish({ type: `round.${round}`, data: { round } });
      }
      const requests = await receiver.waitFor(10, patienceMs);
      expect(new Set(requests.map(({ path }) => path)).size).toBe(10);
    }));

  it('list, page by page, every delivery of events that both dispatchers had', () =>
    platform.explain(async () => {
      const { id: endpointId } = await tenant.endpoint({ url: receiver.url, maxInFlight: 20 });
      const count = 120;
      const events = Array.from({ length: count }, (_, n) => ({ type: 'order.paid', data: { n } }));
      const { data } = await tenant.ok<PageAnswer<{ id: string }>>('POST', '/v1/events/batch', { events });
      await receiver.waitFor(count, patienceMs);
      for (const { id } of data) await tenant.deliveryIn('succeeded', id, endpointId);

      const listed: string[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
        const page: PageAnswer<DeliveryAnswer & { readonly eventId: string }> = await tenant.ok(
          'GET',
          `/v1/deliveries?limit=50&endpointId=${endpointId}${query}`,
        );
        listed.push(...page.data.map(({ eventId }) => eventId));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(listed.toSorted()).toEqual(data.map(({ id }) => id).toSorted());
    }));
});

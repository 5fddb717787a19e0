/** Limits of endpoints hold for all dispatchers together, by four services over a real Kafka and MongoDB. */
import { delay, eventually, respond, startReceiver, type Behaviour, type Receiver } from '@posthorn/testing';
import { startStackPlatform, type StackPlatform } from '@posthorn/stack';
import { createTenant, patienceMs, type PageAnswer, type Tenant } from '../tenant.ts';

let platform: StackPlatform;
let tenant: Tenant;
let receiver: Receiver;

beforeAll(async () => {
  platform = await startStackPlatform({ counts: { dispatcher: 2 }, security: 'tokens' });
});
afterAll(() => platform.dispose());
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await platform.explain(() => createTenant(platform));
});
afterEach(() => receiver.close());

/** Answers after a while, and counts how many requests it has at a time. */
function counting(answerMs: number): { readonly behaviour: Behaviour; readonly peak: () => number } {
  let underWay = 0;
  let peak = 0;
  const answer = delay(answerMs, (exchange) => {
    underWay -= 1;
    respond(204)(exchange);
  });
  return {
    behaviour(exchange) {
      underWay += 1;
      peak = Math.max(peak, underWay);
      answer(exchange);
    },
    peak: () => peak,
  };
}

let published = 0;

/** Publishes events, of which each key has a fourth; again while the platform is too busy to take them. */
async function publish(count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, n) => ({
    type: 'order.paid',
    data: { n },
    orderingKey: `customer-${n % 4}`,
    idempotencyKey: `event-${(published += 1)}`,
  }));
  const { data } = await eventually(
    () => tenant.ok<PageAnswer<{ id: string }>>('POST', '/v1/events/batch', { events }),
    { timeoutMs: patienceMs, message: 'Publishing' },
  );
  return data.map(({ id }) => id);
}

const received = (): { readonly n: number }[] =>
  receiver.requests.map(({ body }) => (JSON.parse(body.toString()) as { data: { n: number } }).data);

describe('an endpoint’s limits, with two dispatchers', () => {
  it('has one request under way where it has one place, gets everything once, and each key in its order', () =>
    platform.explain(async () => {
      const { behaviour, peak } = counting(20);
      receiver.behave(behaviour);
      await tenant.endpoint({ url: receiver.url, maxInFlight: 1, ordering: 'key' });
      const ids = await publish(40);
      await receiver.waitFor(ids.length, patienceMs);
      expect(peak()).toBe(1);
      const seen = receiver.requests.map(({ headers }) => headers['webhook-id']);
      expect(seen.toSorted()).toEqual(ids.toSorted());
      for (const key of [0, 1, 2, 3]) {
        const ofKey = received().flatMap(({ n }) => (n % 4 === key ? [n] : []));
        expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
      }
    }));

  it('gets no more in any time than its rate limit says', () =>
    platform.explain(async () => {
      const rateLimit = { perSecond: 10, burst: 5 };
      const { id: endpointId } = await tenant.endpoint({ url: receiver.url, rateLimit });
      const ids = await publish(50);
      const requests = await receiver.waitFor(ids.length, patienceMs);
      const lastedMs = (requests.at(-1)?.receivedAt ?? 0) - (requests[0]?.receivedAt ?? 0);
      // The last of 50 begins 4.5 s after the first at the earliest; the first may have been seen late.
      expect(lastedMs).toBeGreaterThan(3000);

      for (const id of ids) await tenant.deliveryIn('succeeded', id, endpointId);
      const { data } = await tenant.ok<PageAnswer<{ startedAt: string }>>(
        'GET',
        `/v1/attempts?endpointId=${endpointId}&limit=100`,
      );
      const times = data.map(({ startedAt }) => Date.parse(startedAt)).toSorted((a, b) => a - b);
      expect(times).toHaveLength(ids.length);
      for (const [from, first] of times.entries()) {
        for (const [after, last] of times.slice(from).entries()) {
          // Times are told in milliseconds, and taken a moment after the attempt's turn.
          const allowed = rateLimit.burst + (rateLimit.perSecond * (last - first + 200)) / 1000;
          expect(after + 1).toBeLessThanOrEqual(allowed);
        }
      }
    }));

  it('keeps them when they change while deliveries wait, and loses nothing', () =>
    platform.explain(async () => {
      const { behaviour } = counting(20);
      receiver.behave(behaviour);
      const { id: endpointId } = await tenant.endpoint({
        url: receiver.url,
        maxInFlight: 50,
        ordering: 'key',
      });
      const ids: string[] = [];
      for (const maxInFlight of [1, 50, 2, 50]) {
        ids.push(...(await publish(20)));
        await tenant.ok('PATCH', `/v1/endpoints/${endpointId}`, { maxInFlight });
      }
      ids.push(...(await publish(20)));
      await receiver.waitFor(ids.length, patienceMs);
      for (const id of ids) await tenant.deliveryIn('succeeded', id, endpointId);
      const seen = receiver.requests.map(({ headers }) => headers['webhook-id']);
      expect(seen.toSorted()).toEqual(ids.toSorted());
      for (const key of [0, 1, 2, 3]) {
        const published = ids.filter((_, place) => place % 4 === key);
        const ofKey = seen.filter((id) => published.includes(String(id)));
        expect(ofKey).toEqual(published);
      }
    }));
});

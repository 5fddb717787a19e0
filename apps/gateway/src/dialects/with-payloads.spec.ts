import { dispatchV1 } from '@posthorn/contracts';
import { fakeClients } from '../testing/fake-services.harness.ts';
import { withPayloads } from './with-payloads.ts';

const rpc = { principal: { kind: 'key', id: 'k', organisationId: null, scopes: ['*'] } } as const;
const delivery = (id: string): dispatchV1.FoundDelivery =>
  dispatchV1.FoundDelivery.fromPartial({ delivery: { id, organisationId: 'acme' } });

/** Answers with `each` items at most, as for payloads that are large; those in `gone` are no longer there. */
function searching(each: number, gone: readonly string[] = []) {
  const asked: string[][] = [];
  const { deliveries } = fakeClients({
    deliveries: {
      searchDeliveries: (request) => {
        asked.push(request.ids);
        const there = request.ids.filter((id) => !gone.includes(id));
        const items = there
          .slice(0, each)
          .map((id) => ({ ...delivery(id), body: Buffer.from(`body of ${id}`) }));
        return Promise.resolve({ items, total: BigInt(there.length), hasMore: there.length > each });
      },
    },
  });
  return { deliveries, asked };
}

const bodiesOf = (found: readonly dispatchV1.FoundDelivery[]): (string | undefined)[] =>
  found.map(({ body }) => (body === undefined ? undefined : Buffer.from(body).toString()));

test('asks again for what did not fit into an answer, and keeps the order', async () => {
  const { deliveries, asked } = searching(2);
  const found = await withPayloads(deliveries, ['c', 'a', 'e', 'b', 'd'].map(delivery), rpc);
  expect(bodiesOf(found)).toEqual(['c', 'a', 'e', 'b', 'd'].map((id) => `body of ${id}`));
  expect(asked).toEqual([['c', 'a', 'e', 'b', 'd'], ['e', 'b', 'd'], ['d']]);
});

test('shows what has been forgotten meanwhile without a payload, and ends', async () => {
  const { deliveries } = searching(1, ['b']);
  const found = await withPayloads(deliveries, ['a', 'b', 'c'].map(delivery), rpc);
  expect(bodiesOf(found)).toEqual(['body of a', undefined, 'body of c']);
});

test('asks for a delivery once, however many of its attempts are shown, and for nothing when there is nothing', async () => {
  const { deliveries, asked } = searching(10);
  expect(bodiesOf(await withPayloads(deliveries, ['a', 'a'].map(delivery), rpc))).toEqual([
    'body of a',
    'body of a',
  ]);
  expect(await withPayloads(deliveries, [], rpc)).toEqual([]);
  expect(asked).toEqual([['a']]);
});

test('asks for a hundred at a time', async () => {
  const { deliveries, asked } = searching(1000);
  const ids = Array.from({ length: 250 }, (_, n) => `d${n}`);
  expect(bodiesOf(await withPayloads(deliveries, ids.map(delivery), rpc))).toHaveLength(250);
  expect(asked.map(({ length }) => length)).toEqual([100, 100, 50]);
});

import { dialects, endpointStates, verifications, type Endpoint } from '@posthorn/models';
import fc from 'fast-check';
import { endpointOrders, type EndpointFilter, type EndpointSearch } from './endpoint-store.ts';
import { sampleEndpoint, sampleId } from '../stores/sample-resources.harness.ts';
import type { ConfigStores } from '../stores/stores.ts';

/** What every adapter's search finds is what a plain walk over all endpoints finds, whatever is asked. */
export function endpointSearchContract(stores: () => ConfigStores): void {
  const organisations = [1, 2, 3].map(sampleId);
  const names = ['', 'a', 'B', 'b', 'ä', '日本', '😀'];
  const editions = [null, 'e1', 'e2'];
  const count = 40;
  const dayOf = (number: number): Date => new Date(Date.UTC(2026, 0, 1 + (number % 5)));

  const sample = (number: number): Partial<Omit<Endpoint, 'number'>> => ({
    organisationId: pick(organisations, number * 7),
    dialect: pick(dialects, number * 3),
    state: pick(endpointStates, number * 5),
    verification: pick(verifications, number * 11),
    editionId: pick(editions, number * 13),
    name: pick(names, number * 17),
    createdAt: dayOf(number),
    updatedAt: dayOf(number * 19),
  });

  const some = <T>(values: readonly T[]): fc.Arbitrary<T[] | null> =>
    fc.option(fc.subarray([...values]), { nil: null });
  const bound = fc.option(
    fc.record({ at: fc.integer({ min: 0, max: 5 }).map(dayOf), inclusive: fc.boolean() }),
    {
      nil: null,
    },
  );
  const query: fc.Arbitrary<EndpointSearch> = fc
    .record({
      organisationIds: some(organisations),
      ids: fc.option(fc.array(fc.nat(count + 5).map(sampleId), { maxLength: 20 }), { nil: null, freq: 2 }),
      dialect: fc.option(fc.constantFrom(...dialects), { nil: null }),
      states: some(endpointStates),
      verifications: some(verifications),
      editionId: fc.option(fc.constantFrom('e1', 'e2', 'e3'), { nil: null }),
      createdAfter: bound,
      createdBefore: bound,
      orderBy: fc.constantFrom(...endpointOrders),
      descending: fc.boolean(),
      offset: fc.nat(10),
      limit: fc.nat(15),
      beside: fc.option(
        fc.record({ side: fc.constantFrom('before', 'after'), id: fc.nat(count + 5).map(sampleId) }),
        { nil: null, freq: 2 },
      ),
    })
    .map((asked) => ({ ...asked, beside: asked.orderBy === 'created' ? asked.beside : null }));

  it('finds what a plain walk over all endpoints finds, in its order, whatever is asked', async () => {
    const all: Endpoint[] = [];
    for (let number = 1; number <= count; number++) {
      const { endpoint } = await stores().endpoints.insert(sampleEndpoint(number, sample(number)), count);
      all.push(endpoint);
    }
    await fc.assert(
      fc.asyncProperty(query, async (asked) => {
        const { endpoints, total, hasMore } = await stores().endpoints.search(asked);
        const found = { ids: endpoints.map(({ endpoint }) => endpoint.id), total, hasMore };
        expect(found).toEqual(walk(all, asked));
      }),
      { numRuns: 200 },
    );
  });
}

function pick<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new RangeError('there is nothing to pick from');
  return value;
}

function walk(all: readonly Endpoint[], asked: EndpointSearch) {
  const matching = all.filter((endpoint) => matches(endpoint, asked));
  const forwards = matching.toSorted((a, b) => compare(keyOf(a, asked), keyOf(b, asked)));
  const ordered = asked.descending ? forwards.toReversed() : forwards;
  const { beside, offset, limit } = asked;
  const isBehind = ({ id }: Endpoint): boolean =>
    beside === null || (asked.descending ? id < beside.id : id > beside.id);
  const isBefore = ({ id }: Endpoint): boolean =>
    beside === null || (asked.descending ? id > beside.id : id < beside.id);
  const isBackward = beside?.side === 'before';
  const rest = isBackward ? ordered.filter(isBefore).toReversed() : ordered.filter(isBehind);
  const page = rest.slice(offset, offset + limit);
  return {
    ids: (isBackward ? page.toReversed() : page).map(({ id }) => id),
    total: matching.length,
    hasMore: rest.length > offset + limit,
  };
}

function matches(endpoint: Endpoint, asked: EndpointFilter): boolean {
  const { createdAfter: after, createdBefore: before } = asked;
  const created = endpoint.createdAt.getTime();
  return (
    (asked.organisationIds?.includes(endpoint.organisationId) ?? true) &&
    (asked.ids?.includes(endpoint.id) ?? true) &&
    (asked.dialect === null || endpoint.dialect === asked.dialect) &&
    (asked.states?.includes(endpoint.state) ?? true) &&
    (asked.verifications?.includes(endpoint.verification) ?? true) &&
    (asked.editionId === null || endpoint.editionId === asked.editionId) &&
    (after === null || created > after.at.getTime() || (after.inclusive && created === after.at.getTime())) &&
    (before === null ||
      created < before.at.getTime() ||
      (before.inclusive && created === before.at.getTime()))
  );
}

function keyOf({ id, name, updatedAt }: Endpoint, { orderBy }: EndpointSearch): string {
  switch (orderBy) {
    case 'created':
      return id;
    case 'modified':
      return `${updatedAt.toISOString()} ${id}`;
    case 'name':
      // UTF-8 sorts by code points; no name has a NUL.
      return `${Buffer.from(name).toString('hex')}\0${id}`;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

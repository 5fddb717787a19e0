import fc from 'fast-check';
import { attemptOutcomes, deliveryStates, isFinal, type Attempt, type Delivery } from '@posthorn/models';
import {
  modifiedAtOf,
  type AttemptQuery,
  type DeliveryQuery,
  type DeliverySearch,
  type EndedAttempt,
  type FoundAttempt,
} from './delivery-search.ts';
import type { DeliveryWithLast } from './delivery-store.ts';
import { sampleAttempt, sampleDelivery, sampleEvent, sampleTime } from './sample-deliveries.ts';

export interface SearchUnderTest {
  readonly search: DeliverySearch;
  /** Puts a delivery on record, or an attempt of one that is there. */
  record(delivery: Delivery, attempt: Attempt | null): Promise<void>;
  close(): Promise<void>;
}

interface Recorded {
  readonly delivery: Delivery;
  readonly attempts: readonly Attempt[];
}

const anything: DeliveryQuery = {
  organisationIds: [],
  endpointIds: [],
  ids: [],
  eventId: null,
  states: [],
  reasons: [],
  eventTypes: [],
  createdAfter: null,
  createdBefore: null,
  orderBy: 'created',
  descending: false,
  page: { limit: 100, offset: 0, afterId: null, beforeId: null },
};
const anyAttempt: AttemptQuery = {
  organisationIds: [],
  endpointIds: [],
  startedAfter: null,
  startedBefore: null,
  succeeded: null,
  statusClass: null,
  eventTypes: [],
  text: '',
  limit: 100,
  offset: 0,
};

const organisations = ['acme', 'other'];
const endpoints = ['e0', 'e1', 'e2'];
const eventTypes = ['order.paid', 'order.sent', 'user.created'];
const reasons = [null, 'gone', 'endpoint_disabled'];
const statuses = [null, 200, 204, 302, 404, 410, 500];

/** Deliveries of two organisations that have endpoints of the same names; several share a time, and a type. */
const recorded: readonly Recorded[] = Array.from({ length: 60 }, (_, index) => {
  const event = sampleEvent(index, {
    organisationId: pick(organisations, index),
    type: pick(eventTypes, index * 5),
    acceptedAt: sampleTime(Math.floor(index / 3)),
  });
  const state = pick(deliveryStates, index * 11);
  const count = state === 'pending' || state === 'held' ? 0 : (index % 3) + 1;
  const delivery = sampleDelivery(event, pick(endpoints, index * 7), {
    state,
    reason: pick(reasons, index),
    attempts: count,
    createdAt: sampleTime(Math.floor(index / 4)),
    finishedAt: isFinal(state) ? sampleTime(200 - index) : null,
  });
  const attempts = Array.from({ length: count }, (__, at) =>
    sampleAttempt(delivery, at + 1, {
      startedAt: sampleTime(100 + ((index * 13 + at) % 20)),
      outcome: pick(attemptOutcomes, index + at),
      status: pick(statuses, index * 3 + at),
    }),
  );
  return { delivery, attempts };
});

function pick<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

/** What every adapter of the search guarantees. */
export function describeDeliverySearch(name: string, open: () => Promise<SearchUnderTest>): void {
  describe(`${name} keeps the contract of searching deliveries`, () => {
    const { signal } = new AbortController();
    let subject: SearchUnderTest;
    beforeAll(async () => {
      subject = await open();
      for (const { delivery } of recorded) await subject.record(delivery, null);
      // As they end, across the deliveries.
      const attempts = recorded
        .flatMap((one) => one.attempts.map((attempt) => ({ delivery: one.delivery, attempt })))
        .sort((a, b) => a.attempt.startedAt.getTime() - b.attempt.startedAt.getTime());
      for (const { delivery, attempt } of attempts) await subject.record(delivery, attempt);
    });
    afterAll(() => subject.close());

    const find = (over: Partial<DeliveryQuery>) =>
      subject.search.deliveries({ ...anything, ...over }, signal);
    const findAttempts = (over: Partial<AttemptQuery>) =>
      subject.search.attempts({ ...anyAttempt, ...over }, signal);
    const idsOf = (items: readonly DeliveryWithLast[]): string[] => items.map(({ delivery }) => delivery.id);

    describe('deliveries', () => {
      const choice = (from: readonly string[]) => fc.subarray([...from, 'unknown']);
      const time = fc.option(fc.integer({ min: -1, max: 20 }).map(sampleTime));
      const anyId = fc.constantFrom(...recorded.map(({ delivery }) => delivery.id), 'unknown');
      const query: fc.Arbitrary<DeliveryQuery> = fc.record({
        organisationIds: choice(organisations),
        endpointIds: choice(endpoints),
        ids: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(anyId, { maxLength: 30 })),
        eventId: fc.oneof(
          { weight: 5, arbitrary: fc.constant(null) },
          fc.constantFrom(...recorded.map(({ delivery }) => delivery.eventId), 'unknown'),
        ),
        states: fc.oneof(fc.constant([]), fc.subarray([...deliveryStates])),
        reasons: fc.oneof(fc.constant([]), fc.subarray(['gone', 'endpoint_disabled', 'unknown'])),
        eventTypes: fc.oneof(fc.constant([]), choice(eventTypes)),
        createdAfter: time,
        createdBefore: time,
        orderBy: fc.constantFrom('created', 'modified', 'event_type'),
        descending: fc.boolean(),
        page: fc.record({
          limit: fc.nat({ max: 20 }),
          offset: fc.nat({ max: 20 }),
          afterId: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, anyId),
          beforeId: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, anyId),
        }),
      });

      it('are those of the query, in its order, with the exact total, whatever is asked for', async () => {
        await fc.assert(
          fc.asyncProperty(query, async (asked) => {
            const expected = expectedPage(asked);
            const { items, total, hasMore } = await find(asked);

            expect({ ids: idsOf(items), total, hasMore }).toEqual(expected);
          }),
          { numRuns: 300 },
        );
      });

      it('come with their last attempt', async () => {
        const { items } = await find({});

        expect(items).toHaveLength(recorded.length);
        for (const { delivery, lastAttempt } of items) {
          const known = recorded.find((one) => one.delivery.id === delivery.id);
          expect(delivery).toEqual(known?.delivery);
          expect(lastAttempt).toEqual(known?.attempts.at(-1) ?? null);
        }
      });

      it('of another organisation are as if they were not there, even by their ids', async () => {
        const others = recorded.filter(({ delivery }) => delivery.organisationId === 'other');
        const ids = others.map(({ delivery }) => delivery.id);

        expect(await find({ organisationIds: ['acme'], ids })).toEqual({
          items: [],
          total: 0,
          hasMore: false,
        });
        const page = { ...anything.page, afterId: ids[0] ?? null };
        expect((await find({ organisationIds: ['acme'], page })).items).toEqual([]);
      });

      it('are given up when nobody waits for the answer any more', async () => {
        const aborted = subject.search.deliveries(anything, AbortSignal.abort());

        await expect(aborted).rejects.toMatchObject({ code: 'deadline_exceeded' });
      });
    });

    describe('attempts', () => {
      const all: readonly FoundAttempt[] = recorded.flatMap(({ delivery, attempts }) =>
        attempts.map((attempt) => ({ attempt, delivery, lastAttempt: attempts.at(-1) ?? null })),
      );
      const someId = all[0]?.attempt.id ?? '';
      const otherId = all[5]?.delivery.id ?? '';
      const time = fc.option(fc.integer({ min: 99, max: 121 }).map(sampleTime));
      const query: fc.Arbitrary<AttemptQuery> = fc.record({
        organisationIds: fc.subarray([...organisations, 'unknown']),
        endpointIds: fc.subarray([...endpoints, 'unknown']),
        startedAfter: time,
        startedBefore: time,
        succeeded: fc.option(fc.boolean()),
        statusClass: fc.option(fc.integer({ min: 2, max: 5 })),
        eventTypes: fc.oneof(fc.constant([]), fc.subarray([...eventTypes, 'unknown'])),
        text: fc.oneof(
          { weight: 3, arbitrary: fc.constant('') },
          fc.constantFrom('20', '404', '%', '_', '0', someId, someId.slice(20), otherId.toUpperCase()),
        ),
        limit: fc.nat({ max: 20 }),
        offset: fc.nat({ max: 20 }),
      });

      it('are those of the query, the latest first, with the exact total, whatever is asked for', async () => {
        await fc.assert(
          fc.asyncProperty(query, async (asked) => {
            const wanted = all.filter((found) => isWantedAttempt(found, asked)).sort(latestFirst);
            const expected = wanted.slice(asked.offset, asked.offset + asked.limit);

            const { items, total, hasMore } = await findAttempts(asked);

            expect(items.map(({ attempt }) => attempt.id)).toEqual(expected.map(({ attempt }) => attempt.id));
            expect({ total, hasMore }).toEqual({
              total: wanted.length,
              hasMore: wanted.length > asked.offset + expected.length,
            });
          }),
          { numRuns: 300 },
        );
      });

      it('come with their delivery and its last attempt', async () => {
        const { items } = await findAttempts({});

        expect(items).toEqual([...all].sort(latestFirst));
      });
    });

    describe('the latest attempts of an endpoint', () => {
      it('come from the last one back, each with the state of its delivery', async () => {
        const found: EndedAttempt[] = [];
        for await (const slice of subject.search.latestAttempts('acme', 'e1')) found.push(...slice);
        const expected = recorded
          .filter(({ delivery }) => delivery.organisationId === 'acme' && delivery.endpointId === 'e1')
          .flatMap(({ delivery, attempts }) =>
            attempts.map(({ startedAt, outcome }) => ({
              deliveryId: delivery.id,
              deliveryState: delivery.state,
              startedAt,
              succeeded: outcome === 'success',
            })),
          );

        expect(found).toHaveLength(expected.length);
        expect(found).toEqual(expect.arrayContaining(expected));
        const order = found.map(({ startedAt }) => startedAt.getTime());
        expect(order).toEqual(order.toSorted((a, b) => b - a));
      });

      it('are none of an endpoint that has none', async () => {
        for await (const slice of subject.search.latestAttempts('acme', 'unknown')) expect(slice).toEqual([]);
        expect.hasAssertions();
      });
    });
  });
}

function expectedPage(asked: DeliveryQuery): { ids: string[]; total: number; hasMore: boolean } {
  const { limit, offset, afterId, beforeId } = asked.page;
  const wanted = recorded.filter((one) => isWanted(one, asked)).sort((a, b) => compare(a, b, asked));
  const ids = wanted.map(({ delivery }) => delivery.id);
  const total = ids.length;
  if (afterId !== null) {
    const at = ids.indexOf(afterId);
    const rest = at === -1 ? [] : ids.slice(at + 1);
    return { ids: rest.slice(0, limit), total, hasMore: rest.length > limit };
  }
  if (beforeId !== null) {
    const rest = ids.slice(0, Math.max(0, ids.indexOf(beforeId)));
    return { ids: limit === 0 ? [] : rest.slice(-limit), total, hasMore: rest.length > limit };
  }
  const page = ids.slice(offset, offset + limit);
  return { ids: page, total, hasMore: total > offset + page.length };
}

function isOneOf<T>(values: readonly T[], value: T | null): boolean {
  return values.length === 0 || (value !== null && values.includes(value));
}

function isWanted({ delivery }: Recorded, asked: DeliveryQuery): boolean {
  return (
    isOneOf(asked.organisationIds, delivery.organisationId) &&
    isOneOf(asked.endpointIds, delivery.endpointId) &&
    isOneOf(asked.ids, delivery.id) &&
    (asked.eventId === null || asked.eventId === delivery.eventId) &&
    isOneOf(asked.states, delivery.state) &&
    isOneOf(asked.reasons, delivery.reason) &&
    isOneOf(asked.eventTypes, delivery.eventType) &&
    (asked.createdAfter === null || delivery.createdAt > asked.createdAfter) &&
    (asked.createdBefore === null || delivery.createdAt < asked.createdBefore)
  );
}

function isWantedAttempt({ attempt, delivery }: FoundAttempt, asked: AttemptQuery): boolean {
  const texts = [attempt.id, delivery.id, String(attempt.status ?? '')];
  return (
    isOneOf(asked.organisationIds, attempt.organisationId) &&
    isOneOf(asked.endpointIds, attempt.endpointId) &&
    isOneOf(asked.eventTypes, attempt.eventType) &&
    (asked.startedAfter === null || attempt.startedAt > asked.startedAfter) &&
    (asked.startedBefore === null || attempt.startedAt < asked.startedBefore) &&
    (asked.succeeded === null || asked.succeeded === (attempt.outcome === 'success')) &&
    (asked.statusClass === null || asked.statusClass === Math.floor((attempt.status ?? 0) / 100)) &&
    (asked.text === '' || texts.some((text) => text.includes(asked.text.toLowerCase())))
  );
}

function compare(a: Recorded, b: Recorded, { orderBy, descending }: DeliveryQuery): number {
  const keyOf = ({ delivery, attempts }: Recorded): string | number => {
    if (orderBy === 'event_type') return delivery.eventType;
    const modified = modifiedAtOf({ delivery, lastAttempt: attempts.at(-1) ?? null });
    return (orderBy === 'modified' ? (modified ?? delivery.createdAt) : delivery.createdAt).getTime();
  };
  const order = orderOf(keyOf(a), keyOf(b)) || orderOf(a.delivery.id, b.delivery.id);
  return descending ? -order : order;
}

function orderOf(a: string | number, b: string | number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function latestFirst(a: FoundAttempt, b: FoundAttempt): number {
  return (
    b.attempt.startedAt.getTime() - a.attempt.startedAt.getTime() ||
    orderOf(b.delivery.id, a.delivery.id) ||
    b.attempt.number - a.attempt.number
  );
}

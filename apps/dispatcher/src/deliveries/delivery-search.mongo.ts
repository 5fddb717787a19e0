import { attemptIdOf, DomainError, type Attempt } from '@posthorn/models';
import type { MongoFilter } from '@posthorn/mongo';
import {
  toAttempt,
  type AttemptDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './delivery-documents.mongo.ts';
import { createDeliveryLists, statusesOf } from './delivery-lists.mongo.ts';
import type {
  AttemptQuery,
  DeliveryQuery,
  DeliverySearch,
  EndedAttempt,
  FoundAttempt,
  SearchResult,
} from './delivery-search.ts';
import type { DeliveryWithLast } from './delivery-store.ts';
import { nameOf, namesUnder } from '../mongo-names.ts';
import { createRanking } from './ranking.ts';
import { organisationsOf } from './scan-pages.mongo.ts';

/** Documents looked at in one go. */
const slice = 1000;
/** What tells of an endpoint's health is mostly among its last attempts. */
const latestSlice = 100;
/** Enough to say what each place in the list is. */
const deliveryFields = { id: 1, createdAt: 1, finishedAt: 1, eventType: 1, attemptEndedAt: 1 } as const;
const attemptFields = { deliveryId: 1, number: 1, startedAt: 1, status: 1 } as const;

/**
 * Walks the names of each organisation's deliveries, or those of an endpoint, slice by slice, and keeps the page: an index
 * for each order would cost every delivery an entry.
 */
export function createMongoDeliverySearch(collections: DeliveryCollections): DeliverySearch {
  const { deliveries, attempts } = collections;
  const { withLast } = createDeliveryLists(collections);

  async function* organisationsIn(ids: readonly string[]): AsyncGenerator<string> {
    if (ids.length > 0) {
      yield* new Set(ids);
      return;
    }
    for (let last: string | undefined = ''; last !== undefined;) {
      const some: readonly string[] = await organisationsOf(deliveries, last, 100);
      yield* some;
      last = some.at(-1);
    }
  }

  /** Every delivery that is asked for, in no order. */
  async function* wantedDeliveries(
    query: DeliveryQuery,
    signal: AbortSignal,
  ): AsyncGenerator<DeliveryDocument> {
    const conditions = deliveryConditions(query);
    for await (const organisationId of organisationsIn(query.organisationIds)) {
      if (query.ids.length > 0) {
        giveUpIf(signal);
        const names = [...new Set(query.ids)].map((id) => nameOf(organisationId, id));
        const filter = { $and: [{ _id: { $in: names } }, ...conditions] };
        yield* await deliveries.find(filter, { limit: names.length, projection: deliveryFields });
        continue;
      }
      const endpoints = query.endpointIds.length > 0 ? new Set(query.endpointIds) : [null];
      for (const endpointId of endpoints) {
        const lane: MongoFilter<DeliveryDocument> = endpointId === null ? {} : { endpointId };
        let from: { readonly $gte?: string; readonly $gt?: string } = namesUnder(organisationId);
        for (;;) {
          giveUpIf(signal);
          const names = { ...from, $lt: namesUnder(organisationId).$lt };
          const found = await deliveries.find(
            { $and: [{ ...lane, _id: names }, ...conditions] },
            {
              limit: slice,
              sort: { _id: 1 },
              hint: endpointId === null ? '_id_' : 'by_endpoint',
              projection: deliveryFields,
            },
          );
          yield* found;
          const last = found.at(-1);
          if (last === undefined || found.length < slice) break;
          from = { $gt: last._id };
        }
      }
    }
  }

  async function searchDeliveries(
    query: DeliveryQuery,
    signal: AbortSignal,
  ): Promise<SearchResult<DeliveryWithLast>> {
    const { afterId, beforeId, limit } = query.page;
    const cursorId = afterId ?? beforeId;
    const isBackward = afterId === null && beforeId !== null;
    const sort = query.descending ? -1 : 1;
    const inOrder = (a: DeliveryDocument, b: DeliveryDocument): number =>
      sort * (compare(keyOf(a, query), keyOf(b, query)) || compare(a.id, b.id));
    const cursor = cursorId === null ? null : await cursorOf(cursorId);
    const skip = cursorId === null ? query.page.offset : 0;
    const ranking = createRanking<DeliveryDocument>({
      skip,
      limit,
      compare: isBackward ? (a, b) => inOrder(b, a) : inOrder,
    });
    let total = 0;
    for await (const found of wantedDeliveries(query, signal)) {
      total += 1;
      if (cursorId !== null) {
        if (cursor === null) continue;
        const distance = inOrder(found, cursor);
        if (isBackward ? distance >= 0 : distance <= 0) continue;
      }
      ranking.offer(found);
    }

    const page = ranking.page();
    if (isBackward) page.reverse();
    return {
      items: await withLast(await wholeOf(page)),
      total,
      hasMore: ranking.offered > skip + page.length,
    };

    /** The cursor's place in the list; null when the list doesn't hold it. */
    async function cursorOf(id: string): Promise<DeliveryDocument | null> {
      if (query.ids.length > 0 && !query.ids.includes(id)) return null;
      for await (const found of wantedDeliveries({ ...query, ids: [id] }, signal)) return found;
      return null;
    }
  }

  /** The documents whole, in the same order. */
  async function wholeOf(page: readonly DeliveryDocument[]): Promise<DeliveryDocument[]> {
    const names = page.map(({ _id }) => _id);
    const found =
      names.length === 0 ? [] : await deliveries.find({ _id: { $in: names } }, { limit: names.length });
    const byName = new Map(found.map((one) => [one._id, one]));
    return names.flatMap((name) => byName.get(name) ?? []);
  }

  /** Every attempt that is asked for, the text excepted, in the order of each lane. */
  async function* wantedAttempts(query: AttemptQuery, signal: AbortSignal): AsyncGenerator<AttemptDocument> {
    const conditions = attemptConditions(query);
    for await (const organisationId of organisationsIn(query.organisationIds)) {
      const endpoints = query.endpointIds.length > 0 ? new Set(query.endpointIds) : [null];
      for (const endpointId of endpoints) {
        const lane = endpointId === null ? { organisationId } : { organisationId, endpointId };
        for await (const found of backwards(lane, slice, attemptFields, conditions)) {
          giveUpIf(signal);
          yield* found;
        }
      }
    }
  }

  /** The attempts of an organisation or an endpoint, from the latest back, in slices. */
  async function* backwards(
    lane: { readonly organisationId: string; readonly endpointId?: string },
    limit: number,
    projection: Readonly<Record<string, 1>>,
    conditions: readonly MongoFilter<AttemptDocument>[] = [],
  ): AsyncGenerator<readonly AttemptDocument[]> {
    const hint = lane.endpointId === undefined ? 'by_time' : 'by_endpoint';
    for (let from: readonly object[] = []; ;) {
      const found = await attempts.find(
        { $and: [lane, ...from, ...conditions] },
        { limit, sort: { startedAt: -1, _id: -1 }, hint, projection },
      );
      yield found;
      const last = found.at(-1);
      if (last === undefined || found.length < limit) return;
      const { startedAt, _id } = last;
      from = [
        { startedAt: { $lte: startedAt } },
        { $or: [{ startedAt: { $lt: startedAt } }, { _id: { $lt: _id } }] },
      ];
    }
  }

  async function searchAttempts(
    query: AttemptQuery,
    signal: AbortSignal,
  ): Promise<SearchResult<FoundAttempt>> {
    const text = query.text.toLowerCase();
    const ranking = createRanking<AttemptDocument>({
      skip: query.offset,
      limit: query.limit,
      compare: (a, b) =>
        b.startedAt.getTime() - a.startedAt.getTime() ||
        compare(b.deliveryId, a.deliveryId) ||
        b.number - a.number,
    });
    for await (const found of wantedAttempts(query, signal)) {
      if (holdsText(found, text)) ranking.offer(found);
    }
    const page = ranking.page();
    const names = page.map(({ _id }) => _id);
    const found =
      names.length === 0 ? [] : await attempts.find({ _id: { $in: names } }, { limit: names.length });
    const byName = new Map(found.map((one) => [one._id, toAttempt(one)]));
    const whole = names.flatMap((name) => byName.get(name) ?? []);
    return {
      items: await withDeliveries(whole),
      total: ranking.offered,
      hasMore: ranking.offered > query.offset + page.length,
    };
  }

  async function withDeliveries(whole: readonly Attempt[]): Promise<FoundAttempt[]> {
    const names = new Set(whole.map(({ organisationId, deliveryId }) => nameOf(organisationId, deliveryId)));
    if (names.size === 0) return [];
    const found = await deliveries.find({ _id: { $in: [...names] } }, { limit: names.size });
    const shown = await withLast(found);
    const byName = new Map(shown.map((one) => [nameOf(one.delivery.organisationId, one.delivery.id), one]));
    // What isn't there any more was swept away while we were looking.
    return whole.flatMap((attempt) => {
      const delivery = byName.get(nameOf(attempt.organisationId, attempt.deliveryId));
      return delivery === undefined ? [] : [{ attempt, ...delivery }];
    });
  }

  async function* latestAttempts(
    organisationId: string,
    endpointId: string,
  ): AsyncGenerator<readonly EndedAttempt[]> {
    const projection = { deliveryId: 1, startedAt: 1, outcome: 1 } as const;
    for await (const found of backwards({ organisationId, endpointId }, latestSlice, projection)) {
      const names = new Set(found.map(({ deliveryId }) => nameOf(organisationId, deliveryId)));
      const states =
        names.size === 0
          ? []
          : await deliveries.find(
              { _id: { $in: [...names] } },
              { limit: names.size, projection: { id: 1, state: 1 } },
            );
      const byId = new Map(states.map(({ id, state }) => [id, state]));
      yield found.map(({ deliveryId, startedAt, outcome }) => ({
        deliveryId,
        deliveryState: byId.get(deliveryId) ?? null,
        startedAt,
        succeeded: outcome === 'success',
      }));
    }
  }

  return { deliveries: searchDeliveries, attempts: searchAttempts, latestAttempts };
}

function deliveryConditions(query: DeliveryQuery): MongoFilter<DeliveryDocument>[] {
  const { endpointIds, eventId, states, reasons, eventTypes, createdAfter, createdBefore } = query;
  return [
    ...(endpointIds.length === 0 ? [] : [{ endpointId: { $in: endpointIds } }]),
    ...(eventId === null ? [] : [{ eventId }]),
    ...(states.length === 0 ? [] : [{ state: { $in: states } }]),
    ...(reasons.length === 0 ? [] : [{ reason: { $in: reasons } }]),
    ...(eventTypes.length === 0 ? [] : [{ eventType: { $in: eventTypes } }]),
    ...(createdAfter === null ? [] : [{ createdAt: { $gt: createdAfter } }]),
    ...(createdBefore === null ? [] : [{ createdAt: { $lt: createdBefore } }]),
  ];
}

function attemptConditions(query: AttemptQuery): MongoFilter<AttemptDocument>[] {
  const { startedAfter, startedBefore, succeeded, statusClass, eventTypes } = query;
  return [
    ...(startedAfter === null ? [] : [{ startedAt: { $gt: startedAfter } }]),
    ...(startedBefore === null ? [] : [{ startedAt: { $lt: startedBefore } }]),
    ...(succeeded === null
      ? []
      : [succeeded ? { outcome: 'success' as const } : { outcome: { $ne: 'success' as const } }]),
    ...(statusClass === null ? [] : [{ status: statusesOf(statusClass) }]),
    ...(eventTypes.length === 0 ? [] : [{ eventType: { $in: eventTypes } }]),
  ];
}

function keyOf(found: DeliveryDocument, { orderBy }: DeliveryQuery): string | number {
  switch (orderBy) {
    case 'created':
      return found.createdAt.getTime();
    case 'event_type':
      return found.eventType;
    case 'modified': {
      const at = Math.max(found.finishedAt?.getTime() ?? 0, found.attemptEndedAt?.getTime() ?? 0);
      return at === 0 ? found.createdAt.getTime() : at;
    }
  }
}

function compare<T extends string | number>(a: T, b: T): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function holdsText({ deliveryId, number, status }: AttemptDocument, text: string): boolean {
  return (
    text === '' ||
    deliveryId.includes(text) ||
    (status !== null && String(status).includes(text)) ||
    attemptIdOf(deliveryId, number).includes(text)
  );
}

function giveUpIf(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new DomainError('deadline_exceeded', 'Looking through all of it took too long; ask for less.');
  }
}

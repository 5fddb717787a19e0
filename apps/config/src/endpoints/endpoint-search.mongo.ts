import type { MongoCollection, MongoFilter } from '@posthorn/mongo';
import { toStoredEndpoint, type EndpointDocument } from './endpoint-document.mongo.ts';
import type {
  EndpointFilter,
  EndpointOrder,
  EndpointSearch,
  FoundEndpoints,
  TimeBound,
} from './endpoint-store.ts';

const orderFields = {
  created: ['_id'],
  modified: ['times.updatedAt', '_id'],
  name: ['name', '_id'],
} as const satisfies Record<EndpointOrder, readonly string[]>;

/**
 * Searches the collection of endpoints. In the order of creation an index serves each dialect; by name and by change the
 * endpoints that match are sorted, which are as many as the organisations that are asked for may have.
 */
export async function searchEndpoints(
  collection: MongoCollection<EndpointDocument>,
  query: EndpointSearch,
): Promise<FoundEndpoints> {
  const filter = filterOf(query);
  const { beside, limit, offset } = query;
  // What is nearest before something is found by walking back from it.
  const isBackward = beside?.side === 'before';
  const isDescending = query.descending !== isBackward;
  const direction = isDescending ? -1 : 1;
  const besides = beside === null ? {} : isDescending ? { $lt: beside.id } : { $gt: beside.id };
  const named = query.ids === null ? {} : { $in: query.ids };
  const [total, found] = await Promise.all([
    collection.count(filter),
    collection.find(
      { ...filter, ...(beside !== null && { _id: { ...named, ...besides } }) },
      {
        sort: Object.fromEntries(orderFields[query.orderBy].map((field) => [field, direction])),
        skip: offset,
        limit: limit + 1,
      },
    ),
  ]);
  const endpoints = found.slice(0, limit).map(toStoredEndpoint);
  return {
    endpoints: isBackward ? endpoints.reverse() : endpoints,
    total,
    hasMore: found.length > limit,
  };
}

function filterOf(filter: EndpointFilter): MongoFilter<EndpointDocument> {
  const { organisationIds, ids, dialect, states, verifications, editionId, createdAfter, createdBefore } =
    filter;
  return {
    ...(organisationIds !== null && { organisationId: { $in: organisationIds } }),
    ...(ids !== null && { _id: { $in: ids } }),
    ...(dialect !== null && { dialect }),
    ...(states !== null && { state: { $in: states } }),
    ...(verifications !== null && { verification: { $in: verifications } }),
    ...(editionId !== null && { editionId }),
    ...((createdAfter !== null || createdBefore !== null) && {
      'times.createdAt': { ...after(createdAfter), ...before(createdBefore) },
    }),
  };
}

function after(bound: TimeBound | null): object {
  if (bound === null) return {};
  return bound.inclusive ? { $gte: bound.at } : { $gt: bound.at };
}

function before(bound: TimeBound | null): object {
  if (bound === null) return {};
  return bound.inclusive ? { $lte: bound.at } : { $lt: bound.at };
}

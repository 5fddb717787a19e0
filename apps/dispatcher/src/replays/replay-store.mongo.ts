import type { MongoFilter } from '@posthorn/mongo';
import {
  toDelivery,
  type DeliveryCollections,
  type DeliveryDocument,
} from '../deliveries/delivery-documents.mongo.ts';
import { isAbsent, isThere } from '../deliveries/delivery-waiting.mongo.ts';
import { toEvent, type EventDocument } from '../events/event-store.mongo.ts';
import { nameOf } from '../mongo-names.ts';
import type { MakeDueRequest, ReplayableDelivery, ReplayStore } from './replay-store.ts';

/** Deliveries that are made due at the same time, each of another key. */
const madeDueAtOnce = 20;
const maxPartitions = 10_000;

type Item = MakeDueRequest['items'][number];

/** Replays on MongoDB. */
export function createMongoReplayStore({ deliveries, events, leases }: DeliveryCollections): ReplayStore {
  async function makeOneDue(
    { organisationId, id, order, isOurs }: Item,
    { states, trigger, now }: Omit<MakeDueRequest, 'items'>,
  ): Promise<boolean> {
    const wanted = { _id: nameOf(organisationId, id), claim: isAbsent, state: { $in: states } };
    if (order === null) {
      const made = await deliveries.updateOne(wanted, { $set: { trigger, nextAttemptAt: now } });
      return made === true;
    }
    const told = isOurs ? {} : { arrived: true as const };
    const place = { trigger, orderKey: order.key, position: order.position, ...told };
    const isHead = await deliveries.updateOne(
      { ...wanted, nextAttemptAt: isThere },
      { $set: { ...place, nextAttemptAt: now } },
    );
    return isHead === true || (await deliveries.updateOne(wanted, { $set: place })) === true;
  }

  return {
    async walkDeliveries({ organisationId, endpointId, after, to, limit }) {
      const names = { $gt: nameOf(organisationId, after), $lte: nameOf(organisationId, to) };
      const found = await deliveries.find(
        { endpointId, _id: names },
        { limit, sort: { endpointId: 1, _id: 1 }, hint: 'by_endpoint' },
      );
      return found.map(replayable);
    },

    async walkEvents({ organisationId, after, since, until, limit }) {
      const place =
        after === '' ? null : (JSON.parse(after) as { readonly at: number; readonly name: string });
      const from = place === null ? since : new Date(place.at);
      const beyond: MongoFilter<EventDocument>[] =
        place === null ? [] : [{ $or: [{ acceptedAt: { $gt: from } }, { _id: { $gt: place.name } }] }];
      const found = await events.find(
        { $and: [{ organisationId, acceptedAt: { $gte: from, $lt: until } }, ...beyond] },
        { limit, sort: { organisationId: -1, acceptedAt: 1, _id: 1 }, hint: 'by_time' },
      );
      const last = found.at(-1);
      return {
        events: found
          .filter(({ position }) => position > 0)
          .map((one) => ({ event: toEvent(one), partition: one.partition, position: one.position })),
        next:
          last === undefined || found.length < limit
            ? null
            : JSON.stringify({ at: last.acceptedAt.getTime(), name: last._id }),
      };
    },

    async findDeliveries(organisationId, ids) {
      const names = ids.map((id) => nameOf(organisationId, id));
      const found =
        names.length === 0 ? [] : await deliveries.find({ _id: { $in: names } }, { limit: names.length });
      return new Map(found.map((one) => [one.id, replayable(one)]));
    },

    async placesOf(organisationId, eventIds) {
      const names = eventIds.map((id) => nameOf(organisationId, id));
      if (names.length === 0) return new Map();
      const found = await events.find(
        { _id: { $in: names } },
        { limit: names.length, projection: { id: 1, partition: 1, position: 1, orderingKey: 1 } },
      );
      return new Map(
        found.map(({ id, partition, position, orderingKey }) => [id, { partition, position, orderingKey }]),
      );
    },

    async makeDue({ items, ...request }) {
      const made = new Set<string>();
      const lines = linesOf(items);
      for (let from = 0; from < lines.length; from += madeDueAtOnce) {
        const some = lines.slice(from, from + madeDueAtOnce);
        await Promise.all(
          some.map(async (line) => {
            for (const item of line) if (await makeOneDue(item, request)) made.add(item.id);
          }),
        );
      }
      return made;
    },

    async backlog({ organisationId, endpointId }, now, limit) {
      const known = await leases.find(
        {},
        { limit: maxPartitions, sort: { _id: 1 }, hint: '_id_', projection: { _id: 1 } },
      );
      const partitions = [...new Set([0, ...known.map(({ _id }) => Number(_id))])];
      const lane = { partition: { $in: partitions }, endpointId, organisationId };
      const projection = { _id: 1 } as const;
      const due = await deliveries.find(
        { ...lane, nextAttemptAt: { $lte: now } },
        { limit, hint: 'waiting', projection },
      );
      if (due.length === limit) return limit;
      const behind = await deliveries.find(
        { ...lane, orderKey: isThere, nextAttemptAt: isAbsent },
        { limit: limit - due.length, hint: 'in_order', projection },
      );
      return due.length + behind.length;
    },
  };
}

/** Those of one key as a line, in their order: who delivers them may see each as soon as it is written. */
function linesOf(items: readonly Item[]): readonly (readonly Item[])[] {
  const free = items.filter(({ order }) => order === null).map((item) => [item]);
  const keyed = items.filter(({ order }) => order !== null);
  const placeOf = ({ order }: Item): number => order?.position ?? 0;
  const lines = Map.groupBy(keyed, ({ order }) => order?.key);
  return [...free, ...[...lines.values()].map((line) => line.sort((a, b) => placeOf(a) - placeOf(b)))];
}

function replayable(found: DeliveryDocument): ReplayableDelivery {
  return { delivery: toDelivery(found), lastStatus: found.lastStatus ?? null };
}

import { idFloor } from '@posthorn/models';
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import type { DeliveryCollections } from '../deliveries/delivery-documents.mongo.ts';
import { placedAtOnce, type FeedLane, type FeedStore } from './feed-store.ts';
import { nameOf, unavailableYet } from '../mongo-names.ts';
import { createMongoReplayStore } from '../replays/replay-store.mongo.ts';

/** A late delivery, named like the delivery itself. It is new until it is first read, and has a place from then on. */
interface LateDocument extends MongoDocument, FeedLane {
  readonly id: string;
  readonly isNew?: true;
  readonly place?: number;
}

interface HorizonDocument extends MongoDocument {
  readonly epoch: number;
  readonly at: number;
}

const isThere = { $exists: true } as const;
const maxPartitions = 10_000;
/** How often the next place is looked for again, when others who read the same feed have taken it. */
const maxTries = 50;

/** Feeds on MongoDB. A unique index hands the places out, so that two who read a feed at once give no place twice. */
export async function createMongoFeedStore(
  database: MongoDatabase,
  collections: DeliveryCollections,
): Promise<FeedStore> {
  const { walkDeliveries, findDeliveries } = createMongoReplayStore(collections);
  const { deliveries } = collections;
  const horizons = await database.open<HorizonDocument>({ name: 'dispatcher_feed_horizons', indexes: [] });
  const late = await database.open<LateDocument>({
    name: 'dispatcher_feed_late',
    indexes: [
      {
        name: 'placed',
        key: { endpointId: 1, place: 1 },
        unique: true,
        partialFilterExpression: { place: isThere },
      },
      { name: 'new', key: { endpointId: 1, _id: 1 }, partialFilterExpression: { isNew: isThere } },
    ],
  });

  async function lastPlace({ organisationId, endpointId }: FeedLane): Promise<number> {
    const last = await late.findOne(
      { endpointId, organisationId, place: isThere },
      { sort: { place: -1 }, hint: 'placed', projection: { place: 1 } },
    );
    return last?.place ?? 0;
  }

  /** Those that are late, have no place and are on record, in order of id. */
  async function unplaced({ organisationId, endpointId }: FeedLane): Promise<readonly string[]> {
    const marked = await late.find(
      { endpointId, organisationId, isNew: isThere },
      { limit: placedAtOnce, sort: { _id: 1 }, hint: 'new', projection: { _id: 1 } },
    );
    if (marked.length === 0) return [];
    const recorded = await deliveries.find(
      { _id: { $in: marked.map(({ _id }) => _id) } },
      { limit: marked.length, hint: '_id_', projection: { _id: 1 } },
    );
    return recorded.map(({ _id }) => _id).sort();
  }

  /** Gives one its place: the next one that is free. Answers the last place known to be taken. */
  async function takePlace(lane: FeedLane, _id: string, last: number): Promise<number> {
    for (let tries = 0; tries < maxTries; tries++) {
      const placed = await late.updateOne(
        { _id, isNew: isThere },
        { $set: { place: last + 1 }, $unset: { isNew: '' } },
      );
      if (placed === true) return last + 1;
      // Someone else has placed it, or has taken the place.
      if (placed === false) return lastPlace(lane);
      last = await lastPlace(lane);
    }
    throw unavailableYet('The feed');
  }

  return {
    walkDeliveries,
    findDeliveries,

    async open(partition, epoch) {
      const _id = String(partition);
      await horizons.insert({ _id, epoch, at: 0 });
      const opened = await horizons.findOneAndUpdate({ _id, epoch: { $lte: epoch } }, { $set: { epoch } });
      return opened === null ? null : opened.at;
    },

    async publish(moved) {
      await horizons.updateEach(
        moved.map(({ partition, epoch, at }) => ({
          filter: { _id: String(partition), epoch },
          update: { $max: { at } },
        })),
      );
    },

    async horizon() {
      const all = await horizons.find({}, { limit: maxPartitions, hint: '_id_' });
      return all.length === 0 ? 0 : Math.min(...all.map(({ at }) => at));
    },

    async markLate(wanted) {
      if (wanted.length === 0) return;
      await late.insertMany(
        wanted.map(({ organisationId, endpointId, id }) => ({
          _id: nameOf(organisationId, id),
          organisationId,
          endpointId,
          id,
          isNew: true,
        })),
      );
    },

    async placeLate(lane) {
      let last = await lastPlace(lane);
      for (const _id of await unplaced(lane)) last = await takePlace(lane, _id, last);
      return last;
    },

    async late({ organisationId, endpointId }, after, limit) {
      const found = await late.find(
        { endpointId, organisationId, place: { $gt: after } },
        { limit, sort: { place: 1 }, hint: 'placed' },
      );
      return found.map(({ id, place = 0 }) => ({ id, place }));
    },

    async placesOf(organisationId, ids) {
      if (ids.length === 0) return new Map();
      const found = await late.find(
        { _id: { $in: ids.map((id) => nameOf(organisationId, id)) } },
        { limit: ids.length, hint: '_id_' },
      );
      return new Map(found.map(({ id, place }) => [id, place ?? null]));
    },

    async sweep(organisationId, before, limit) {
      const old = await late.find(
        { _id: { $gte: `${organisationId}/`, $lt: nameOf(organisationId, idFloor(before.getTime())) } },
        { limit, sort: { _id: 1 }, hint: '_id_', projection: { _id: 1 } },
      );
      if (old.length === 0) return 0;
      return late.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
    },
  };
}

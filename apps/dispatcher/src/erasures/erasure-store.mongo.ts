import { deliveryReasons, idCeiling, idFloor } from '@posthorn/models';
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import type { DeadRecordDocument } from '../intake/dead-record-store.mongo.ts';
import type { DeliveryCollections } from '../deliveries/delivery-documents.mongo.ts';
import type {
  CancelledDelivery,
  ErasureStore,
  EventToErase,
  NumberedTombstone,
  Tombstone,
} from './erasure-store.ts';
import { nameOf, namesUnder } from '../mongo-names.ts';

interface TombstoneDocument extends MongoDocument {
  readonly tombstone: Tombstone;
}

interface KeyDocument extends MongoDocument {
  readonly key: Uint8Array;
}

const digits = 16;
const maxTries = 100;
const keyName = 'subjects';
const deliveriesAtOnce = 1000;
const notEnded = ['pending', 'retrying', 'held'] as const;

/**
 * Erasing in MongoDB. Tombstones are numbered without a gap: a number is given out by inserting it, after the one before it was seen,
 * so whoever sees a number sees all before it. What becomes of the bytes in its files is the database's affair (docs/operations.md).
 */
export async function createMongoErasureStore(
  database: MongoDatabase,
  { events, deliveries, attempts }: DeliveryCollections,
): Promise<ErasureStore> {
  const tombstones = await database.open<TombstoneDocument>({ name: 'dispatcher_tombstones', indexes: [] });
  const keys = await database.open<KeyDocument>({ name: 'dispatcher_erasure_keys', indexes: [] });
  const dead = await database.open<DeadRecordDocument>({ name: 'dispatcher_dead_records', indexes: [] });

  async function deliveriesOf(organisationId: string, { id, from, to }: EventToErase) {
    const found = [];
    for (let after = nameOf(organisationId, idFloor(from.getTime())); ;) {
      const range = found.length === 0 ? { $gte: after } : { $gt: after };
      const page = await deliveries.find(
        { _id: { ...range, $lte: nameOf(organisationId, idCeiling(to.getTime())) }, eventId: id },
        {
          limit: deliveriesAtOnce,
          sort: { _id: 1 },
          hint: '_id_',
          projection: { endpointId: 1, state: 1, id: 1 },
        },
      );
      found.push(...page);
      const last = page.at(-1);
      if (last === undefined || page.length < deliveriesAtOnce) return found;
      after = last._id;
    }
  }

  async function eraseOne(organisationId: string, event: EventToErase, now: Date) {
    const found = await deliveriesOf(organisationId, event);
    const cancelled: CancelledDelivery[] = [];
    let responses = 0;
    if (found.length > 0) {
      const names = { $in: found.map(({ _id }) => _id) };
      const waiting = found.filter(({ state }) => notEnded.some((one) => one === state));
      await deliveries.updateMany(
        { _id: names, state: { $in: [...notEnded] } },
        { $set: { state: 'cancelled', reason: deliveryReasons.erased, finishedAt: now } },
        { hint: '_id_' },
      );
      await deliveries.updateMany(
        { _id: names },
        {
          $set: { trigger: 'schedule' },
          $unset: { nextAttemptAt: '', claim: '', orderKey: '', arrived: '' },
        },
        { hint: '_id_' },
      );
      cancelled.push(...waiting.map(({ id, endpointId }) => ({ id, endpointId })));
      for (const { _id } of found) {
        responses += await attempts.updateMany(
          { _id: namesUnder(_id), response: { $ne: null } },
          { $set: { response: null } },
          { hint: '_id_' },
        );
      }
    }
    await dead.deleteMany({ organisationId, eventId: event.id });
    return { responses, cancelled };
  }

  return {
    async addTombstone(tombstone) {
      const [newest] = await tombstones.find({}, { limit: 1, sort: { _id: -1 }, projection: { _id: 1 } });
      const next = newest === undefined ? 1 : Number(newest._id) + 1;
      for (let number = next; number < next + maxTries; number++) {
        if (await tombstones.insert({ _id: numberName(number), tombstone })) return;
      }
      throw new Error(`no number for a tombstone after ${maxTries} tries`);
    },

    async tombstonesAfter(number, limit): Promise<readonly NumberedTombstone[]> {
      const found = await tombstones.find(
        { _id: { $gt: numberName(number) } },
        { limit, sort: { _id: 1 }, readConcern: 'linearizable' },
      );
      return found.map(({ _id, tombstone }) => ({ number: Number(_id), tombstone }));
    },

    async key(fresh) {
      await keys.insert({ _id: keyName, key: fresh });
      const found = await keys.findOne({ _id: keyName });
      if (found === null) throw new Error('the key of erasures was written and is not there');
      return found.key;
    },

    async walkSubjects(organisationId, after, limit) {
      const names = namesUnder(organisationId);
      const range = after === '' ? names : { $gt: nameOf(organisationId, after), $lt: names.$lt };
      const found = await events.find(
        { _id: range },
        { limit, sort: { _id: 1 }, hint: '_id_', projection: { id: 1, subject: 1, acceptedAt: 1 } },
      );
      return found.map(({ id, subject, acceptedAt }) => ({ id, subject, acceptedAt }));
    },

    async erase({ organisationId, events: asked, now }) {
      const cancelled: CancelledDelivery[] = [];
      let responses = 0;
      for (const event of asked) {
        const one = await eraseOne(organisationId, event, now);
        responses += one.responses;
        cancelled.push(...one.cancelled);
      }
      const names = asked.map(({ id }) => nameOf(organisationId, id));
      // Last: as long as an event is there, whoever does it again after a crash finds it.
      const erased = names.length === 0 ? 0 : await events.deleteMany({ _id: { $in: names } });
      return { events: erased, responses, cancelled };
    },

    async eraseDeadRecords(organisationId) {
      await dead.deleteMany({ organisationId });
    },

    purgeFiles: () => Promise.resolve(),
  };
}

/** Of equal length, so that names sort as numbers do. */
function numberName(number: number): string {
  return String(number).padStart(digits, '0');
}

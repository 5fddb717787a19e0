import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import {
  deadRecordDays,
  type DeadRecord,
  type DeadRecordStore,
  type RecordedLoss,
} from './dead-record-store.ts';

export interface DeadRecordDocument extends MongoDocument, Omit<DeadRecord, 'id'> {}
interface LossDocument extends MongoDocument, RecordedLoss {}

const daySeconds = 86_400;
const newestFirst = { recordedAt: -1, _id: -1 } as const;
const byTime = { name: 'by_time', key: { recordedAt: 1, _id: 1 } } as const;

/** What was put aside, in MongoDB. */
export async function createMongoDeadRecordStore(database: MongoDatabase): Promise<DeadRecordStore> {
  const records = await database.open<DeadRecordDocument>({
    name: 'dispatcher_dead_records',
    indexes: [
      byTime,
      { name: 'by_event', key: { organisationId: 1, eventId: 1 } },
      { name: 'expiry', key: { recordedAt: 1 }, expireAfterSeconds: deadRecordDays * daySeconds },
    ],
  });
  const losses = await database.open<LossDocument>({ name: 'dispatcher_log_losses', indexes: [byTime] });

  return {
    async add({ id, ...record }) {
      await records.insert({ _id: id, ...record });
    },

    async addLoss(loss) {
      const { partition, reason, from, next } = loss;
      await losses.insert({ _id: [partition, reason, from, next].join(':'), ...loss });
    },

    async list(limit) {
      const found = await records.find({}, { limit, sort: newestFirst });
      return found.map(({ _id, ...record }) => ({ id: _id, ...record }));
    },

    async listLosses(limit) {
      const found = await losses.find({}, { limit, sort: newestFirst });
      return found.map(({ _id, ...loss }) => loss);
    },

    async sweep(before, limit) {
      const old = { recordedAt: { $lt: before } };
      const sort = { recordedAt: 1, _id: 1 } as const;
      const found = await records.find(old, { limit, sort, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return records.deleteMany({ ...old, _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

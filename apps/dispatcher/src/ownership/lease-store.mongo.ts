import type { CollectionDefinition, MongoCollection, MongoDatabase, MongoDocument } from '@posthorn/mongo';
import type { Lease, LeaseStore, LeftClaim } from './lease-store.ts';

/** The lease of a partition; `next` is moved by the delivery store, under the epoch that stands. */
export interface LeaseDocument extends MongoDocument {
  /** The partition, as text. */
  readonly _id: string;
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
  readonly next: number;
  readonly left: readonly LeftClaim[];
}

export const leaseCollection: CollectionDefinition = { name: 'dispatcher_leases', indexes: [] };

/** Leases in MongoDB: one document for each partition, which changes by comparing and setting. */
export async function createMongoLeaseStore(database: MongoDatabase): Promise<LeaseStore> {
  const collection: MongoCollection<LeaseDocument> = await database.open(leaseCollection);

  async function find(partition: number): Promise<Lease> {
    // The beat that counts is the one that its owner was told of.
    const found = await collection.findOne({ _id: String(partition) }, { readConcern: 'linearizable' });
    return found === null
      ? { partition, owner: null, epoch: 0, beat: 0, next: 1, left: [] }
      : leaseOf(partition, found);
  }

  async function takeOnce(
    { partition, epoch, beat, owner }: Lease,
    candidate: string,
  ): Promise<Lease | null> {
    const _id = String(partition);
    if (epoch === 0) {
      const first = { _id, owner: candidate, epoch: 1, beat: 1, next: 1, left: [] };
      return (await collection.insert(first)) ? leaseOf(partition, first) : null;
    }
    const taken = await collection.findOneAndUpdate(
      { _id, epoch, beat, owner },
      { $set: { owner: candidate }, $inc: { epoch: 1, beat: 1 } },
    );
    return taken === null ? null : leaseOf(partition, taken);
  }

  return {
    isExclusive: false,
    find,

    async take(seen, owner) {
      const taken = await takeOnce(seen, owner);
      if (taken !== null) return taken;
      // A first try whose answer was lost has taken it for us.
      const stands = await find(seen.partition);
      return stands.owner === owner && stands.epoch === seen.epoch + 1 ? stands : null;
    },

    async renew(leases) {
      if (leases.length === 0) return new Set();
      const wanted = leases.map(({ partition, epoch }) => ({
        _id: String(partition),
        epoch,
        owner: { $ne: null },
      }));
      const renewed = await collection.updateMany({ $or: wanted }, { $inc: { beat: 1 } });
      if (renewed === leases.length) return new Set(leases.map(({ partition }) => partition));
      const standing = await collection.find({ $or: wanted }, { limit: leases.length });
      return new Set(standing.map(({ _id }) => Number(_id)));
    },

    async giveBack({ partition, epoch, left }) {
      await collection.updateOne(
        { _id: String(partition), epoch, owner: { $ne: null } },
        { $set: { owner: null, left: [...left] } },
      );
    },
  };
}

function leaseOf(partition: number, { owner, epoch, beat, next, left }: LeaseDocument): Lease {
  return { partition, owner, epoch, beat, next, left };
}

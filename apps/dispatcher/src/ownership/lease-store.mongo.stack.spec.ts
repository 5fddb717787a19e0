import { describeLeaseStore } from './lease-store.contract.ts';
import { createMongoLeaseStore, leaseCollection, type LeaseDocument } from './lease-store.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeLeaseStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  const documents = await database.open<LeaseDocument>(leaseCollection);
  return {
    leases: await createMongoLeaseStore(database),
    async writeNext({ partition, epoch, next }) {
      await documents.updateOne({ _id: String(partition), epoch }, { $set: { next } });
    },
    close,
  };
});

describe('a lease in MongoDB', () => {
  it('is ours when the answer to taking it was lost, and we ask again', async () => {
    const { database, close } = await openTemporaryMongo();
    const leases = await createMongoLeaseStore(database);
    for (const round of [1, 2]) {
      const seen = await leases.find(0);
      const taken = await leases.take(seen, 'a');
      expect(taken).toMatchObject({ owner: 'a', epoch: round });
      expect(await leases.take(seen, 'a')).toEqual(taken);
      expect(await leases.take(seen, 'b')).toBeNull();
    }
    await close();
  });
});

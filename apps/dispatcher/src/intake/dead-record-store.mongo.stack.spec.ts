import { describeDeadRecordStore } from './dead-record-store.contract.ts';
import { createMongoDeadRecordStore } from './dead-record-store.mongo.ts';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';

describeDeadRecordStore('MongoDB', async () => {
  const { database, close } = await openTemporaryMongo();
  return { dead: await createMongoDeadRecordStore(database), close };
});

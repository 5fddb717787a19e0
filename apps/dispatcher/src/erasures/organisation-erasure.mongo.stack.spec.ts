import { serialize } from 'node:v8';
import { openTemporaryMongo } from '../deliveries/temporary-mongo.harness.ts';
import { createMongoDispatcherStores } from '../stores.mongo.ts';
import { describeOrganisationErasure } from './organisation-erasure.contract.ts';

const filled = [
  'dispatcher_attempts',
  'dispatcher_dead_records',
  'dispatcher_deliveries',
  'dispatcher_endpoint_troubles',
  'dispatcher_events',
  'dispatcher_feed_late',
  'dispatcher_jobs',
  'dispatcher_tasks',
];

describeOrganisationErasure(
  'MongoDB',
  { filled, kept: ['dispatcher_jobs', 'dispatcher_tombstones'] },
  async () => {
    const { database, close } = await openTemporaryMongo();
    const stores = await createMongoDispatcherStores(database);
    let position = 0;
    return {
      stores,
      close,
      recordEvent(event) {
        position += 1;
        return stores.events.claim({ partition: 0, mayRepeat: false, events: [{ event, position }] });
      },
      async placesWith(text) {
        const found = [];
        for (const name of await database.collectionNames()) {
          const collection = await database.open({ name, indexes: [] });
          if (serialize(await collection.find({}, { limit: 1000 })).includes(text)) found.push(name);
        }
        return found.toSorted();
      },
    };
  },
);

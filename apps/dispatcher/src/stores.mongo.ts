import type { MongoDatabase } from '@posthorn/mongo';
import { createMongoDeadRecordStore } from './intake/dead-record-store.mongo.ts';
import {
  attemptIndexes,
  deliveryIndexes,
  type AttemptDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './deliveries/delivery-documents.mongo.ts';
import { createMongoDeliverySearch } from './deliveries/delivery-search.mongo.ts';
import { createMongoDeliveryStore } from './deliveries/delivery-store.mongo.ts';
import { createMongoErasureStore } from './erasures/erasure-store.mongo.ts';
import { noExpiry, type Expiry } from './retention/expiry.ts';
import { createMongoEventStore, eventIndexes, type EventDocument } from './events/event-store.mongo.ts';
import { createMongoJobStore } from './jobs/job-store.mongo.ts';
import { createMongoLeaseStore, leaseCollection, type LeaseDocument } from './ownership/lease-store.mongo.ts';
import { createMongoFeedStore } from './feeds/feed-store.mongo.ts';
import type { DispatcherStores } from './stores.ts';
import { createMongoReplayStore } from './replays/replay-store.mongo.ts';
import { createMongoTaskStore } from './tasks/task-store.mongo.ts';
import { createMongoTroubleStore } from './troubles/trouble-store.mongo.ts';

/**
 * The stores on a database of MongoDB, whose indexes are made first. Any number of dispatchers may share it.
 *
 * @param expiry what has a day there is removed by the database when that has come
 */
export async function createMongoDispatcherStores(
  database: MongoDatabase,
  expiry: Expiry = noExpiry,
): Promise<DispatcherStores> {
  const collections: DeliveryCollections = {
    events: await database.open<EventDocument>({ name: 'dispatcher_events', indexes: eventIndexes }),
    deliveries: await database.open<DeliveryDocument>({
      name: 'dispatcher_deliveries',
      indexes: deliveryIndexes,
    }),
    attempts: await database.open<AttemptDocument>({
      name: 'dispatcher_attempts',
      indexes: attemptIndexes,
    }),
    leases: await database.open<LeaseDocument>(leaseCollection),
    expiry,
  };
  const events = createMongoEventStore(collections.events, expiry);
  return {
    events,
    deliveries: createMongoDeliveryStore(collections),
    search: createMongoDeliverySearch(collections),
    tasks: await createMongoTaskStore(database, expiry),
    troubles: await createMongoTroubleStore(database),
    jobs: await createMongoJobStore(database),
    replays: createMongoReplayStore(collections),
    feeds: await createMongoFeedStore(database, collections),
    erasures: await createMongoErasureStore(database, collections),
    leases: await createMongoLeaseStore(database),
    deadRecords: await createMongoDeadRecordStore(database),
    recordTestEvent: (event) => events.insert(event),
  };
}

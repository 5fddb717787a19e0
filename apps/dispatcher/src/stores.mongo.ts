import type { Event } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import type { DeadRecordStore } from './intake/dead-record-store.ts';
import { createMongoDeadRecordStore } from './intake/dead-record-store.mongo.ts';
import {
  attemptIndexes,
  deliveryIndexes,
  type AttemptDocument,
  type DeliveryCollections,
  type DeliveryDocument,
} from './deliveries/delivery-documents.mongo.ts';
import type { DeliverySearch } from './deliveries/delivery-search.ts';
import { createMongoDeliverySearch } from './deliveries/delivery-search.mongo.ts';
import type { DeliveryStore } from './deliveries/delivery-store.ts';
import { createMongoDeliveryStore } from './deliveries/delivery-store.mongo.ts';
import type { ErasureStore } from './erasures/erasure-store.ts';
import { createMongoErasureStore } from './erasures/erasure-store.mongo.ts';
import type { EventStore } from './events/event-store.ts';
import { noExpiry, type Expiry } from './retention/expiry.ts';
import { createMongoEventStore, eventIndexes, type EventDocument } from './events/event-store.mongo.ts';
import type { JobStore } from './jobs/job-store.ts';
import { createMongoJobStore } from './jobs/job-store.mongo.ts';
import type { LeaseStore } from './ownership/lease-store.ts';
import { createMongoLeaseStore, leaseCollection, type LeaseDocument } from './ownership/lease-store.mongo.ts';
import type { FeedStore } from './feeds/feed-store.ts';
import { createMongoFeedStore } from './feeds/feed-store.mongo.ts';
import type { ReplayStore } from './replays/replay-store.ts';
import { createMongoReplayStore } from './replays/replay-store.mongo.ts';
import type { TaskStore } from './tasks/task-store.ts';
import { createMongoTaskStore } from './tasks/task-store.mongo.ts';
import type { TroubleStore } from './troubles/trouble-store.ts';
import { createMongoTroubleStore } from './troubles/trouble-store.mongo.ts';

/** All that the dispatcher keeps. */
export interface DispatcherStores {
  readonly events: EventStore;
  readonly deliveries: DeliveryStore;
  readonly search: DeliverySearch;
  readonly tasks: TaskStore;
  readonly troubles: TroubleStore;
  readonly jobs: JobStore;
  readonly replays: ReplayStore;
  readonly feeds: FeedStore;
  readonly erasures: ErasureStore;
  readonly leases: LeaseStore;
  readonly deadRecords: DeadRecordStore;
  /** Puts a test's event on record, which isn't in the log. */
  readonly recordTestEvent: (event: Event) => Promise<void>;
}

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

import type { Event } from '@posthorn/models';
import type { DeliverySearch } from './deliveries/delivery-search.ts';
import type { DeliveryStore } from './deliveries/delivery-store.ts';
import type { ErasureStore } from './erasures/erasure-store.ts';
import type { EventStore } from './events/event-store.ts';
import type { FeedStore } from './feeds/feed-store.ts';
import type { DeadRecordStore } from './intake/dead-record-store.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { LeaseStore } from './ownership/lease-store.ts';
import type { ReplayStore } from './replays/replay-store.ts';
import type { TaskStore } from './tasks/task-store.ts';
import type { TroubleStore } from './troubles/trouble-store.ts';

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
  /** Puts a test's event on record without anyone else getting it. */
  readonly recordTestEvent: (event: Event) => Promise<unknown>;
}

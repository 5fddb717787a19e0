/** Feeds over real stores, with partitions whose owners the test names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { FakeClock } from '@posthorn/testing';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import { createFeed, type FeedRequest } from './feed.ts';
import { createFeedHorizons, type FeedHorizons } from './feed-horizons.ts';
import { createSqliteFeedStore, feedMigrations } from './feed-store.sqlite.ts';
import type { Holding } from '../ownership/ownership.ts';
import { sampleHolding } from '../ownership/sample-holding.harness.ts';

/** One dispatcher's view of its partitions. */
export interface Owner extends FeedHorizons {
  readonly held: Holding[];
  own(partition: number, epoch: number): void;
}

export function openFeeds() {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-feed-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations, feedMigrations],
  });
  const log = createSqliteEventLog(database);
  const store = createSqliteDeliveryStore(database);
  const feeds = createSqliteFeedStore(database);
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const feed = createFeed({
    feeds,
    events: createSqliteEventStore(database),
    publish: () => Promise.resolve(),
  });

  return {
    clock,
    store,
    feeds,
    log,

    createOwner(under: DeliveryStore = store): Owner {
      const held: Holding[] = [];
      const horizons = createFeedHorizons({
        store: under,
        feeds,
        held: () => held,
        isExclusive: true,
        clock,
      });
      return {
        ...horizons,
        held,
        own(partition, epoch) {
          held.push({ ...sampleHolding({ claim: `claim-${epoch}` }), partition, epoch });
        },
      };
    },

    read: (request: Partial<FeedRequest> = {}) =>
      feed.read({
        organisationId: 'org',
        endpointId: 'endpoint',
        cursor: '',
        after: null,
        limit: 250,
        states: [],
        ...request,
      }),

    async close(): Promise<void> {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type FeedsUnderTest = ReturnType<typeof openFeeds>;

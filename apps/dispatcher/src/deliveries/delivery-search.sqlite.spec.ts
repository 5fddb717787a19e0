import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { describeDeliverySearch } from './delivery-search.contract.ts';
import { createSqliteDeliverySearch } from './delivery-search.sqlite.ts';
import { dispatcherMigrations } from './delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from './delivery-store.sqlite.ts';
import { sampleDelivery, sampleEvent, sampleInsert, succeeded } from './sample-deliveries.ts';

function openSearch() {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-search-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  const store = createSqliteDeliveryStore(database);
  return {
    search: createSqliteDeliverySearch(database),
    store,
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describeDeliverySearch('SQLite', () => {
  const { store, ...subject } = openSearch();
  return Promise.resolve({
    ...subject,
    record: (delivery, attempt) =>
      store.record(
        [
          attempt === null
            ? sampleInsert({ delivery, attempt })
            : { kind: 'update', delivery, expectedClaim: '', order: null, claim: null, attempt },
        ],
        [],
      ),
  });
});

describe('searching the embedded database', () => {
  it('lets others have their turn while it looks through a long list', async () => {
    const { search, store, close } = openSearch();
    const deliveries = Array.from({ length: 3500 }, (_, index) =>
      succeeded(sampleDelivery(sampleEvent(index))),
    );
    await store.record(
      deliveries.map((delivery) => sampleInsert({ delivery, attempt: null })),
      [],
    );
    let turns = 0;
    let isSearching = true;
    const count = (): void => {
      turns += 1;
      if (isSearching) setImmediate(count);
    };
    setImmediate(count);

    const { total } = await search.deliveries(
      {
        organisationIds: ['org'],
        endpointIds: [],
        ids: [],
        eventId: null,
        states: [],
        reasons: [],
        eventTypes: [],
        createdAfter: null,
        createdBefore: null,
        orderBy: 'modified',
        descending: true,
        page: { limit: 10, offset: 0, afterId: null, beforeId: null },
      },
      new AbortController().signal,
    );
    isSearching = false;

    expect(total).toBe(3500);
    expect(turns).toBeGreaterThanOrEqual(4);
    await close();
  });
});

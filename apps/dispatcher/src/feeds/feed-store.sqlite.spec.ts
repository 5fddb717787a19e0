import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLogMigrations } from '@posthorn/event-log';
import { openSqlite, type SqliteDatabase } from '@posthorn/sqlite';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import { describeFeedStore } from './feed-store.contract.ts';
import { createSqliteFeedStore, feedMigrations } from './feed-store.sqlite.ts';

function openDatabase(): { database: SqliteDatabase; close(): Promise<void> } {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-feeds-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations, feedMigrations],
  });
  return {
    database,
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describeFeedStore('SQLite', () => {
  const { database, close } = openDatabase();
  return Promise.resolve({
    feeds: createSqliteFeedStore(database),
    deliveries: createSqliteDeliveryStore(database),
    close,
  });
});

describe('the feed store on SQLite', () => {
  it('reads by its indexes alone', async () => {
    const { database, close } = openDatabase();
    const planOf = (sql: string): string =>
      database
        .prepare<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail)
        .join('; ');
    const lane = "organisation_id = 'o' AND endpoint_id = 'e'";
    expect(
      planOf(`SELECT * FROM deliveries WHERE ${lane} AND id > 'a' AND id <= 'b' ORDER BY id LIMIT 9`),
    ).toMatch(
      /^SEARCH deliveries USING INDEX deliveries_by_endpoint \(organisation_id=\? AND endpoint_id=\? AND id>\? AND id<\?\)$/,
    );
    expect(
      planOf(`SELECT delivery_id FROM feed_late WHERE ${lane} AND place IS NULL
        AND EXISTS (SELECT 1 FROM deliveries WHERE id = delivery_id) ORDER BY delivery_id LIMIT 9`),
    ).toMatch(/USING (COVERING )?INDEX feed_late_unplaced .*SEARCH deliveries EXISTS USING PRIMARY KEY/);
    expect(
      planOf(`SELECT delivery_id FROM feed_late WHERE ${lane} AND place > 1 ORDER BY place LIMIT 9`),
    ).toMatch(/^SEARCH feed_late USING (COVERING )?INDEX feed_late_placed/);
    await close();
  });
});

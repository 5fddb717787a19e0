import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { describeDeliveryStore } from './delivery-store.contract.ts';
import { createSqliteDeliveryStore } from './delivery-store.sqlite.ts';
import { dispatcherMigrations } from './delivery-rows.sqlite.ts';
import { createSqliteEventStore } from './event-store.sqlite.ts';

describeDeliveryStore('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-deliveries-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  const log = createSqliteEventLog(database);
  return Promise.resolve({
    deliveries: createSqliteDeliveryStore(database),
    events: createSqliteEventStore(database),
    recordEvent: (event) => log.append(event),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

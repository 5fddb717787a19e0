import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import { describeReplayStore } from './replay-store.contract.ts';
import { createSqliteReplayStore } from './replay-store.sqlite.ts';

describeReplayStore('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-replays-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [eventLogMigrations, dispatcherMigrations],
  });
  const log = createSqliteEventLog(database);
  return Promise.resolve({
    replays: createSqliteReplayStore(database),
    deliveries: createSqliteDeliveryStore(database),
    recordEvent: (event) => log.append(event),
    recordTestEvent: (event) => log.appendUnread(event),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

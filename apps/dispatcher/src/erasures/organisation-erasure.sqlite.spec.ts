import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { createSqliteEventLog, eventLogMigrations } from '@posthorn/event-log';
import { openSqlite } from '@posthorn/sqlite';
import { dispatcherMigrations } from '../deliveries/delivery-rows.sqlite.ts';
import { createSqliteDeliveryStore } from '../deliveries/delivery-store.sqlite.ts';
import { createSqliteEventStore } from '../events/event-store.sqlite.ts';
import { createSqliteFeedStore, feedMigrations } from '../feeds/feed-store.sqlite.ts';
import { createSqliteDeadRecordStore } from '../intake/dead-record-store.sqlite.ts';
import { createSqliteJobStore, jobMigrations } from '../jobs/job-store.sqlite.ts';
import { createSqliteTaskStore, taskMigrations } from '../tasks/task-store.sqlite.ts';
import { createSqliteTroubleStore, troubleMigrations } from '../troubles/trouble-store.sqlite.ts';
import { createSqliteErasureStore, erasureMigrations } from './erasure-store.sqlite.ts';
import { describeOrganisationErasure } from './organisation-erasure.contract.ts';

const filled = [
  'attempts',
  'dead_records',
  'deliveries',
  'endpoint_troubles',
  'events',
  'feed_late',
  'jobs',
  'tasks',
];

describeOrganisationErasure('SQLite', { filled, kept: ['jobs', 'tombstones'] }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-erasures-'));
  const database = openSqlite({
    path: join(directory, 'posthorn.db'),
    migrations: [
      eventLogMigrations,
      dispatcherMigrations,
      taskMigrations,
      troubleMigrations,
      jobMigrations,
      feedMigrations,
      erasureMigrations,
    ],
  });
  const tables = database.prepare<{ name: string }>(
    `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`,
  );
  return Promise.resolve({
    stores: {
      events: createSqliteEventStore(database),
      deliveries: createSqliteDeliveryStore(database),
      tasks: createSqliteTaskStore(database),
      troubles: createSqliteTroubleStore(database),
      jobs: createSqliteJobStore(database),
      feeds: createSqliteFeedStore(database),
      erasures: createSqliteErasureStore(database),
      deadRecords: createSqliteDeadRecordStore(database),
    },
    recordEvent: createSqliteEventLog(database).append,
    placesWith: (text) =>
      Promise.resolve(
        tables
          .all()
          .map(({ name }) => name)
          .filter((name) => serialize(database.prepare(`SELECT * FROM ${name}`).all()).includes(text)),
      ),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

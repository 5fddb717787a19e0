import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { describeJobStore } from './job-store.contract.ts';
import { createSqliteJobStore, jobMigrations } from './job-store.sqlite.ts';

describeJobStore('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-jobs-'));
  const database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [jobMigrations] });
  return Promise.resolve({
    jobs: createSqliteJobStore(database),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

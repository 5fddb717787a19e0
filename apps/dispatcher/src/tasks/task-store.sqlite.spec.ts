import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { describeTaskStore } from './task-store.contract.ts';
import { createSqliteTaskStore, taskMigrations } from './task-store.sqlite.ts';

describeTaskStore('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-tasks-'));
  const database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [taskMigrations] });
  return Promise.resolve({
    tasks: createSqliteTaskStore(database),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

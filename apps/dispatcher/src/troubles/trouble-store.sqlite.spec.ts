import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { describeTroubleStore } from './trouble-store.contract.ts';
import { createSqliteTroubleStore, troubleMigrations } from './trouble-store.sqlite.ts';

describeTroubleStore('SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-troubles-'));
  const database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [troubleMigrations] });
  return Promise.resolve({
    troubles: createSqliteTroubleStore(database),
    async close() {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  });
});

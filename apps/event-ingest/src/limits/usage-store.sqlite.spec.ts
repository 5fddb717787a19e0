import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { usageStoreContract } from './usage-store.contract.ts';
import { createSqliteUsageStore, usageMigrations } from './usage-store.sqlite.ts';

describe('the SQLite usage store', () => {
  usageStoreContract(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'posthorn-usage-'));
    const database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [usageMigrations] });
    return {
      store: createSqliteUsageStore(database),
      async close() {
        await database.close();
        await rm(directory, { recursive: true });
      },
    };
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '@posthorn/sqlite';
import { configMigrations } from './migrations.ts';
import { createSqliteConfigStores } from './stores.sqlite.ts';
import type { ConfigStores } from './stores.ts';

export interface TemporaryStores {
  readonly stores: ConfigStores;
  close(): Promise<void>;
}

/** For tests: empty stores on a file of their own, which is removed when they are closed. */
export async function openTemporaryStores(maxChanges?: number): Promise<TemporaryStores> {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-config-'));
  const database = openSqlite({ path: join(directory, 'posthorn.db'), migrations: [configMigrations] });
  return {
    stores: createSqliteConfigStores(database, maxChanges),
    async close() {
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

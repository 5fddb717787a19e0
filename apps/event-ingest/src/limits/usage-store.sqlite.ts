import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import { returnUsage, takeUsage, type StoredUsage, type UsageStore } from './usage-store.ts';

export const usageMigrations: Migrations = {
  owner: 'event-ingest usage',
  steps: [
    `CREATE TABLE ingest_usage (
       counter TEXT PRIMARY KEY,
       window_number INTEGER NOT NULL,
       used INTEGER NOT NULL,
       expires_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX ingest_usage_by_expiry ON ingest_usage (expires_at);`,
  ],
};

interface UsageRow {
  readonly window_number: number;
  readonly used: number;
}

/** Usage in the embedded file: a counter is read and written within one transaction. */
export function createSqliteUsageStore(database: SqliteDatabase): UsageStore {
  const read = database.prepare<UsageRow>('SELECT window_number, used FROM ingest_usage WHERE counter = ?');
  const write = database.prepare(
    `INSERT INTO ingest_usage (counter, window_number, used, expires_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (counter) DO UPDATE
       SET window_number = excluded.window_number, used = excluded.used, expires_at = excluded.expires_at`,
  );
  const reduce = database.prepare('UPDATE ingest_usage SET used = ? WHERE counter = ?');
  const removeExpired = database.prepare(
    `DELETE FROM ingest_usage WHERE counter IN
       (SELECT counter FROM ingest_usage WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  );

  function find(counter: string): StoredUsage | null {
    const row = read.get(counter);
    return row === undefined ? null : { window: row.window_number, used: row.used };
  }

  return {
    take: (request) =>
      database.write(() => {
        const { counter, expiresAt } = request;
        const taken = takeUsage(find(counter), request);
        if (taken.taken > 0) write.run(counter, taken.window, taken.used, expiresAt.getTime());
        return taken;
      }),

    giveBack: (counter, taken) =>
      database.write(() => {
        const returned = returnUsage(find(counter), taken);
        if (returned !== null) reduce.run(returned.used, counter);
      }),

    async sweep(now, limit) {
      const { changes } = await database.writeStatement(() => removeExpired.run(now.getTime(), limit));
      return Number(changes);
    },
  };
}

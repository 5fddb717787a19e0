import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import type { EndpointTrouble, TroubleStore } from './trouble-store.ts';

export const troubleMigrations: Migrations = {
  owner: 'endpoint_troubles',
  steps: [
    `CREATE TABLE endpoint_troubles (
       organisation_id TEXT NOT NULL,
       endpoint_id TEXT NOT NULL,
       failing_since INTEGER NOT NULL,
       open_until INTEGER,
       PRIMARY KEY (organisation_id, endpoint_id)
     ) STRICT, WITHOUT ROWID;`,
  ],
};

interface TroubleRow {
  readonly organisation_id: string;
  readonly endpoint_id: string;
  readonly failing_since: number;
  readonly open_until: number | null;
}

/** Endpoints that are failing, in the embedded database. */
export function createSqliteTroubleStore(database: SqliteDatabase): TroubleStore {
  const insert = database.prepare(
    `INSERT INTO endpoint_troubles (organisation_id, endpoint_id, failing_since, open_until) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const open = database.prepare(
    'UPDATE endpoint_troubles SET open_until = ? WHERE organisation_id = ? AND endpoint_id = ?',
  );
  const selectOne = database.prepare<TroubleRow>(
    'SELECT * FROM endpoint_troubles WHERE organisation_id = ? AND endpoint_id = ?',
  );
  const selectAfter = database.prepare<TroubleRow>(
    `SELECT * FROM endpoint_troubles WHERE (organisation_id, endpoint_id) > (?, ?)
     ORDER BY organisation_id, endpoint_id LIMIT ?`,
  );
  const remove = database.prepare(
    'DELETE FROM endpoint_troubles WHERE organisation_id = ? AND endpoint_id = ? AND failing_since = ?',
  );
  const removeAll = database.prepare('DELETE FROM endpoint_troubles WHERE organisation_id = ?');

  return {
    begin: (trouble) =>
      database.write(() => {
        const { organisationId, endpointId, failingSince } = trouble;
        const openUntil = trouble.openUntil?.getTime() ?? null;
        const { changes } = insert.run(organisationId, endpointId, failingSince.getTime(), openUntil);
        const isNew = Number(changes) > 0;
        if (!isNew && openUntil !== null) open.run(openUntil, organisationId, endpointId);
        const row = selectOne.get(organisationId, endpointId);
        if (row === undefined) throw new Error(`the trouble of ${endpointId} was written and is not there`);
        return { trouble: troubleOf(row), isNew };
      }),

    end: ({ organisationId, endpointId, failingSince }) =>
      database.writeStatement(
        () => Number(remove.run(organisationId, endpointId, failingSince.getTime()).changes) > 0,
      ),

    find: (organisationId, endpointIds) =>
      Promise.resolve(
        endpointIds.flatMap((id) => {
          const row = selectOne.get(organisationId, id);
          return row === undefined ? [] : [troubleOf(row)];
        }),
      ),

    list: (after, limit) =>
      Promise.resolve(
        selectAfter.all(after?.organisationId ?? '', after?.endpointId ?? '', limit).map(troubleOf),
      ),

    async forget(organisationId) {
      await database.writeStatement(() => removeAll.run(organisationId));
    },
  };
}

function troubleOf(row: TroubleRow): EndpointTrouble {
  return {
    organisationId: row.organisation_id,
    endpointId: row.endpoint_id,
    failingSince: new Date(row.failing_since),
    openUntil: row.open_until === null ? null : new Date(row.open_until),
  };
}

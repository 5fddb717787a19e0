import type { SqliteDatabase } from '@posthorn/sqlite';
import { defaultMaxChanges, type RevisionStore } from './revision-store.ts';

/** Takes the next revision for an organisation. Call it inside the write job that changes something of it. */
export type RecordChange = (organisationId: string) => void;

export function createSqliteRevisionStore(
  database: SqliteDatabase,
  maxChanges = defaultMaxChanges,
): RevisionStore & { readonly recordChange: RecordChange } {
  const newest = database.prepare('SELECT revision FROM config_changes ORDER BY revision DESC LIMIT 1');
  const oldest = database.prepare('SELECT revision FROM config_changes ORDER BY revision LIMIT 1');
  const after = database.prepare('SELECT DISTINCT organisation_id FROM config_changes WHERE revision > ?');
  const append = database.prepare('INSERT INTO config_changes (organisation_id) VALUES (?)');
  const trim = database.prepare('DELETE FROM config_changes WHERE revision <= ?');

  /** The newest revision that was read; unknown again from a change on, since that may yet be undone. */
  let known: number | undefined;

  return {
    recordChange(organisationId) {
      known = undefined;
      const { lastInsertRowid } = append.run(organisationId);
      trim.run(Number(lastInsertRowid) - maxChanges);
    },

    changesSince(since) {
      const revision = (known ??= Number(newest.get()?.['revision'] ?? 0));
      // The case of nearly every call: the dispatcher asks once for each batch.
      if (since === revision) return Promise.resolve({ revision, organisationIds: [], reset: false });
      const first = Number(oldest.get()?.['revision'] ?? 0);
      if (since > revision || since < first - 1) {
        return Promise.resolve({ revision, organisationIds: [], reset: true });
      }
      const organisationIds = after.all(since).map((row) => String(row['organisation_id']));
      return Promise.resolve({ revision, organisationIds, reset: false });
    },
  };
}

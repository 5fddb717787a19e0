import type { Policy } from '@posthorn/models';
import { isUniqueViolation, type SqliteDatabase } from '@posthorn/sqlite';
import { parseDocument } from '../stores/document.sqlite.ts';
import type { PolicyStore, StoredPolicy } from './policy-store.ts';
import type { RecordChange } from '../directory/revision-store.sqlite.ts';
import { taken, tooMany } from '../stores/store-errors.ts';

export function createSqlitePolicyStore(database: SqliteDatabase, recordChange: RecordChange): PolicyStore {
  const columns = 'number, writes, document, sealed';
  const insert = database.prepare(
    'INSERT INTO config_policies (id, organisation_id, name, writes, document, sealed) VALUES (?, ?, ?, 1, ?, ?)',
  );
  const byId = database.prepare(
    `SELECT ${columns} FROM config_policies WHERE id = ? AND organisation_id = ?`,
  );
  const byNumber = database.prepare(
    `SELECT ${columns} FROM config_policies WHERE number = ? AND organisation_id = ?`,
  );
  const byName = database.prepare(`SELECT ${columns} FROM config_policies WHERE name = ?`);
  const count = database.prepare(
    'SELECT count(*) AS policies FROM config_policies WHERE organisation_id = ?',
  );
  const page = database.prepare(
    `SELECT ${columns} FROM config_policies WHERE organisation_id = ? AND number < ? ORDER BY number DESC LIMIT ?`,
  );
  const replace = database.prepare(
    `UPDATE config_policies SET writes = writes + 1, document = ?
     WHERE id = ? AND organisation_id = ? AND writes = ?`,
  );
  const removeSome = database.prepare(
    'DELETE FROM config_policies WHERE number IN (SELECT number FROM config_policies WHERE organisation_id = ? LIMIT ?)',
  );
  const found = (row: Record<string, unknown> | undefined): Promise<StoredPolicy | null> =>
    Promise.resolve(row === undefined ? null : toStored(row));

  return {
    insert: ({ policy, sealed }, maxPerOrganisation) =>
      database.write(() => {
        const { id, organisationId, name } = policy;
        if (Number(count.get(organisationId)?.['policies']) >= maxPerOrganisation) {
          throw tooMany('policies', maxPerOrganisation);
        }
        const { lastInsertRowid } = withUniqueName(() =>
          insert.run(id, organisationId, name, JSON.stringify(policy), sealed),
        );
        recordChange(organisationId);
        return { policy: { ...policy, number: Number(lastInsertRowid) }, sealed, writes: 1 };
      }),

    find: (organisationId, idOrNumber) =>
      found(
        typeof idOrNumber === 'number'
          ? byNumber.get(idOrNumber, organisationId)
          : byId.get(idOrNumber, organisationId),
      ),

    findByName: (name) => found(byName.get(name)),

    list: ({ organisationId, limit, beforeNumber }) =>
      Promise.resolve(page.all(organisationId, beforeNumber ?? Number.MAX_SAFE_INTEGER, limit).map(toStored)),

    replace: (stored) =>
      database.write(() => {
        const { policy, writes } = stored;
        const { id, organisationId } = policy;
        if (replace.run(JSON.stringify(policy), id, organisationId, writes).changes === 0) return null;
        recordChange(organisationId);
        return { ...stored, writes: writes + 1 };
      }),

    deleteSome: (organisationId, limit) =>
      database.write(() => {
        const removed = Number(removeSome.run(organisationId, limit).changes);
        if (removed > 0) recordChange(organisationId);
        return removed;
      }),
  };
}

function toStored(row: Record<string, unknown>): StoredPolicy {
  const policy = parseDocument<Policy>(row['document'], ['createdAt', 'updatedAt']);
  return {
    policy: { ...policy, number: Number(row['number']) },
    sealed: String(row['sealed']),
    writes: Number(row['writes']),
  };
}

function withUniqueName<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw isUniqueViolation(error) ? taken('/name', 'Another policy has this name.', error) : error;
  }
}

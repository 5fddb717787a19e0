import type { Endpoint } from '@posthorn/models';
import { isUniqueViolation, type SqliteDatabase } from '@posthorn/sqlite';
import { parseDocument } from '../stores/document.sqlite.ts';
import { searchEndpoints } from './endpoint-search.sqlite.ts';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';
import type { RecordChange } from '../directory/revision-store.sqlite.ts';
import { taken, tooMany } from '../stores/store-errors.ts';

export function createSqliteEndpointStore(
  database: SqliteDatabase,
  recordChange: RecordChange,
): EndpointStore {
  const columns = 'number, writes, document, sealed';
  const insert = database.prepare(
    'INSERT INTO config_endpoints (id, organisation_id, uid, state, writes, document, sealed) VALUES (?, ?, ?, ?, 1, ?, ?)',
  );
  const byId = database.prepare(
    `SELECT ${columns} FROM config_endpoints WHERE id = ? AND organisation_id = ?`,
  );
  const byUid = database.prepare(
    `SELECT ${columns} FROM config_endpoints WHERE uid = ? AND organisation_id = ?`,
  );
  const count = database.prepare(
    'SELECT count(*) AS endpoints FROM config_endpoints WHERE organisation_id = ?',
  );
  const page = database.prepare(
    `SELECT ${columns} FROM config_endpoints
     WHERE organisation_id = ? AND number < ? AND state = coalesce(?, state) AND dialect = coalesce(?, dialect)
     ORDER BY number DESC LIMIT ?`,
  );
  const unverified = database.prepare(
    `SELECT ${columns} FROM config_endpoints
     WHERE verification = 'pending' AND state <> 'disabled' AND coalesce(verification_expires_at > ?, TRUE)
     ORDER BY verification_id LIMIT ?`,
  );
  const replace = database.prepare(
    `UPDATE config_endpoints SET uid = ?, state = ?, writes = writes + 1, document = ?, sealed = ?
     WHERE id = ? AND organisation_id = ? AND writes = ?`,
  );
  const remove = database.prepare(
    'DELETE FROM config_endpoints WHERE id = ? AND organisation_id = ? AND writes = ?',
  );
  const removeSome = database.prepare(
    'DELETE FROM config_endpoints WHERE number IN (SELECT number FROM config_endpoints WHERE organisation_id = ? LIMIT ?)',
  );

  const listening = database.prepare(
    `SELECT 1 FROM config_endpoints, json_each(document, '$.eventTypes') AS pattern
     WHERE organisation_id = ? AND instr(document, '"posthorn.') > 0
       AND pattern.value IN (SELECT value FROM json_each(?)) LIMIT 1`,
  );

  return {
    insert: ({ endpoint, sealed }, maxPerOrganisation) =>
      database.write(() => {
        const { id, organisationId, uid, state } = endpoint;
        if (Number(count.get(organisationId)?.['endpoints']) >= maxPerOrganisation) {
          throw tooMany('endpoints', maxPerOrganisation);
        }
        const { lastInsertRowid } = withUniqueUid(uid, () =>
          insert.run(id, organisationId, uid, state, JSON.stringify(endpoint), sealed),
        );
        recordChange(organisationId);
        return { endpoint: { ...endpoint, number: Number(lastInsertRowid) }, sealed, writes: 1 };
      }),

    find(organisationId, idOrUid) {
      const row = byId.get(idOrUid, organisationId) ?? byUid.get(idOrUid, organisationId);
      return Promise.resolve(row === undefined ? null : toStored(row));
    },

    list({ organisationId, limit, beforeNumber, state, dialect }) {
      const before = beforeNumber ?? Number.MAX_SAFE_INTEGER;
      return Promise.resolve(page.all(organisationId, before, state, dialect, limit).map(toStored));
    },

    search(query) {
      const { rows, total, hasMore } = searchEndpoints(database, columns, query);
      return Promise.resolve({ endpoints: rows.map(toStored), total, hasMore });
    },

    pendingVerifications: (now, limit) =>
      Promise.resolve(unverified.all(now.toISOString(), limit).map(toStored)),

    replace: (stored) =>
      database.write(() => {
        const { endpoint, sealed, writes } = stored;
        const { id, organisationId, uid, state } = endpoint;
        const { changes } = withUniqueUid(uid, () =>
          replace.run(uid, state, JSON.stringify(endpoint), sealed, id, organisationId, writes),
        );
        if (changes === 0) return null;
        recordChange(organisationId);
        return { ...stored, writes: writes + 1 };
      }),

    delete: ({ endpoint, writes }) =>
      database.write(() => {
        if (remove.run(endpoint.id, endpoint.organisationId, writes).changes === 0) return false;
        recordChange(endpoint.organisationId);
        return true;
      }),

    namesAny: (organisationId, patterns) =>
      Promise.resolve(listening.get(organisationId, JSON.stringify(patterns)) !== undefined),

    deleteSome: (organisationId, limit) =>
      database.write(() => {
        const removed = Number(removeSome.run(organisationId, limit).changes);
        if (removed > 0) recordChange(organisationId);
        return removed;
      }),
  };
}

function toStored(row: Record<string, unknown>): StoredEndpoint {
  const dates = ['verificationExpiresAt', 'createdAt', 'updatedAt'] as const;
  const endpoint = parseDocument<Endpoint>(row['document'], dates);
  return {
    endpoint: { ...endpoint, number: Number(row['number']) },
    sealed: String(row['sealed']),
    writes: Number(row['writes']),
  };
}

function withUniqueUid<T>(uid: string | null, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw isUniqueViolation(error) ? taken('/uid', `Another endpoint has the uid "${uid}".`, error) : error;
  }
}

import { idFloor, type AuditRecord, type AuditResult, type ErrorCode } from '@posthorn/models';
import type { SqliteDatabase, Statement } from '@posthorn/sqlite';
import { boundsOf, type AuditStore } from './audit-store.ts';
import { parseDocument } from '../stores/document.sqlite.ts';

/** What an action's end may change is in columns, the rest of a record in its document. */
export function createSqliteAuditStore(database: SqliteDatabase): AuditStore {
  const insert = database.prepare(
    `INSERT INTO config_audit (id, organisation_id, actor_id, action, resource_id, result, document)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const end = database.prepare(
    `UPDATE config_audit SET result = ?, error_code = ?, resource_id = coalesce(?, resource_id)
     WHERE id = ? AND result = 'unknown'`,
  );
  /** One statement for each set of filters, so that each finds its index. */
  const pages = new Map<string, Statement>();

  function pageBy(columns: readonly string[]): Statement {
    const key = columns.join();
    let page = pages.get(key);
    if (page === undefined) {
      page = database.prepare(
        `SELECT resource_id, result, error_code, document FROM config_audit
         WHERE id > ? AND id < ? ${columns.map((column) => `AND ${column} = ?`).join(' ')}
         ORDER BY id DESC LIMIT ?`,
      );
      pages.set(key, page);
    }
    return page;
  }

  const sweep = database.prepare(
    'DELETE FROM config_audit WHERE id IN (SELECT id FROM config_audit WHERE id < ? ORDER BY id LIMIT ?)',
  );

  return {
    begin: (record) =>
      database.write(() => {
        const { id, organisationId, actor, action, resourceId, result } = record;
        insert.run(id, organisationId, actor.id, action, resourceId, result, JSON.stringify(record));
      }),

    end: (id, { result, errorCode, resourceId }) =>
      database.write(() => {
        end.run(result, errorCode, resourceId, id);
      }),

    list(search) {
      const { above, below } = boundsOf(search);
      const filters = Object.entries({
        organisation_id: search.organisationId,
        actor_id: search.actorId,
        action: search.action,
        resource_id: search.resourceId,
        result: search.result,
      }).filter((filter): filter is [string, string] => filter[1] !== null);
      const rows = pageBy(filters.map(([column]) => column)).all(
        above,
        below,
        ...filters.map(([, value]) => value),
        search.limit,
      );
      return Promise.resolve(rows.map(toRecord));
    },

    sweep: (before, limit) =>
      database.write(() => Number(sweep.run(idFloor(before.getTime()), limit).changes)),
  };
}

function toRecord(row: Record<string, unknown>): AuditRecord {
  const { resource_id: resourceId, result, error_code: errorCode, document } = row;
  return {
    ...parseDocument<AuditRecord>(document, ['occurredAt']),
    resourceId: resourceId as string | null,
    result: result as AuditResult,
    errorCode: errorCode as ErrorCode | null,
  };
}

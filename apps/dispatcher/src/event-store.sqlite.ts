import type { SqliteDatabase } from '@posthorn/sqlite';
import { eventFromRow, type EventRow } from '@posthorn/event-log';
import type { EventFilter, EventStore } from './event-store.ts';
import { Conditions } from './delivery-lists.sqlite.ts';
import { scanPage } from './scan-pages.sqlite.ts';

/** Events in the embedded database: the log's own table, so what was read from it is on record and claimed already. */
export function createSqliteEventStore(database: SqliteDatabase): EventStore {
  const selectOne = database.prepare<EventRow>('SELECT * FROM events WHERE organisation_id = ? AND id = ?');
  const deleteOld = database.prepare(
    `DELETE FROM events WHERE position IN (SELECT position FROM events
       WHERE organisation_id = ? AND accepted_at < ? ORDER BY position LIMIT ?)`,
  );
  const nextOrganisation = database.prepare(
    'SELECT organisation_id FROM events WHERE organisation_id > ? ORDER BY organisation_id LIMIT 1',
  );

  return {
    claim: async (batch) => batch.events.map(() => (batch.mayRepeat ? 'repeat' : 'new')),

    async get(organisationId, id) {
      const row = selectOne.get(organisationId, id);
      return row === undefined ? null : eventFromRow(row);
    },

    list(filter, page) {
      const where = new Conditions();
      where.equals('type', filter.type);
      where.equals('subject', filter.subject);
      where.equals('idempotency_key', filter.idempotencyKey);
      where.between('accepted_at', filter.after, filter.before);
      whereLabels(where, filter);
      const query = {
        table: 'events',
        key: 'position',
        range: 'organisation_id = ?',
        rangeParameters: [filter.organisationId],
        ...where.done(),
      };
      return scanPage<EventRow, ReturnType<typeof eventFromRow>>(database, query, page, eventFromRow);
    },

    sweep: (organisationId, before, limit) =>
      database.writeStatement(() => Number(deleteOld.run(organisationId, before.getTime(), limit).changes)),

    async organisations(after, limit) {
      const ids: string[] = [];
      for (let from = after; ids.length < limit;) {
        const id = nextOrganisation.get(from)?.['organisation_id'];
        if (typeof id !== 'string') break;
        ids.push(id);
        from = id;
      }
      return ids;
    },
  };
}

function whereLabels(where: Conditions, { labels = {} }: EventFilter): void {
  for (const [name, value] of Object.entries(labels)) {
    where.sql(`EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND value = ?)`, name, value);
  }
}

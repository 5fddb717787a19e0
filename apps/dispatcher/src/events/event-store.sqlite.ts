import type { SqliteDatabase } from '@posthorn/sqlite';
import { eventFromRow, type EventRow } from '@posthorn/event-log';
import { idFloor } from '@posthorn/models';
import type { EventFilter, EventStore } from './event-store.ts';
import { Conditions, organisationsOf } from '../deliveries/delivery-lists.sqlite.ts';
import { endOfIds, mergeWalks, scanPage, walkIndex } from '../deliveries/scan-pages.sqlite.ts';

/** Events in the embedded database: the log's own table, so what was read from it is on record and claimed already. */
export function createSqliteEventStore(database: SqliteDatabase): EventStore {
  const selectOne = database.prepare<EventRow>('SELECT * FROM events WHERE organisation_id = ? AND id = ?');
  const selectPlace = database.prepare<{ position: number; unread: number }>(
    'SELECT position, unread FROM events WHERE organisation_id = ? AND id = ?',
  );
  const deleteOld = (place: 'id' | 'key') =>
    database.prepare(
      `DELETE FROM events WHERE position IN (SELECT position FROM events
         WHERE organisation_id = ? AND ${place} < ? AND accepted_at < ? AND (key IS NOT NULL) = ${place === 'key'}
         ORDER BY ${place} LIMIT ?)`,
    );
  const deleteOldById = deleteOld('id');
  const deleteOldByKey = deleteOld('key');

  return {
    claim: async (batch) => batch.events.map(() => (batch.mayRepeat ? 'repeat' : 'new')),

    async get(organisationId, id) {
      const row = selectOne.get(organisationId, id);
      return row === undefined ? null : eventFromRow(row);
    },

    async placeOf(organisationId, id) {
      const place = selectPlace.get(organisationId, id);
      return place === undefined ? null : { partition: 0, position: place.unread === 1 ? 0 : place.position };
    },

    list(filter, page) {
      const where = new Conditions();
      where.equals('type', filter.type);
      where.equals('subject', filter.subject);
      where.equals('idempotency_key', filter.idempotencyKey);
      where.between('accepted_at', filter.after, filter.before);
      whereLabels(where, filter);
      const range = 'organisation_id = ?';
      const walkOf = (key: 'id' | 'key') =>
        walkIndex(database, { table: 'events', key, range }, [filter.organisationId]);
      where.equals('organisation_id', filter.organisationId);
      const query = { ...eventScan, walk: mergeWalks([walkOf('id'), walkOf('key')]), ...where.done() };
      return scanPage<EventRow, ReturnType<typeof eventFromRow>>(database, query, page, eventFromRow);
    },

    sweep: (organisationId, before, limit) =>
      database.write(() => {
        const time = before.getTime();
        const byId = Number(deleteOldById.run(organisationId, idFloor(time), time, limit).changes);
        const left = limit - byId;
        return byId + Number(deleteOldByKey.run(organisationId, idFloor(time), time, left).changes);
      }),

    organisations: async (after, limit) => organisationsOf(database, 'events', { after, limit }),
  };
}

/** Events are listed by their key, which is their id unless the producer chose that. */
const eventScan = {
  table: 'events',
  key: 'coalesce(key, id)',
  keyOf: (row: EventRow) => row.key ?? row.id,
  among: `(id IN (SELECT value FROM json_each(?1)) AND key IS NULL OR key IN (SELECT value FROM json_each(?1)))`,
  end: endOfIds,
};

function whereLabels(where: Conditions, { labels = {} }: EventFilter): void {
  for (const [name, value] of Object.entries(labels)) {
    where.sql(`EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ? AND value = ?)`, name, value);
  }
}

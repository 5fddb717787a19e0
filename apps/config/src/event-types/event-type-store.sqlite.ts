import type { EventType } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import { parseDocument } from '../stores/document.sqlite.ts';
import type { EventTypeStore } from './event-type-store.ts';
import type { RecordChange } from '../directory/revision-store.sqlite.ts';
import { tooMany } from '../stores/store-errors.ts';

export function createSqliteEventTypeStore(
  database: SqliteDatabase,
  recordChange: RecordChange,
): EventTypeStore {
  const insert = database.prepare(
    'INSERT INTO config_event_types (organisation_id, name, created_at, document) VALUES (?, ?, ?, ?)',
  );
  const byName = database.prepare(
    'SELECT document FROM config_event_types WHERE organisation_id = ? AND name = ?',
  );
  const count = database.prepare(
    'SELECT count(*) AS types FROM config_event_types WHERE organisation_id = ?',
  );
  const page = database.prepare(
    `SELECT document FROM config_event_types WHERE organisation_id = ? AND (created_at, name) < (?, ?)
     ORDER BY created_at DESC, name DESC LIMIT ?`,
  );
  const update = database.prepare(
    'UPDATE config_event_types SET document = ? WHERE organisation_id = ? AND name = ?',
  );
  const remove = database.prepare('DELETE FROM config_event_types WHERE organisation_id = ? AND name = ?');
  const removeSome = database.prepare(
    'DELETE FROM config_event_types WHERE rowid IN (SELECT rowid FROM config_event_types WHERE organisation_id = ? LIMIT ?)',
  );

  function find(organisationId: string, name: string): EventType | null {
    const row = byName.get(organisationId, name);
    return row === undefined ? null : toEventType(row);
  }

  function replace(next: EventType): void {
    update.run(JSON.stringify(next), next.organisationId, next.name);
    recordChange(next.organisationId);
  }

  return {
    put: (eventType, maxPerOrganisation) =>
      database.write(() => {
        const { organisationId, name, createdAt } = eventType;
        const present = find(organisationId, name);
        if (present !== null) {
          const next: EventType = { ...eventType, createdAt: present.createdAt };
          replace(next);
          return { eventType: next, created: false };
        }
        if (Number(count.get(organisationId)?.['types']) >= maxPerOrganisation) {
          throw tooMany('event types', maxPerOrganisation);
        }
        insert.run(organisationId, name, createdAt.getTime(), JSON.stringify(eventType));
        recordChange(organisationId);
        return { eventType, created: true };
      }),

    find: (organisationId, name) => Promise.resolve(find(organisationId, name)),

    list: ({ organisationId, limit, after }) => {
      const createdAt = after?.createdAt.getTime() ?? Number.MAX_SAFE_INTEGER;
      return Promise.resolve(page.all(organisationId, createdAt, after?.name ?? '', limit).map(toEventType));
    },

    update: (organisationId, name, changes) =>
      database.write(() => {
        const present = find(organisationId, name);
        if (present === null) return null;
        const next: EventType = { ...present, ...changes };
        replace(next);
        return next;
      }),

    delete: (organisationId, name) =>
      database.write(() => {
        if (remove.run(organisationId, name).changes === 0) return false;
        recordChange(organisationId);
        return true;
      }),

    deleteSome: (organisationId, limit) =>
      database.write(() => {
        const removed = Number(removeSome.run(organisationId, limit).changes);
        if (removed > 0) recordChange(organisationId);
        return removed;
      }),
  };
}

function toEventType(row: Record<string, unknown>): EventType {
  return parseDocument<EventType>(row['document'], ['createdAt', 'updatedAt']);
}

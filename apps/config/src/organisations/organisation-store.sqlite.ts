import type { Organisation } from '@posthorn/models';
import { isUniqueViolation, type SqliteDatabase } from '@posthorn/sqlite';
import { parseDocument } from '../stores/document.sqlite.ts';
import { completeOrganisation, type OrganisationStore } from './organisation-store.ts';
import type { RecordChange } from '../directory/revision-store.sqlite.ts';
import { taken } from '../stores/store-errors.ts';

/** No id is below nothing, every id is below this. */
const afterEveryId = '~';

export function createSqliteOrganisationStore(
  database: SqliteDatabase,
  recordChange: RecordChange,
): OrganisationStore {
  const insert = database.prepare('INSERT INTO config_organisations (id, slug, document) VALUES (?, ?, ?)');
  const byId = database.prepare('SELECT document FROM config_organisations WHERE id = ?');
  const bySlug = database.prepare('SELECT document FROM config_organisations WHERE slug = ?');
  const page = database.prepare(
    'SELECT document FROM config_organisations WHERE id < ? ORDER BY id DESC LIMIT ?',
  );
  const update = database.prepare('UPDATE config_organisations SET slug = ?, document = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM config_organisations WHERE id = ?');

  return {
    insert: (organisation) =>
      database.write(() => {
        withUniqueSlug(organisation.slug, () =>
          insert.run(organisation.id, organisation.slug, JSON.stringify(organisation)),
        );
        recordChange(organisation.id);
      }),

    find(idOrSlug) {
      const row = byId.get(idOrSlug) ?? bySlug.get(idOrSlug);
      return Promise.resolve(row === undefined ? null : toOrganisation(row));
    },

    list: ({ limit, beforeId }) =>
      Promise.resolve(page.all(beforeId ?? afterEveryId, limit).map(toOrganisation)),

    update: (id, changes) =>
      database.write(() => {
        const row = byId.get(id);
        if (row === undefined) return null;
        const next: Organisation = { ...toOrganisation(row), ...changes };
        withUniqueSlug(next.slug, () => update.run(next.slug, JSON.stringify(next), id));
        recordChange(id);
        return next;
      }),

    delete: (id) =>
      database.write(() => {
        if (remove.run(id).changes === 0) return false;
        recordChange(id);
        return true;
      }),
  };
}

function toOrganisation(row: Record<string, unknown>): Organisation {
  return completeOrganisation(parseDocument<Organisation>(row['document'], ['createdAt', 'updatedAt']));
}

function withUniqueSlug(slug: string, run: () => unknown): void {
  try {
    run();
  } catch (error) {
    throw isUniqueViolation(error) ? taken('/slug', `The slug "${slug}" is taken.`) : error;
  }
}

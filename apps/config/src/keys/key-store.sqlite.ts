import type { ApiKey } from '@posthorn/models';
import { isUniqueViolation, type SqliteDatabase } from '@posthorn/sqlite';
import { parseDocument } from '../stores/document.sqlite.ts';
import { completeKey, type KeyPage, type KeyStore, type StoredKey } from './key-store.ts';
import { taken, tooMany } from '../stores/store-errors.ts';

const afterEveryId = '~';

export function createSqliteKeyStore(database: SqliteDatabase): KeyStore {
  const columns = 'document, last_used_at';
  const insert = database.prepare(
    'INSERT INTO config_keys (id, organisation_id, token_sha256, last_used_at, document) VALUES (?, ?, ?, ?, ?)',
  );
  const byId = database.prepare(`SELECT ${columns} FROM config_keys WHERE id = ?`);
  const byToken = database.prepare(`SELECT ${columns} FROM config_keys WHERE token_sha256 = ?`);
  const count = database.prepare('SELECT count(*) AS keys FROM config_keys WHERE organisation_id IS ?');
  const pageOfAll = database.prepare(
    `SELECT ${columns} FROM config_keys WHERE id < ? ORDER BY id DESC LIMIT ?`,
  );
  const pageOfOwner = database.prepare(
    `SELECT ${columns} FROM config_keys WHERE organisation_id IS ? AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  const update = database.prepare('UPDATE config_keys SET document = ? WHERE id = ?');
  const touch = database.prepare(
    'UPDATE config_keys SET last_used_at = ?2 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2',
  );
  const remove = database.prepare('DELETE FROM config_keys WHERE id = ?');
  const removeSome = database.prepare(
    'DELETE FROM config_keys WHERE rowid IN (SELECT rowid FROM config_keys WHERE organisation_id = ? LIMIT ?)',
  );

  function add({ key, tokenSha256 }: StoredKey): void {
    try {
      const lastUsedAt = key.lastUsedAt?.getTime() ?? null;
      insert.run(key.id, key.organisationId, tokenSha256, lastUsedAt, JSON.stringify(key));
    } catch (error) {
      throw isUniqueViolation(error) ? taken('/token', 'Another key has this token.', error) : error;
    }
  }

  function rows({ owner, limit, beforeId }: KeyPage): Record<string, unknown>[] {
    const before = beforeId ?? afterEveryId;
    if (owner === 'any') return pageOfAll.all(before, limit);
    return pageOfOwner.all(owner === 'operator' ? null : owner.organisationId, before, limit);
  }

  return {
    insert: (stored, maxPerOrganisation) =>
      database.write(() => {
        const present = Number(count.get(stored.key.organisationId)?.['keys']);
        if (present >= maxPerOrganisation) throw tooMany('keys', maxPerOrganisation);
        add(stored);
      }),

    put: (stored) =>
      database.write(() => {
        remove.run(stored.key.id);
        add(stored);
      }),

    find: (id) => Promise.resolve(toKey(byId.get(id))),

    findByToken: (tokenSha256) => Promise.resolve(toKey(byToken.get(tokenSha256))),

    list: (page) => Promise.resolve(rows(page).flatMap((row) => toKey(row) ?? [])),

    update: (id, changes) =>
      database.write(() => {
        const key = toKey(byId.get(id));
        if (key === null) return null;
        const next: ApiKey = { ...key, ...changes };
        update.run(JSON.stringify(next), id);
        return next;
      }),

    touch: (id, usedAt) =>
      database.writeStatement(() => {
        touch.run(id, usedAt.getTime());
      }),

    delete: (id) => database.writeStatement(() => remove.run(id).changes > 0),

    deleteSome: (organisationId, limit) =>
      database.writeStatement(() => Number(removeSome.run(organisationId, limit).changes)),
  };
}

function toKey(row: Record<string, unknown> | undefined): ApiKey | null {
  if (row === undefined) return null;
  const key = completeKey(parseDocument<ApiKey>(row['document'], ['createdAt', 'expiresAt']));
  const lastUsedAt = row['last_used_at'];
  return { ...key, lastUsedAt: lastUsedAt === null ? null : new Date(Number(lastUsedAt)) };
}

import { idFloor } from '@posthorn/models';
import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import { placedAtOnce, type FeedStore, type LateDelivery } from './feed-store.ts';
import { createSqliteReplayStore } from '../replays/replay-store.sqlite.ts';

/** Few deliveries are late, so their table and its indexes cost the others nothing. */
export const feedMigrations: Migrations = {
  owner: 'feed',
  steps: [
    `CREATE TABLE feed_horizons (
       partition INTEGER PRIMARY KEY,
       epoch INTEGER NOT NULL,
       at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE feed_late (
       delivery_id TEXT PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       endpoint_id TEXT NOT NULL,
       place INTEGER
     ) STRICT, WITHOUT ROWID;
     CREATE UNIQUE INDEX feed_late_placed ON feed_late (organisation_id, endpoint_id, place) WHERE place IS NOT NULL;
     CREATE INDEX feed_late_unplaced ON feed_late (organisation_id, endpoint_id, delivery_id) WHERE place IS NULL;
     CREATE INDEX feed_late_by_time ON feed_late (organisation_id, delivery_id);`,
  ],
};

/** Feeds on the embedded database. */
export function createSqliteFeedStore(database: SqliteDatabase): FeedStore {
  const { walkDeliveries, findDeliveries } = createSqliteReplayStore(database);
  const openOne = database.prepare<{ at: number }>(
    `INSERT INTO feed_horizons (partition, epoch, at) VALUES (?, ?, 0)
     ON CONFLICT (partition) DO UPDATE SET epoch = excluded.epoch WHERE epoch <= excluded.epoch RETURNING at`,
  );
  const move = database.prepare('UPDATE feed_horizons SET at = max(at, ?) WHERE partition = ? AND epoch = ?');
  const earliest = database.prepare<{ at: number | null }>('SELECT min(at) AS at FROM feed_horizons');
  const mark = database.prepare(
    `INSERT INTO feed_late (delivery_id, organisation_id, endpoint_id) VALUES (?, ?, ?)
     ON CONFLICT (delivery_id) DO NOTHING`,
  );
  const lastPlace = database.prepare<{ place: number | null }>(
    `SELECT max(place) AS place FROM feed_late
     WHERE organisation_id = ? AND endpoint_id = ? AND place IS NOT NULL`,
  );
  const unplaced = database.prepare<{ delivery_id: string }>(
    `SELECT delivery_id FROM feed_late WHERE organisation_id = ? AND endpoint_id = ? AND place IS NULL
       AND EXISTS (SELECT 1 FROM deliveries WHERE id = delivery_id) ORDER BY delivery_id LIMIT ${placedAtOnce}`,
  );
  const place = database.prepare('UPDATE feed_late SET place = ? WHERE delivery_id = ?');
  const selectLate = database.prepare<LateDelivery>(
    `SELECT delivery_id AS id, place FROM feed_late
     WHERE organisation_id = ? AND endpoint_id = ? AND place > ? ORDER BY place LIMIT ?`,
  );
  const selectPlaces = database.prepare<{ id: string; place: number | null }>(
    `SELECT delivery_id AS id, place FROM feed_late
     WHERE delivery_id IN (SELECT value FROM json_each(?)) AND organisation_id = ?`,
  );
  const forget = database.prepare(
    `DELETE FROM feed_late WHERE delivery_id IN (SELECT delivery_id FROM feed_late
       WHERE organisation_id = ? AND delivery_id < ? ORDER BY delivery_id LIMIT ?)`,
  );

  return {
    walkDeliveries,
    findDeliveries,
    open: (partition, epoch) => database.write(() => openOne.get(partition, epoch)?.at ?? null),
    publish: (horizons) =>
      database.write(() => {
        for (const { partition, epoch, at } of horizons) move.run(at, partition, epoch);
      }),
    horizon: async () => earliest.get()?.at ?? 0,
    markLate: (deliveries) =>
      database.write(() => {
        for (const { id, organisationId, endpointId } of deliveries) mark.run(id, organisationId, endpointId);
      }),
    async placeLate({ organisationId, endpointId }) {
      const last = (): number => lastPlace.get(organisationId, endpointId)?.place ?? 0;
      // Nearly always there is none, and nothing to write.
      if (unplaced.get(organisationId, endpointId) === undefined) return last();
      return database.write(() => {
        let next = last();
        for (const row of unplaced.all(organisationId, endpointId)) place.run(++next, row.delivery_id);
        return next;
      });
    },
    late: async ({ organisationId, endpointId }, after, limit) =>
      selectLate.all(organisationId, endpointId, after, limit),
    async placesOf(organisationId, ids) {
      const rows = selectPlaces.all(JSON.stringify(ids), organisationId);
      return new Map(rows.map((row) => [row.id, row.place]));
    },
    sweep: (organisationId, before, limit) =>
      database.writeStatement(() =>
        Number(forget.run(organisationId, idFloor(before.getTime()), limit).changes),
      ),
  };
}

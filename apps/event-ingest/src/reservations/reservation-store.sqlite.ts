import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import type { Reservation, ReservationKind, ReservationStore } from './reservations.ts';

export const reservationMigrations: Migrations = {
  owner: 'event-ingest',
  steps: [
    `CREATE TABLE reservations (
       organisation_id TEXT NOT NULL,
       kind TEXT NOT NULL,
       name TEXT NOT NULL,
       event_id TEXT NOT NULL,
       digest BLOB NOT NULL,
       accepted_at INTEGER NOT NULL,
       expires_at INTEGER NOT NULL,
       PRIMARY KEY (organisation_id, kind, name)
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX reservations_by_expiry ON reservations (expires_at);`,
  ],
};

interface ReservationRow {
  readonly event_id: string;
  readonly digest: Uint8Array;
  readonly accepted_at: number;
  readonly expires_at: number;
}

/** Reservations in the embedded file: one statement takes a free name or replaces one that has expired. */
export function createSqliteReservationStore(database: SqliteDatabase): ReservationStore {
  const take = database.prepare(
    `INSERT INTO reservations (organisation_id, kind, name, event_id, digest, accepted_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (organisation_id, kind, name) DO UPDATE
       SET event_id = excluded.event_id, digest = excluded.digest,
           accepted_at = excluded.accepted_at, expires_at = excluded.expires_at
       WHERE reservations.expires_at <= excluded.accepted_at`,
  );
  const read = database.prepare<ReservationRow>(
    `SELECT event_id, digest, accepted_at, expires_at FROM reservations
     WHERE organisation_id = ? AND kind = ? AND name = ?`,
  );
  const remove = database.prepare(
    'DELETE FROM reservations WHERE organisation_id = ? AND kind = ? AND name = ? AND event_id = ? AND digest = ?',
  );
  const removeExpired = database.prepare(
    `DELETE FROM reservations WHERE (organisation_id, kind, name) IN
       (SELECT organisation_id, kind, name FROM reservations WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  );

  return {
    reserve: (reservation) =>
      database.write(() => {
        const { organisationId, kind, name, eventId, digest, acceptedAt, expiresAt } = reservation;
        const { changes } = take.run(
          organisationId,
          kind,
          name,
          eventId,
          digest,
          acceptedAt.getTime(),
          expiresAt.getTime(),
        );
        if (changes === 1) return { made: true, reservation };
        const row = read.get(organisationId, kind, name);
        if (row === undefined) throw new Error('A reservation was neither made nor there.');
        return { made: false, reservation: fromRow(organisationId, kind, name, row) };
      }),
    find({ organisationId, kind, name, acceptedAt }) {
      const row = read.get(organisationId, kind, name);
      const isFree = row === undefined || row.expires_at <= acceptedAt.getTime();
      return Promise.resolve(isFree ? null : fromRow(organisationId, kind, name, row));
    },
    async release({ organisationId, kind, name, eventId, digest }) {
      await database.writeStatement(() => remove.run(organisationId, kind, name, eventId, digest));
    },
    async sweep(now, limit) {
      const { changes } = await database.writeStatement(() => removeExpired.run(now.getTime(), limit));
      return Number(changes);
    },
  };
}

function fromRow(
  organisationId: string,
  kind: ReservationKind,
  name: string,
  row: ReservationRow,
): Reservation {
  return {
    organisationId,
    kind,
    name,
    eventId: row.event_id,
    digest: row.digest,
    acceptedAt: new Date(row.accepted_at),
    expiresAt: new Date(row.expires_at),
  };
}

import { deliveryReasons, idCeiling, idFloor } from '@posthorn/models';
import type { Migrations, SqliteDatabase } from '@posthorn/sqlite';
import { statePlace, triggerPlace } from '../deliveries/delivery-record.sqlite.ts';
import type { CancelledDelivery, ErasureStore, Tombstone } from './erasure-store.ts';

export const erasureMigrations: Migrations = {
  owner: 'erasures',
  steps: [
    `CREATE TABLE tombstones (
       number INTEGER PRIMARY KEY,
       organisation_id TEXT NOT NULL,
       kind TEXT NOT NULL,
       name TEXT NOT NULL,
       before INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE erasure_key (
       number INTEGER PRIMARY KEY CHECK (number = 1),
       key BLOB NOT NULL
     ) STRICT;`,
  ],
};

interface TombstoneRow {
  readonly number: number;
  readonly organisation_id: string;
  readonly kind: string;
  /** The event's id, or the subject's hash. */
  readonly name: string;
  readonly before: number;
}

const notEnded = [statePlace.pending, statePlace.retrying, statePlace.held].join(', ');

/** Erasing in the embedded database: rows that are removed are overwritten (open-sqlite.ts), and then the write-ahead log is emptied. */
export function createSqliteErasureStore(database: SqliteDatabase): ErasureStore {
  const insert = database.prepare(
    `INSERT INTO tombstones (number, organisation_id, kind, name, before)
     VALUES ((SELECT coalesce(max(number), 0) + 1 FROM tombstones), ?, ?, ?, ?)`,
  );
  const selectAfter = database.prepare<TombstoneRow>(
    'SELECT * FROM tombstones WHERE number > ? ORDER BY number LIMIT ?',
  );
  const insertKey = database.prepare(
    'INSERT INTO erasure_key (number, key) VALUES (1, ?) ON CONFLICT (number) DO NOTHING',
  );
  const selectKey = database.prepare<{ key: Uint8Array }>('SELECT key FROM erasure_key');
  const selectSubjects = database.prepare<{ id: string; subject: string | null; accepted_at: number }>(
    `SELECT id, subject, accepted_at FROM events INDEXED BY events_by_id
     WHERE organisation_id = ? AND id > ? ORDER BY id LIMIT ?`,
  );
  const selectDeliveries = database.prepare<{ id: string; endpoint_id: string }>(
    `SELECT id, endpoint_id FROM deliveries WHERE id >= ? AND id <= ? AND organisation_id = ? AND event_id = ?`,
  );
  const cancel = database.prepare(
    `UPDATE deliveries SET state = ${statePlace.cancelled}, reason = '${deliveryReasons.erased}', finished_at = ?
     WHERE id = ? AND state IN (${notEnded})`,
  );
  const letGo = database.prepare(
    `UPDATE deliveries SET next_attempt_at = NULL, claim = NULL, order_key = NULL, arrived = NULL,
       trigger = ${triggerPlace.schedule}
     WHERE id = ? AND (next_attempt_at IS NOT NULL OR claim IS NOT NULL OR order_key IS NOT NULL)`,
  );
  const clearResponses = database.prepare(
    `UPDATE attempts SET response_headers = NULL, response_body = NULL, response_truncated = NULL
     WHERE delivery_id = ? AND response_headers IS NOT NULL`,
  );
  const deleteEvent = database.prepare('DELETE FROM events WHERE organisation_id = ? AND id = ?');
  const deleteDead = database.prepare('DELETE FROM dead_records WHERE organisation_id = ? AND event_id = ?');
  const deleteAllDead = database.prepare('DELETE FROM dead_records WHERE organisation_id = ?');

  return {
    async addTombstone(tombstone) {
      const { organisationId, kind } = tombstone;
      const before = tombstone.kind === 'subject' ? tombstone.before.getTime() : 0;
      await database.writeStatement(() => insert.run(organisationId, kind, nameIn(tombstone), before));
    },

    tombstonesAfter: async (number, limit) =>
      selectAfter.all(number, limit).map((row) => ({ number: row.number, tombstone: tombstoneFromRow(row) })),

    async key(fresh) {
      await database.writeStatement(() => insertKey.run(fresh));
      const row = selectKey.get();
      if (row === undefined) throw new Error('the key of erasures was written and is not there');
      return row.key;
    },

    walkSubjects: async (organisationId, after, limit) =>
      selectSubjects
        .all(organisationId, after, limit)
        .map(({ id, subject, accepted_at: at }) => ({ id, subject, acceptedAt: new Date(at) })),

    erase: ({ organisationId, events, now }) =>
      database.write(() => {
        const cancelled: CancelledDelivery[] = [];
        let erased = 0;
        let responses = 0;
        for (const { id, from, to } of events) {
          const [first, last] = [idFloor(from.getTime()), idCeiling(to.getTime())];
          for (const delivery of selectDeliveries.all(first, last, organisationId, id)) {
            const isCancelled = cancel.run(now.getTime(), delivery.id).changes === 1;
            if (isCancelled) cancelled.push({ id: delivery.id, endpointId: delivery.endpoint_id });
            letGo.run(delivery.id);
            responses += Number(clearResponses.run(delivery.id).changes);
          }
          erased += Number(deleteEvent.run(organisationId, id).changes);
          deleteDead.run(organisationId, id);
        }
        return { events: erased, responses, cancelled };
      }),

    async eraseDeadRecords(organisationId) {
      await database.writeStatement(() => deleteAllDead.run(organisationId));
    },

    purgeFiles: () => database.checkpoint(),
  };
}

function nameIn(tombstone: Tombstone): string {
  switch (tombstone.kind) {
    case 'event':
      return tombstone.eventId;
    case 'subject':
      return tombstone.subjectHash;
    case 'organisation':
      return '';
  }
}

function tombstoneFromRow({ organisation_id: organisationId, kind, name, before }: TombstoneRow): Tombstone {
  switch (kind) {
    case 'event':
      return { kind, organisationId, eventId: name };
    case 'subject':
      return { kind, organisationId, subjectHash: name, before: new Date(before) };
    case 'organisation':
      return { kind, organisationId };
    default:
      throw new Error(`${kind} is no kind of tombstone`);
  }
}

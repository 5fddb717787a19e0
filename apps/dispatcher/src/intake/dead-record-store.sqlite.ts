import type { LogLoss } from '@posthorn/event-log';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { DeadRecord, DeadRecordKind, DeadRecordStore } from './dead-record-store.ts';

interface DeadRecordRow {
  readonly id: string;
  readonly kind: DeadRecordKind;
  readonly partition: number;
  readonly position: number;
  readonly organisation_id: string | null;
  readonly event_id: string | null;
  readonly delivery_id: string | null;
  readonly reason: string;
  readonly bytes: Uint8Array;
  readonly recorded_at: number;
}

interface LossRow {
  readonly partition: number;
  readonly reason: LogLoss['reason'];
  readonly from_position: number;
  readonly next_position: number;
  readonly recorded_at: number;
}

/** What was put aside, in the embedded database (tables: delivery-rows.sqlite.ts). */
export function createSqliteDeadRecordStore(database: SqliteDatabase): DeadRecordStore {
  const insert = database.prepare(
    `INSERT INTO dead_records (id, kind, partition, position, organisation_id, event_id, delivery_id, reason, bytes,
       recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const insertLoss = database.prepare(
    `INSERT INTO log_losses (partition, reason, from_position, next_position, recorded_at)
     VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  );
  const select = database.prepare<DeadRecordRow>('SELECT * FROM dead_records ORDER BY number DESC LIMIT ?');
  const selectLosses = database.prepare<LossRow>('SELECT * FROM log_losses ORDER BY number DESC LIMIT ?');
  const remove = database.prepare(
    `DELETE FROM dead_records WHERE number IN
       (SELECT number FROM dead_records WHERE recorded_at < ? ORDER BY number LIMIT ?)`,
  );

  return {
    add: async (record) => {
      await database.writeStatement(() =>
        insert.run(
          record.id,
          record.kind,
          record.partition,
          record.position,
          record.organisationId,
          record.eventId,
          record.deliveryId,
          record.reason,
          record.bytes,
          record.recordedAt.getTime(),
        ),
      );
    },
    addLoss: async ({ partition, reason, from, next, recordedAt }) => {
      await database.writeStatement(() =>
        insertLoss.run(partition, reason, from, next, recordedAt.getTime()),
      );
    },
    list: async (limit) => select.all(limit).map(recordFromRow),
    listLosses: async (limit) =>
      selectLosses.all(limit).map((row) => ({
        partition: row.partition,
        reason: row.reason,
        from: row.from_position,
        next: row.next_position,
        recordedAt: new Date(row.recorded_at),
      })),
    sweep: (before, limit) =>
      database.writeStatement(() => Number(remove.run(before.getTime(), limit).changes)),
  };
}

function recordFromRow(row: DeadRecordRow): DeadRecord {
  return {
    id: row.id,
    kind: row.kind,
    partition: row.partition,
    position: row.position,
    organisationId: row.organisation_id,
    eventId: row.event_id,
    deliveryId: row.delivery_id,
    reason: row.reason,
    bytes: row.bytes,
    recordedAt: new Date(row.recorded_at),
  };
}

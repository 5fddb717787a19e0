import { attemptOutcomes, attemptTriggers, deliveryStates, type Attempt } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { DeliveryRecord, NextPosition } from './delivery-store.ts';
import { millis } from './delivery-rows.sqlite.ts';

type Insert = Extract<DeliveryRecord, { kind: 'insert' }>;

/** Places in the model's lists, looked up once: this is the hot path. */
const statePlace = placesOf(deliveryStates);
const triggerPlace = placesOf(attemptTriggers);
const outcomePlace = placesOf(attemptOutcomes);

function placesOf<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, place) => [name, place])) as Record<T, number>;
}

/** The writing half of the store: outcomes, attempts and the books, in one transaction. */
export function createRecordWriter(database: SqliteDatabase) {
  const columns = `(id, organisation_id, event_id, event_type, endpoint_id, state, reason, attempts, next_attempt_at, trigger,
       claim, last_status, created_at, finished_at, partition, epoch, position, order_key, arrived)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const insertNew = database.prepare(`INSERT INTO deliveries ${columns} ON CONFLICT (id) DO NOTHING`);
  const insertDelivery = database.prepare(
    `INSERT INTO deliveries ${columns} ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
       attempts = max(attempts, excluded.attempts), next_attempt_at = excluded.next_attempt_at, trigger = excluded.trigger,
       claim = excluded.claim, last_status = coalesce(excluded.last_status, last_status),
       finished_at = excluded.finished_at, epoch = excluded.epoch, order_key = excluded.order_key
     WHERE deliveries.partition = excluded.partition AND deliveries.epoch < excluded.epoch AND deliveries.finished_at IS NULL`,
  );
  const updateDelivery = database.prepare(
    `UPDATE deliveries SET state = ?, reason = ?, attempts = ?, next_attempt_at = ?, trigger = ?, claim = ?,
       last_status = coalesce(?, last_status), finished_at = ?, order_key = ? WHERE id = ? AND claim = ?`,
  );
  const countAttempt = database.prepare(
    'UPDATE deliveries SET attempts = max(attempts, ?), last_status = ? WHERE id = ?',
  );
  const insertAttempt = database.prepare(
    `INSERT INTO attempts (delivery_id, number, organisation_id, event_id, event_type, endpoint_id, trigger, started_at,
       duration_ms, outcome, status, error, response_headers, response_body, response_truncated, address, signature)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery_id, number) DO NOTHING`,
  );
  const writePosition = database.prepare('UPDATE leases SET next = ? WHERE partition = ? AND epoch = ?');

  function writeAttempt(attempt: Attempt): void {
    const { response } = attempt;
    insertAttempt.run(
      attempt.deliveryId,
      attempt.number,
      attempt.organisationId,
      attempt.eventId,
      attempt.eventType,
      attempt.endpointId,
      triggerPlace[attempt.trigger],
      attempt.startedAt.getTime(),
      attempt.durationMs,
      outcomePlace[attempt.outcome],
      attempt.status,
      attempt.error,
      response === null ? null : JSON.stringify(response.headers),
      response === null ? null : response.body,
      response === null ? null : response.truncated ? 1 : 0,
      attempt.address,
      attempt.signature,
    );
  }

  type Placed = Pick<Insert, 'delivery' | 'partition' | 'epoch' | 'order' | 'claim'>;

  function insertWith(
    statement: typeof insertNew,
    { delivery, partition, epoch, order, claim }: Placed,
    lastStatus: number | null,
  ): void {
    statement.run(
      delivery.id,
      delivery.organisationId,
      delivery.eventId,
      delivery.eventType,
      delivery.endpointId,
      statePlace[delivery.state],
      delivery.reason,
      delivery.attempts,
      millis(delivery.nextAttemptAt),
      triggerPlace[delivery.trigger],
      claim,
      lastStatus,
      delivery.createdAt.getTime(),
      millis(delivery.finishedAt),
      partition,
      epoch,
      order === null ? null : order.position,
      order === null ? null : order.key,
      epoch === 0 && claim === null ? 1 : null,
    );
  }

  function write(record: DeliveryRecord): void {
    const { delivery, attempt } = record;
    if (record.kind === 'insert') {
      insertWith(insertDelivery, record, attempt?.status ?? null);
    } else {
      const { changes } = updateDelivery.run(
        statePlace[delivery.state],
        delivery.reason,
        delivery.attempts,
        millis(delivery.nextAttemptAt),
        triggerPlace[delivery.trigger],
        record.claim,
        attempt?.status ?? null,
        millis(delivery.finishedAt),
        record.order === null ? null : record.order.key,
        delivery.id,
        record.expectedClaim,
      );
      if (changes === 0 && attempt !== null) countAttempt.run(attempt.number, attempt.status, delivery.id);
    }
    if (attempt !== null) writeAttempt(attempt);
  }

  return {
    /** Puts a delivery on record if it isn't there yet. Call it inside a write job. */
    insertNew: (placed: Placed): void => insertWith(insertNew, placed, null),
    record: (records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void> =>
      database.write(() => {
        for (const record of records) write(record);
        for (const { partition, epoch, next } of books) writePosition.run(next, partition, epoch);
      }),
  };
}

export { outcomePlace, statePlace, triggerPlace };

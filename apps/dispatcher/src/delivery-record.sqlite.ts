import {
  attemptOutcomes,
  attemptTriggers,
  deliveryStates,
  type Attempt,
  type Delivery,
} from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { DeliveryRecord, NextPosition } from './delivery-store.ts';
import { millis } from './delivery-rows.sqlite.ts';

/** Places in the model's lists, looked up once: this is the hot path. */
const statePlace = placesOf(deliveryStates);
const triggerPlace = placesOf(attemptTriggers);
const outcomePlace = placesOf(attemptOutcomes);

function placesOf<T extends string>(names: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(names.map((name, place) => [name, place])) as Record<T, number>;
}

/** The writing half of the store: outcomes, attempts and the books, in one transaction. */
export function createRecordWriter(database: SqliteDatabase) {
  const insertDelivery = database.prepare(
    `INSERT INTO deliveries (id, organisation_id, event_id, event_type, endpoint_id, state, reason, attempts,
       next_attempt_at, trigger, claim, last_status, created_at, finished_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  );
  const updateDelivery = database.prepare(
    `UPDATE deliveries SET state = ?, reason = ?, attempts = ?, next_attempt_at = ?, trigger = ?, claim = ?,
       last_status = coalesce(?, last_status), finished_at = ? WHERE id = ? AND claim = ?`,
  );
  const countAttempt = database.prepare(
    'UPDATE deliveries SET attempts = max(attempts, ?), last_status = ? WHERE id = ?',
  );
  const insertAttempt = database.prepare(
    `INSERT INTO attempts (delivery_id, number, organisation_id, event_id, event_type, endpoint_id, trigger, started_at,
       duration_ms, outcome, status, error, response_headers, response_body, response_truncated, address, signature)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery_id, number) DO NOTHING`,
  );
  const writePosition = database.prepare(
    'INSERT INTO log_positions (partition, next) VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET next = excluded.next',
  );

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

  function insert(delivery: Delivery, claim: string | null, lastStatus: number | null): void {
    insertDelivery.run(
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
    );
  }

  function write(record: DeliveryRecord): void {
    const { delivery, attempt } = record;
    if (record.kind === 'insert') {
      insert(delivery, record.claim, attempt?.status ?? null);
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
        delivery.id,
        record.expectedClaim,
      );
      if (changes === 0 && attempt !== null) countAttempt.run(attempt.number, attempt.status, delivery.id);
    }
    if (attempt !== null) writeAttempt(attempt);
  }

  return {
    /** Puts a delivery on record that isn't there yet. Call it inside a write job. */
    insert,
    record: (records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void> =>
      database.write(() => {
        for (const record of records) write(record);
        for (const { partition, next } of books) writePosition.run(partition, next);
      }),
  };
}

export { outcomePlace, statePlace, triggerPlace };

import { deliveryStates, isFinal } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import { statePlace, triggerPlace } from './delivery-record.sqlite.ts';
import { named, type DeliveryRow } from './delivery-rows.sqlite.ts';
import type { DeliveryStore, KeyHead, PromotedKeys, PromoteRequest } from './delivery-store.ts';

const waiting = [statePlace.pending, statePlace.retrying, statePlace.held].join(', ');

/** The half of the store that keeps deliveries in the order of their keys. */
export function createDeliveryKeys(
  database: SqliteDatabase,
): Pick<DeliveryStore, 'promote' | 'promoteKeys' | 'holdKey'> {
  const first = database.prepare<DeliveryRow>(
    `SELECT id, state, next_attempt_at, trigger FROM deliveries
     WHERE partition = ? AND endpoint_id = ? AND order_key = ? ORDER BY position LIMIT 1`,
  );
  const setDue = database.prepare('UPDATE deliveries SET next_attempt_at = ? WHERE id = ?');
  const letGo = database.prepare('UPDATE deliveries SET order_key = NULL WHERE id = ?');
  const nextKey = database.prepare<DeliveryRow & { order_key: string }>(
    `SELECT organisation_id, endpoint_id, order_key FROM deliveries
     WHERE partition = ? AND order_key IS NOT NULL AND (endpoint_id, order_key) > (?, ?)
     ORDER BY endpoint_id, order_key, position LIMIT 1`,
  );
  const hold = database.prepare(
    `UPDATE deliveries SET state = ${statePlace.held}, reason = ?1 WHERE id IN (SELECT id FROM deliveries
       WHERE partition = ?2 AND endpoint_id = ?3 AND order_key = ?4 AND state IN (${waiting}) AND reason IS NOT ?1
       AND claim IS NULL AND next_attempt_at IS NULL ORDER BY position LIMIT ?5)`,
  );

  function promote({ partition, endpointId, key, now, release }: PromoteRequest): KeyHead | null {
    for (;;) {
      const row = first.get(partition, endpointId, key);
      if (row === undefined) return null;
      const deliveryId = row.id;
      if (row.next_attempt_at !== null) {
        return { kind: 'due', deliveryId, dueAt: new Date(row.next_attempt_at) };
      }
      // What has ended and was asked for again has another trigger than the schedule's until that attempt has been made.
      if (isFinal(named(deliveryStates, row.state)) && row.trigger === triggerPlace.schedule) {
        if (!release) return { kind: 'blocked', deliveryId };
        letGo.run(deliveryId);
        continue;
      }
      setDue.run(now.getTime(), deliveryId);
      return { kind: 'due', deliveryId, dueAt: now };
    }
  }

  return {
    promote: (request) => database.write(() => promote(request)),

    promoteKeys: ({ partition, now, after, limit }) =>
      database.write(() => {
        const keys: PromotedKeys['keys'][number][] = [];
        let place = after;
        for (let count = 0; count < limit; count += 1) {
          const row = nextKey.get(partition, place?.endpointId ?? '', place?.key ?? '');
          if (row === undefined) return { keys, next: null };
          const { organisation_id: organisationId, endpoint_id: endpointId, order_key: key } = row;
          place = { endpointId, key };
          const head = promote({ organisationId, endpointId, partition, key, now, release: false });
          if (head !== null) keys.push({ key: { organisationId, endpointId, partition, key }, head });
        }
        return { keys, next: place };
      }),

    holdKey: ({ partition, endpointId, key, reason, limit }) =>
      database.writeStatement(() => Number(hold.run(reason, partition, endpointId, key, limit).changes)),
  };
}

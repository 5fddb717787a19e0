import type { SqliteDatabase } from '@posthorn/sqlite';
import type { DeliveryHomes, MoveRequest } from './delivery-homes.ts';
import { triggerPlace } from './delivery-record.sqlite.ts';
import type { DeliveryRow } from './delivery-rows.sqlite.ts';

/** The half of the store that brings deliveries home, and tells the owner there. */
export function createDeliveryHomes(database: SqliteDatabase): DeliveryHomes {
  const arrived = database.prepare<DeliveryRow>(
    `SELECT id, organisation_id, endpoint_id, partition, next_attempt_at, order_key, trigger FROM deliveries
     WHERE arrived IS NOT NULL AND partition IN (SELECT value FROM json_each(?)) LIMIT ?`,
  );
  const told = database.prepare('UPDATE deliveries SET arrived = NULL WHERE id = ?');
  // Its epoch was one of the partition that it leaves.
  const moveFree = database.prepare(
    `UPDATE deliveries SET partition = ?1, epoch = 0, arrived = 1 WHERE id IN (SELECT id FROM deliveries
       WHERE partition = ?2 AND endpoint_id = ?3 AND organisation_id = ?4 AND next_attempt_at IS NOT NULL
         AND order_key IS NULL AND claim IS NULL LIMIT ?5)`,
  );
  const nextKey = database.prepare<{ order_key: string }>(
    `SELECT order_key FROM deliveries WHERE partition = ? AND endpoint_id = ? AND organisation_id = ? AND order_key > ?
     ORDER BY order_key LIMIT 1`,
  );
  const line = database.prepare<DeliveryRow>(
    `SELECT id, claim FROM deliveries
     WHERE partition = ? AND endpoint_id = ? AND organisation_id = ? AND order_key = ? ORDER BY position`,
  );
  const moveOne = database.prepare(
    `UPDATE deliveries SET partition = ?, epoch = 0, arrived = 1,
       next_attempt_at = CASE ? WHEN 1 THEN next_attempt_at ELSE NULL END WHERE id = ?`,
  );
  const firstInOrder = database.prepare(
    `SELECT 1 FROM deliveries
     WHERE partition = ?1 AND endpoint_id = ?2 AND organisation_id = ?3 AND order_key = ?4 LIMIT 1`,
  );
  const anyInOrder = database.prepare(
    `SELECT 1 FROM deliveries
     WHERE partition = ?1 AND endpoint_id = ?2 AND organisation_id = ?3 AND order_key IS NOT NULL LIMIT 1`,
  );

  function moveLine(
    { organisationId, endpointId, to }: MoveRequest,
    { partition, orderKey }: { readonly partition: number; readonly orderKey: string },
    limit: number,
  ): number {
    const rows = line.all(partition, endpointId, organisationId, orderKey);
    if (rows.some(({ claim }) => claim !== null)) return 0;
    let isFirst = firstInOrder.get(to, endpointId, organisationId, orderKey) === undefined;
    const moving = rows.slice(0, limit);
    for (const { id } of moving) {
      moveOne.run(to, isFirst ? 1 : 0, id);
      isFirst = false;
    }
    return moving.length;
  }

  function move(request: MoveRequest): number {
    const { organisationId, endpointId, from, to, key, limit } = request;
    let moved = 0;
    for (const partition of from) {
      if (key === undefined) {
        const { changes } = moveFree.run(to, partition, endpointId, organisationId, limit - moved);
        moved += Number(changes);
      }
      let orderKey = key ?? nextKey.get(partition, endpointId, organisationId, '')?.order_key;
      while (orderKey !== undefined && moved < limit) {
        moved += moveLine(request, { partition, orderKey }, limit - moved);
        orderKey =
          key === undefined
            ? nextKey.get(partition, endpointId, organisationId, orderKey)?.order_key
            : undefined;
      }
    }
    return moved;
  }

  return {
    async takeArrivals(partitions, limit) {
      const rows = arrived.all(JSON.stringify(partitions), limit);
      if (rows.length === 0) return [];
      await database.write(() => {
        for (const { id } of rows) told.run(id);
      });
      return rows.map((row) => ({
        organisationId: row.organisation_id,
        endpointId: row.endpoint_id,
        partition: row.partition,
        dueAt: row.next_attempt_at === null ? null : new Date(row.next_attempt_at),
        key: row.order_key,
        isScheduled: row.trigger === triggerPlace.schedule,
      }));
    },
    moveWaiting: (request) => database.write(() => move(request)),
    hasInOrder: ({ organisationId, endpointId, partition, key }) =>
      Promise.resolve(
        (key === null
          ? anyInOrder.get(partition, endpointId, organisationId)
          : firstInOrder.get(partition, endpointId, organisationId, key)) !== undefined,
      ),
  };
}

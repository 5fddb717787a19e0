import { attemptOutcomes, deliveryReasons, idFloor, type Delivery } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { EventRow } from '@posthorn/event-log';
import type { AttemptScan, ClaimNowRequest, DeliveryStore, RecordedHealth } from './delivery-store.ts';
import { elsewhere } from './delivery-elsewhere.ts';
import { createDeliveryHomes } from './delivery-homes.sqlite.ts';
import { createDeliveryKeys } from './delivery-keys.sqlite.ts';
import { deliveryFromRow, isHeld, named, type DeliveryRow } from './delivery-rows.sqlite.ts';
import { createRecordWriter, outcomePlace, statePlace, triggerPlace } from './delivery-record.sqlite.ts';
import { createDeliveryLists, endpointsOf, organisationsOf } from './delivery-lists.sqlite.ts';
import { createWaiting } from './delivery-waiting.sqlite.ts';

/** How far back health looks, and how far waiting deliveries are counted. */
const healthWindow = 200;
const waitingCountLimit = 10_000;
const scanSlice = 1000;

const waitingStates = [statePlace.pending, statePlace.retrying, statePlace.held].join(', ');

/** Deliveries and attempts in the embedded database (tables: delivery-rows.sqlite.ts). */
export function createSqliteDeliveryStore(database: SqliteDatabase): DeliveryStore {
  const writer = createRecordWriter(database);
  const lists = createDeliveryLists(database);

  const selectId = database.prepare('SELECT 1 FROM deliveries WHERE id = ?');
  const selectOne = database.prepare<DeliveryRow>(
    'SELECT * FROM deliveries WHERE organisation_id = ? AND id = ?',
  );
  const selectEvent = database.prepare<EventRow>('SELECT * FROM events WHERE organisation_id = ? AND id = ?');
  const takeNow = database.prepare(
    `UPDATE deliveries SET trigger = ?1, claim = ?2, next_attempt_at = ?3, partition = ?6, arrived = NULL
     WHERE organisation_id = ?4 AND id = ?5 AND (claim IS NULL OR partition = ?6)`,
  );
  const leaveToOwner = database.prepare(
    `UPDATE deliveries SET trigger = ?, next_attempt_at = ?, partition = ?, arrived = 1
     WHERE organisation_id = ? AND id = ? AND claim IS NULL`,
  );
  const waitInOrder = database.prepare(
    `UPDATE deliveries SET trigger = ?1, order_key = ?2, position = ?3,
       next_attempt_at = CASE WHEN next_attempt_at IS NULL OR claim IS NOT NULL THEN next_attempt_at ELSE ?4 END,
       partition = CASE WHEN claim IS NULL THEN ?7 ELSE partition END,
       arrived = CASE WHEN claim IS NULL THEN ?8 ELSE arrived END
     WHERE organisation_id = ?5 AND id = ?6`,
  );
  const cancelOne = database.prepare(
    `UPDATE deliveries SET state = ${statePlace.cancelled}, reason = 'cancelled', next_attempt_at = NULL, claim = NULL,
       order_key = NULL, finished_at = ? WHERE organisation_id = ? AND id = ? AND state IN (${waitingStates})`,
  );
  const leaveOut = database.prepare(
    `UPDATE deliveries SET reason = '${deliveryReasons.endpointDisabled}'
     WHERE organisation_id = ? AND id = ? AND state NOT IN (${waitingStates})`,
  );
  const expireHeld = database.prepare(
    `UPDATE deliveries SET state = ${statePlace.cancelled}, reason = '${deliveryReasons.payloadExpired}',
       finished_at = ?, order_key = NULL
     WHERE id IN (SELECT id FROM deliveries WHERE organisation_id = ? AND id < ? AND ${isHeld}
                  AND claim IS NULL AND next_attempt_at IS NULL ORDER BY id LIMIT ?)`,
  );
  const scanAttempts = database.prepare(
    `SELECT position, started_at, duration_ms, outcome FROM attempts
     WHERE organisation_id = ? AND endpoint_id = ? AND position < ? ORDER BY position DESC LIMIT ${scanSlice}`,
  );
  const lastSuccess = database.prepare<{ started_at: number }>(
    `SELECT started_at FROM (SELECT started_at, outcome FROM attempts WHERE organisation_id = ? AND endpoint_id = ?
       ORDER BY position DESC LIMIT ${scanSlice}) WHERE outcome = ${outcomePlace.success} LIMIT 1`,
  );
  const lastAttempts = database.prepare<{ started_at: number; outcome: number }>(
    `SELECT started_at, outcome FROM attempts
     WHERE organisation_id = ? AND endpoint_id = ? ORDER BY position DESC LIMIT ${healthWindow}`,
  );
  const selectWaiting = database.prepare<{ waiting: number; oldest: number | null }>(
    `SELECT count(*) AS waiting, min(created_at) AS oldest FROM (SELECT created_at FROM deliveries
       WHERE partition IN (SELECT 0 UNION SELECT partition FROM leases) AND endpoint_id = ?1 AND organisation_id = ?2
         AND next_attempt_at IS NOT NULL
       UNION ALL SELECT created_at FROM deliveries
       WHERE partition IN (SELECT 0 UNION SELECT partition FROM leases) AND endpoint_id = ?1 AND organisation_id = ?2
         AND order_key IS NOT NULL AND next_attempt_at IS NULL LIMIT ${waitingCountLimit})`,
  );
  const oldDeliveries = database.prepare<{ id: string }>(
    'SELECT id FROM deliveries WHERE organisation_id = ? AND endpoint_id = ? AND id < ? ORDER BY id LIMIT ?',
  );
  const deleteAttempts = database.prepare('DELETE FROM attempts WHERE delivery_id = ?');
  const deleteDelivery = database.prepare('DELETE FROM deliveries WHERE id = ?');

  function readBack(organisationId: string, id: string): Delivery {
    const row = selectOne.get(organisationId, id);
    if (row === undefined) throw new Error(`delivery ${id} was written and is not there`);
    return deliveryFromRow(row);
  }

  function takeAtOnce(request: ClaimNowRequest): Delivery {
    const { delivery, partition, order, trigger } = request;
    const { organisationId, id } = delivery;
    if (order === null) {
      writer.insertNew({ ...request, claim: null });
      const { claim, claimedUntil, now } = request;
      const place = triggerPlace[trigger];
      if (claim === null) leaveToOwner.run(place, now.getTime(), partition, organisationId, id);
      else if (
        takeNow.run(place, claim, claimedUntil.getTime(), organisationId, id, partition).changes === 0
      ) {
        throw elsewhere();
      }
    } else {
      writer.insertNew({ ...request, delivery: { ...delivery, nextAttemptAt: null }, claim: null });
      const now = request.now.getTime();
      const arrived = request.claim === null ? 1 : null;
      const place = [triggerPlace[trigger], order.key, order.position] as const;
      waitInOrder.run(...place, now, organisationId, id, partition, arrived);
    }
    return readBack(organisationId, id);
  }

  return {
    record: writer.record,
    findRecorded: async (deliveries) =>
      new Set(deliveries.map(({ id }) => id).filter((id) => selectId.get(id) !== undefined)),
    ...createWaiting(database, (row) => selectEvent.get(row.organisation_id, row.event_id)),
    ...createDeliveryKeys(database),
    ...createDeliveryHomes(database),
    claimNow: (request) => database.write(() => takeAtOnce(request)),

    async get(organisationId, id) {
      const row = selectOne.get(organisationId, id);
      return row === undefined ? null : lists.withLast(row);
    },
    listDeliveries: lists.listDeliveries,
    listAttempts: lists.listAttempts,

    async cancel(organisationId, id, now) {
      const changed = await database.writeStatement(
        () => cancelOne.run(now.getTime(), organisationId, id).changes,
      );
      if (changed === 0) return null;
      return readBack(organisationId, id);
    },

    async leaveOut(organisationId, id) {
      await database.writeStatement(() => leaveOut.run(organisationId, id));
      const row = selectOne.get(organisationId, id);
      return row === undefined ? null : deliveryFromRow(row);
    },

    async *scanAttempts({ organisationId, endpointId, after, before }: AttemptScan) {
      for (let position = Number.MAX_SAFE_INTEGER; ;) {
        const rows = scanAttempts.all(organisationId, endpointId, position) as {
          position: number;
          started_at: number;
          duration_ms: number;
          outcome: number;
        }[];
        const oldest = rows.at(-1);
        if (oldest === undefined) return;
        position = oldest.position;
        yield rows
          .filter((row) => row.started_at >= after.getTime() && row.started_at < before.getTime())
          .map((row) => ({
            startedAt: row.started_at,
            durationMs: row.duration_ms,
            outcome: named(attemptOutcomes, row.outcome),
          }));
        if (rows.length < scanSlice || oldest.started_at < after.getTime() - 120_000) return;
        await new Promise(setImmediate);
      }
    },

    async health(organisationId, endpointId): Promise<RecordedHealth> {
      const last = lastAttempts.all(organisationId, endpointId);
      const successAt = last.findIndex((row) => row.outcome === outcomePlace.success);
      const failures = successAt === -1 ? last.length : successAt;
      // Only an endpoint that has failed for long is looked further back for.
      const success =
        successAt === -1 && last.length === healthWindow
          ? lastSuccess.get(organisationId, endpointId)?.started_at
          : last[successAt]?.started_at;
      const failingSince = failures === 0 ? undefined : last[failures - 1]?.started_at;
      const { waiting = 0, oldest = null } = selectWaiting.get(endpointId, organisationId) ?? {};
      return {
        consecutiveFailures: failures,
        failingSince: failingSince === undefined ? null : new Date(failingSince),
        lastSuccessAt: success === undefined ? null : new Date(success),
        waiting,
        oldestWaitingAt: oldest === null ? null : new Date(oldest),
      };
    },

    expireHeld: ({ organisationId, before, now, limit }) =>
      database.writeStatement(() =>
        Number(expireHeld.run(now.getTime(), organisationId, idFloor(before.getTime()), limit).changes),
      ),

    sweep: (organisationId, before, limit) =>
      database.write(() => {
        let removed = 0;
        for (const endpointId of endpointsOf(database, 'deliveries', organisationId)) {
          const old = idFloor(before.getTime());
          for (const { id } of oldDeliveries.all(organisationId, endpointId, old, limit - removed)) {
            deleteAttempts.run(id);
            deleteDelivery.run(id);
            removed += 1;
          }
          if (removed === limit) break;
        }
        return removed;
      }),

    organisations: async (after, limit) => organisationsOf(database, 'deliveries', { after, limit }),
  };
}

import { attemptOutcomes, idFloor, type Delivery } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import { eventFromRow, type EventRow } from '@posthorn/event-log';
import type {
  AttemptScan,
  ClaimedDue,
  ClaimNowRequest,
  ClaimRequest,
  DeliveryStore,
  RecordedHealth,
  SettleRequest,
  WaitingLane,
} from './delivery-store.ts';
import { deliveryFromRow, named, type DeliveryRow } from './delivery-rows.sqlite.ts';
import { createRecordWriter, outcomePlace, statePlace, triggerPlace } from './delivery-record.sqlite.ts';
import { createDeliveryLists, endpointsOf, organisationsOf } from './delivery-lists.sqlite.ts';

/** How far back health looks, and how far waiting deliveries are counted. */
const healthWindow = 200;
const waitingCountLimit = 10_000;
const scanSlice = 1000;

const waitingStates = [statePlace.pending, statePlace.retrying, statePlace.held].join(', ');

/** Deliveries and attempts in the embedded database (tables: delivery-rows.sqlite.ts). */
export function createSqliteDeliveryStore(database: SqliteDatabase): DeliveryStore {
  const writer = createRecordWriter(database);
  const lists = createDeliveryLists(database);

  const selectNext = database.prepare('SELECT next FROM log_positions WHERE partition = ?');
  const selectId = database.prepare('SELECT 1 FROM deliveries WHERE id = ?');
  const selectOne = database.prepare<DeliveryRow>(
    'SELECT * FROM deliveries WHERE organisation_id = ? AND id = ?',
  );
  const releaseAll = database.prepare(
    `UPDATE deliveries SET claim = NULL, next_attempt_at = ? WHERE claim IS NOT NULL`,
  );
  const nextLane = database.prepare<DeliveryRow>(
    `SELECT organisation_id, endpoint_id, next_attempt_at FROM deliveries
     WHERE next_attempt_at IS NOT NULL AND endpoint_id > ? ORDER BY endpoint_id, next_attempt_at LIMIT 1`,
  );
  const selectDue = database.prepare<DeliveryRow>(
    `SELECT * FROM deliveries WHERE endpoint_id = ? AND next_attempt_at IS NOT NULL AND next_attempt_at <= ?
     AND claim IS NOT ? ORDER BY next_attempt_at LIMIT ?`,
  );
  const nextDue = database.prepare(
    `SELECT min(next_attempt_at) AS due FROM deliveries
     WHERE endpoint_id = ? AND next_attempt_at IS NOT NULL AND claim IS NOT ?`,
  );
  const setClaim = database.prepare('UPDATE deliveries SET claim = ?, next_attempt_at = ? WHERE id = ?');
  const selectEvent = database.prepare<EventRow>('SELECT * FROM events WHERE organisation_id = ? AND id = ?');
  /** What has ended and was to be attempted once more, on demand, stays as it ended. */
  const settle = database.prepare(
    `UPDATE deliveries SET state = CASE WHEN state IN (${waitingStates}) THEN ?1 ELSE state END,
       reason = CASE WHEN state IN (${waitingStates}) THEN ?2 ELSE reason END,
       finished_at = CASE WHEN state IN (${waitingStates}) THEN ?3 ELSE finished_at END,
       next_attempt_at = NULL, claim = NULL
     WHERE id IN (SELECT id FROM deliveries WHERE endpoint_id = ?4 AND next_attempt_at IS NOT NULL
                  AND claim IS NULL AND organisation_id = ?5 LIMIT ?6)`,
  );
  const takeNow = database.prepare(
    'UPDATE deliveries SET trigger = ?, claim = ?, next_attempt_at = ? WHERE organisation_id = ? AND id = ?',
  );
  const cancelOne = database.prepare(
    `UPDATE deliveries SET state = ${statePlace.cancelled}, reason = 'cancelled', next_attempt_at = NULL, claim = NULL,
       finished_at = ? WHERE organisation_id = ? AND id = ? AND state IN (${waitingStates})`,
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
       WHERE endpoint_id = ? AND organisation_id = ? AND next_attempt_at IS NOT NULL LIMIT ${waitingCountLimit})`,
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

  function claimRows(request: ClaimRequest): ClaimedDue {
    const { endpointId, now, claim, limit } = request;
    const rows = selectDue.all(endpointId, now.getTime(), claim, limit);
    const due: ClaimedDue['due'][number][] = [];
    let bytes = 0;
    for (const row of rows) {
      if (bytes > request.maxBytes) break;
      setClaim.run(claim, request.claimedUntil.getTime(), row.id);
      const event = selectEvent.get(row.organisation_id, row.event_id);
      bytes += event?.payload.byteLength ?? 0;
      due.push({ delivery: deliveryFromRow(row), event: event === undefined ? null : eventFromRow(event) });
    }
    const next = nextDue.get(endpointId, claim)?.['due'] as number | null | undefined;
    return { due, nextDueAt: next === null || next === undefined ? null : new Date(next) };
  }

  function claimAtOnce({ deliveries, trigger, claim, claimedUntil }: ClaimNowRequest): Delivery[] {
    return deliveries.map((delivery) => {
      writer.insert(delivery, null, null);
      takeNow.run(triggerPlace[trigger], claim, claimedUntil.getTime(), delivery.organisationId, delivery.id);
      return readBack(delivery.organisationId, delivery.id);
    });
  }

  return {
    record: writer.record,
    nextPosition: async (partition) => Number(selectNext.get(partition)?.['next'] ?? 1),
    findRecorded: async (ids) => new Set(ids.filter((id) => selectId.get(id) !== undefined)),
    releaseClaims: (now) => database.writeStatement(() => Number(releaseAll.run(now.getTime()).changes)),

    async waitingLanes() {
      const lanes: WaitingLane[] = [];
      for (let after = ''; ;) {
        const row = nextLane.get(after);
        if (row === undefined) return lanes;
        after = row.endpoint_id;
        lanes.push({
          organisationId: row.organisation_id,
          endpointId: row.endpoint_id,
          dueAt: new Date(row.next_attempt_at ?? 0),
        });
        if (lanes.length % 100 === 0) await new Promise(setImmediate);
      }
    },

    claimDue: (request) => database.write(() => claimRows(request)),
    claimNow: (request) => database.write(() => claimAtOnce(request)),

    settleWaiting: (request: SettleRequest) =>
      database.writeStatement(() =>
        Number(
          settle.run(
            statePlace[request.state],
            request.reason,
            request.state === 'cancelled' ? request.now.getTime() : null,
            request.endpointId,
            request.organisationId,
            request.limit,
          ).changes,
        ),
      ),

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

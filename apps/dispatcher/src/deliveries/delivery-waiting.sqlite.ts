import { eventFromRow, type EventRow } from '@posthorn/event-log';
import { deliveryStates } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import { statePlace, triggerPlace } from './delivery-record.sqlite.ts';
import {
  deliveryFromRow,
  isVerification,
  named,
  orderFromRow,
  type DeliveryRow,
} from './delivery-rows.sqlite.ts';
import type {
  Bucket,
  ClaimedDelivery,
  ClaimedDue,
  ClaimRequest,
  DeliveryStore,
  SettleRequest,
  WaitingLane,
} from './delivery-store.ts';
import { blockedReason } from '../lanes/endpoint-order.ts';
import { followersEach, withoutGap } from '../lanes/key-followers.ts';

const notEnded = [statePlace.pending, statePlace.retrying, statePlace.held].join(', ');
/** What blocks its key, and what is held for that. */
const isBlocked = `(next_attempt_at IS NULL AND
  (state NOT IN (${notEnded}) AND trigger = ${triggerPlace.schedule} OR reason IS '${blockedReason}'))`;

interface Candidate {
  readonly row: DeliveryRow;
  readonly claim: string;
}

/** The half of the store that brings back what waits. */
export function createWaiting(
  database: SqliteDatabase,
  eventOf: (row: DeliveryRow) => EventRow | undefined,
): Pick<DeliveryStore, 'releaseClaims' | 'waitingLanes' | 'claimDue' | 'settleWaiting'> {
  const release = database.prepare(
    `UPDATE deliveries SET claim = NULL, next_attempt_at = CASE WHEN next_attempt_at IS NULL THEN NULL ELSE ?2 END
     WHERE partition = ?1 AND claim IS NOT NULL AND claim NOT IN (SELECT value FROM json_each(?3))`,
  );
  const nextLane = database.prepare<DeliveryRow>(
    `SELECT organisation_id, endpoint_id, next_attempt_at FROM deliveries
     WHERE partition = ? AND next_attempt_at IS NOT NULL AND endpoint_id > ? ORDER BY endpoint_id, next_attempt_at LIMIT 1`,
  );
  const isFree = '(claim IS NULL OR claim NOT IN (SELECT value FROM json_each(?3)))';
  const prepareDue = (which: string) => ({
    select: database.prepare<DeliveryRow>(
      `SELECT * FROM deliveries WHERE partition = ?1 AND endpoint_id = ?2 AND next_attempt_at IS NOT NULL
       AND ${which} AND next_attempt_at <= ?4 AND ${isFree} ORDER BY next_attempt_at LIMIT ?5`,
    ),
    next: database.prepare<{ due: number | null }>(
      `SELECT min(next_attempt_at) AS due FROM deliveries
       WHERE partition = ?1 AND endpoint_id = ?2 AND next_attempt_at IS NOT NULL AND ${which} AND ${isFree}`,
    ),
  });
  const everything = prepareDue('TRUE');
  /** From a partial index of its own: what waits meanwhile may be much. */
  const verification = prepareDue(isVerification);
  const behind = database.prepare<DeliveryRow>(
    `SELECT * FROM deliveries WHERE partition = ? AND endpoint_id = ? AND order_key = ? AND position > ?
     ORDER BY position LIMIT ?`,
  );
  const setClaim = database.prepare('UPDATE deliveries SET claim = ?, next_attempt_at = ? WHERE id = ?');
  /** What has ended and was to be attempted once more, on demand, stays as it ended. */
  const settleSql = (which: string): string =>
    `UPDATE deliveries SET state = CASE WHEN state IN (${notEnded}) THEN ?1 ELSE state END,
       reason = CASE WHEN state IN (${notEnded}) THEN ?2 ELSE reason END,
       finished_at = CASE WHEN state IN (${notEnded}) THEN ?3 ELSE finished_at END,
       next_attempt_at = NULL, order_key = NULL
     WHERE id IN (SELECT id FROM deliveries WHERE partition = ?7 AND endpoint_id = ?4 AND ${which}
                  AND claim IS NULL AND organisation_id = ?5 LIMIT ?6)`;
  const settleDue = database.prepare(settleSql('next_attempt_at IS NOT NULL'));
  const settleInOrder = database.prepare(settleSql('order_key IS NOT NULL'));
  const holdInOrder = database.prepare(settleSql(`order_key IS NOT NULL AND NOT ${isBlocked}`));

  /** What waits behind heads, as far as it may follow them. */
  function followersOf(heads: readonly Candidate[], followers: number): readonly Candidate[] {
    const asked = heads.map(({ row }) => ({ attempts: row.attempts, order: orderFromRow(row) }));
    const each = followersEach(asked, followers);
    if (each === 0) return [];
    return heads.flatMap(({ row: { partition, endpoint_id, order_key, position, attempts }, claim }) => {
      if (order_key === null || position === null || attempts > 0) return [];
      const line = behind.all(partition, endpoint_id, order_key, position, each);
      const following = withoutGap(line, (row) => ({
        state: named(deliveryStates, row.state),
        isDue: row.next_attempt_at !== null,
        isClaimed: row.claim !== null,
      }));
      return following.map((row) => ({ row, claim }));
    });
  }

  function claimRows(request: ClaimRequest): ClaimedDue {
    const { endpointId, buckets, now, limit, maxBytes, claimedUntil } = request;
    const waiting = request.verificationOnly ? verification : everything;
    const nextDueOf = ({ partition, inHands }: Bucket): number =>
      waiting.next.get(partition, endpointId, JSON.stringify(inHands))?.due ?? Infinity;
    const rows = buckets.flatMap(({ partition, claim, inHands }) =>
      waiting.select
        .all(partition, endpointId, JSON.stringify(inHands), now.getTime(), limit)
        .map((row) => ({ row, claim })),
    );
    if (buckets.length > 1) {
      rows.sort((a, b) => (a.row.next_attempt_at ?? 0) - (b.row.next_attempt_at ?? 0));
    }
    const due: ClaimedDelivery[] = [];
    let bytes = 0;
    const claimRow = ({ row, claim }: Candidate, isBehind: boolean): void => {
      setClaim.run(claim, isBehind ? null : claimedUntil.getTime(), row.id);
      const event = eventOf(row);
      bytes += event?.payload.byteLength ?? 0;
      due.push({
        delivery: deliveryFromRow(row),
        event: event === undefined ? null : eventFromRow(event),
        partition: row.partition,
        order: orderFromRow(row),
        ...(isBehind && { isBehind }),
      });
    };
    const heads: Candidate[] = [];
    for (const head of rows.slice(0, limit)) {
      if (bytes > maxBytes) break;
      claimRow(head, false);
      heads.push(head);
    }
    for (const follower of followersOf(heads, request.followers ?? 0)) {
      if (bytes > maxBytes) break;
      claimRow(follower, true);
    }
    const next = Math.min(...buckets.map(nextDueOf));
    return { due, nextDueAt: next === Infinity ? null : new Date(next) };
  }

  function settleRows(request: SettleRequest): number {
    let changed = 0;
    for (const partition of request.partitions) {
      const inOrder = request.state === 'held' ? holdInOrder : settleInOrder;
      for (const statement of [settleDue, inOrder]) {
        const { changes } = statement.run(
          statePlace[request.state],
          request.reason,
          request.state === 'cancelled' ? request.now.getTime() : null,
          request.endpointId,
          request.organisationId,
          request.limit - changed,
          partition,
        );
        changed += Number(changes);
      }
    }
    return changed;
  }

  return {
    releaseClaims: ({ partition, keep, now }) =>
      database.writeStatement(() =>
        Number(release.run(partition, now.getTime(), JSON.stringify(keep)).changes),
      ),

    async waitingLanes(partitions) {
      const lanes = new Map<string, WaitingLane>();
      let seen = 0;
      for (const partition of partitions) {
        for (let after = ''; ;) {
          const row = nextLane.get(partition, after);
          if (row === undefined) break;
          after = row.endpoint_id;
          const dueAt = new Date(row.next_attempt_at ?? 0);
          const known = lanes.get(after);
          if (known === undefined || known.dueAt > dueAt) {
            lanes.set(after, { organisationId: row.organisation_id, endpointId: after, dueAt });
          }
          if (++seen % 100 === 0) await new Promise(setImmediate);
        }
      }
      return [...lanes.values()].sort((a, b) => (a.endpointId < b.endpointId ? -1 : 1));
    },

    claimDue: (request) => database.write(() => claimRows(request)),
    settleWaiting: (request) => database.write(() => settleRows(request)),
  };
}

import { eventFromRow, type EventRow } from '@posthorn/event-log';
import { idCeiling, idFloor } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import { statePlace, triggerPlace } from '../deliveries/delivery-record.sqlite.ts';
import { deliveryFromRow, type DeliveryRow } from '../deliveries/delivery-rows.sqlite.ts';
import type { EventWalk, KeyedPlace, PlacedEvent, ReplayableDelivery, ReplayStore } from './replay-store.ts';

type Row = DeliveryRow & { readonly last_status: number | null };
type PlacedRow = EventRow & { readonly unread: number };

/** How far the time of an event's key may be from its acceptance (sqlite-event-log.ts). */
const keyToleranceMs = 60_000;

/** Replays on the embedded database, whose events stand in one partition, 0. */
export function createSqliteReplayStore(database: SqliteDatabase): ReplayStore {
  const walk = database.prepare<Row>(
    `SELECT * FROM deliveries WHERE organisation_id = ? AND endpoint_id = ? AND id > ? AND id <= ?
     ORDER BY id LIMIT ?`,
  );
  const among = database.prepare<Row>(
    'SELECT * FROM deliveries WHERE id IN (SELECT value FROM json_each(?)) AND organisation_id = ?',
  );
  const selectPlaces = database.prepare<PlacedRow>(
    `SELECT id, position, unread, ordering_key FROM events
     WHERE organisation_id = ? AND id IN (SELECT value FROM json_each(?))`,
  );
  // Events are listed by their ids, unless the producer chose these: then by keys of ours.
  const walkIds = database.prepare<PlacedRow>(
    `SELECT * FROM events WHERE organisation_id = ? AND id > ? AND id <= ? AND key IS NULL ORDER BY id LIMIT ?`,
  );
  const walkKeys = database.prepare<PlacedRow>(
    `SELECT * FROM events WHERE organisation_id = ? AND key > ? AND key <= ? ORDER BY key LIMIT ?`,
  );
  const isWanted = `organisation_id = ? AND id = ? AND claim IS NULL AND state IN (SELECT value FROM json_each(?))`;
  const makeDue = database.prepare(
    `UPDATE deliveries SET trigger = ?, next_attempt_at = ? WHERE ${isWanted}`,
  );
  const makeDueInOrder = database.prepare(
    `UPDATE deliveries SET trigger = ?, order_key = ?, position = ?,
       arrived = CASE WHEN ? THEN arrived ELSE 1 END,
       next_attempt_at = CASE WHEN next_attempt_at IS NULL THEN NULL ELSE ? END WHERE ${isWanted}`,
  );
  const countDue = database.prepare<{ waiting: number }>(
    `SELECT count(*) AS waiting FROM (SELECT 1 FROM deliveries
       WHERE partition IN (SELECT 0 UNION SELECT partition FROM leases) AND endpoint_id = ?1 AND organisation_id = ?2 AND next_attempt_at <= ?3
       UNION ALL SELECT 1 FROM deliveries
       WHERE partition IN (SELECT 0 UNION SELECT partition FROM leases) AND endpoint_id = ?1 AND organisation_id = ?2 AND order_key IS NOT NULL
         AND next_attempt_at IS NULL LIMIT ?4)`,
  );

  function walkEvents({ organisationId, after, since, until, limit }: EventWalk) {
    const from = after === '' ? idFloor(since.getTime() - keyToleranceMs) : after;
    const to = idCeiling(until.getTime() + keyToleranceMs);
    const rows = [walkIds, walkKeys].flatMap((one) => one.all(organisationId, from, to, limit));
    rows.sort((a, b) => (placeIn(a) < placeIn(b) ? -1 : 1));
    const slice = rows.slice(0, limit);
    const last = slice.at(-1);
    return {
      events: slice
        .filter((row) => row.unread === 0)
        .filter((row) => row.accepted_at >= since.getTime() && row.accepted_at < until.getTime())
        .map((row): PlacedEvent => ({ event: eventFromRow(row), partition: 0, position: row.position })),
      next: last === undefined || slice.length < limit ? null : placeIn(last),
    };
  }

  return {
    walkDeliveries: async ({ organisationId, endpointId, after, to, limit }) =>
      walk.all(organisationId, endpointId, after, to, limit).map(replayable),
    walkEvents: async (request) => walkEvents(request),
    async findDeliveries(organisationId, ids) {
      const rows = among.all(JSON.stringify(ids), organisationId);
      return new Map(rows.map((row) => [row.id, replayable(row)]));
    },
    async placesOf(organisationId, eventIds) {
      const rows = selectPlaces.all(organisationId, JSON.stringify(eventIds));
      return new Map(
        rows.map(({ id, unread, position, ordering_key: orderingKey }): [string, KeyedPlace] => [
          id,
          { partition: 0, position: unread === 1 ? 0 : position, orderingKey },
        ]),
      );
    },
    makeDue: ({ items, states, trigger, now }) =>
      database.write(() => {
        const wanted = JSON.stringify(states.map((state) => statePlace[state]));
        const [purpose, dueAt] = [triggerPlace[trigger], now.getTime()];
        const made = items.filter(({ organisationId, id, order, isOurs }) => {
          const which = [dueAt, organisationId, id, wanted] as const;
          const { changes } =
            order === null
              ? makeDue.run(purpose, ...which)
              : makeDueInOrder.run(purpose, order.key, order.position, isOurs ? 1 : 0, ...which);
          return changes > 0;
        });
        return new Set(made.map(({ id }) => id));
      }),
    backlog: async ({ organisationId, endpointId }, now, limit) =>
      countDue.get(endpointId, organisationId, now.getTime(), limit)?.waiting ?? 0,
  };
}

function replayable(row: Row): ReplayableDelivery {
  return { delivery: deliveryFromRow(row), lastStatus: row.last_status };
}

function placeIn({ key, id }: EventRow): string {
  return key ?? id;
}

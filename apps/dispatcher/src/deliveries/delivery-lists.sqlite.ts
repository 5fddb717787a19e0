import { idCeiling, idFloor, type Attempt } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { AttemptFilter, DeliveryFilter, DeliveryWithLast, Page, PageRequest } from './delivery-store.ts';
import {
  attemptFromRow,
  deliveryFromRow,
  type AttemptRow,
  type DeliveryRow,
} from './delivery-rows.sqlite.ts';
import { outcomePlace, statePlace } from './delivery-record.sqlite.ts';
import {
  endOfIds,
  mergeWalks,
  scanPage,
  walkIndex,
  type KeyWalk,
  type ScanQuery,
} from './scan-pages.sqlite.ts';

/** The listing half of the store: lists walk an index, newest first. */
export function createDeliveryLists(database: SqliteDatabase) {
  const selectLast = database.prepare<AttemptRow>(
    'SELECT * FROM attempts WHERE delivery_id = ? ORDER BY number DESC LIMIT 1',
  );

  function withLast(row: DeliveryRow): DeliveryWithLast {
    const last = row.attempts === 0 ? undefined : selectLast.get(row.id);
    return { delivery: deliveryFromRow(row), lastAttempt: last === undefined ? null : attemptFromRow(last) };
  }

  function listDeliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<DeliveryWithLast>> {
    const where = new Conditions();
    where.equals('event_type', filter.eventType);
    where.oneOf(
      'state',
      filter.states?.map((state) => statePlace[state]),
    );
    where.statusClass('last_status', filter.statusClass);
    where.between('created_at', filter.after, filter.before);
    const query = { ...deliveryScan, walk: walkDeliveries(filter, where), ...where.done() };
    return scanPage<DeliveryRow, DeliveryWithLast>(database, query, page, withLast);
  }

  function listAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    const where = new Conditions();
    where.equals('event_type', filter.eventType);
    where.equals('outcome', filter.outcome === undefined ? undefined : outcomePlace[filter.outcome]);
    where.statusClass('status', filter.statusClass);
    where.between('started_at', filter.after, filter.before);
    const query = { ...attemptScan, walk: walkAttempts(filter, where), ...where.done() };
    return scanPage<AttemptRow, Attempt>(database, query, page, attemptFromRow);
  }

  function walkDeliveries({ organisationId, endpointId, event }: DeliveryFilter, where: Conditions): KeyWalk {
    if (event === undefined) return walkEndpoints(deliveryScan, organisationId, endpointId);
    where.equals('organisation_id', organisationId);
    where.equals('event_id', event.id);
    where.equals('endpoint_id', endpointId);
    const time = event.acceptedAt.getTime();
    const range = 'id >= ? AND id <= ?';
    return walkIndex(database, { ...deliveryScan, range }, [idFloor(time), idCeiling(time)]);
  }

  function walkAttempts(filter: AttemptFilter, where: Conditions): KeyWalk {
    const { organisationId, endpointId, deliveryId, event } = filter;
    if (deliveryId === undefined && event === undefined) {
      return walkEndpoints(attemptScan, organisationId, endpointId);
    }
    where.equals('organisation_id', organisationId);
    where.equals('endpoint_id', endpointId);
    where.equals('event_id', event?.id);
    if (deliveryId !== undefined) {
      return walkIndex(database, { ...attemptScan, range: 'delivery_id = ?' }, [deliveryId]);
    }
    const time = event?.acceptedAt.getTime() ?? 0;
    const range = 'delivery_id >= ? AND delivery_id <= ?';
    return walkIndex(database, { ...attemptScan, range }, [idFloor(time), idCeiling(time)]);
  }

  /**
   * One index serves the lists of an endpoint and, endpoint by endpoint, those of an organisation: every further index would
   * cost each delivery a page of its own in the write-ahead log.
   */
  function walkEndpoints(
    scan: { readonly table: string; readonly key: string },
    organisationId: string,
    endpointId: string | undefined,
  ): KeyWalk {
    const range = 'organisation_id = ? AND endpoint_id = ?';
    const endpoints =
      endpointId === undefined ? endpointsOf(database, scan.table, organisationId) : [endpointId];
    return mergeWalks(
      [...endpoints].map((one) => walkIndex(database, { ...scan, range }, [organisationId, one])),
    );
  }

  return { withLast, listDeliveries, listAttempts };
}

const deliveryScan = { table: 'deliveries', key: 'id', keyOf: (row: DeliveryRow) => row.id, end: endOfIds };
const attemptScan = {
  table: 'attempts',
  key: 'position',
  keyOf: (row: AttemptRow) => row.position,
  end: Number.MAX_SAFE_INTEGER,
};

/** The endpoints of an organisation that a table has rows of, deleted ones included, found by skipping from one to the next. */
export function* endpointsOf(
  database: SqliteDatabase,
  table: string,
  organisationId: string,
): Generator<string> {
  const next = database.prepare<{ endpoint_id: string }>(
    `SELECT endpoint_id FROM ${table} WHERE organisation_id = ? AND endpoint_id > ? ORDER BY endpoint_id LIMIT 1`,
  );
  for (
    let row = next.get(organisationId, '');
    row !== undefined;
    row = next.get(organisationId, row.endpoint_id)
  ) {
    yield row.endpoint_id;
  }
}

/** The organisations that a table has rows of, in the order of their ids, found by skipping from one to the next. */
export function organisationsOf(
  database: SqliteDatabase,
  table: 'deliveries' | 'events',
  { after, limit }: { readonly after: string; readonly limit: number },
): readonly string[] {
  const next = database.prepare<{ organisation_id: string }>(
    `SELECT organisation_id FROM ${table} WHERE organisation_id > ? ORDER BY organisation_id LIMIT 1`,
  );
  const ids: string[] = [];
  for (
    let row = next.get(after);
    row !== undefined && ids.length < limit;
    row = next.get(row.organisation_id)
  ) {
    ids.push(row.organisation_id);
  }
  return ids;
}

/** Collects conditions with their parameters; what is undefined asks for nothing. */
export class Conditions {
  readonly #sql: string[] = [];
  readonly #parameters: (string | number)[] = [];

  equals(column: string, value: string | number | undefined): void {
    if (value !== undefined) this.sql(`${column} = ?`, value);
  }

  oneOf(column: string, values: readonly (string | number)[] | undefined): void {
    if (values === undefined || values.length === 0) return;
    this.sql(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  }

  /** The same for lists that may be long. */
  among(column: string, values: readonly string[]): void {
    if (values.length === 0) return;
    this.sql(`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values));
  }

  statusClass(column: string, statusClass: number | undefined): void {
    if (statusClass === undefined) return;
    this.sql(`${column} BETWEEN ? AND ?`, statusClass * 100, statusClass * 100 + 99);
  }

  between(column: string, after: Date | undefined, before: Date | undefined): void {
    if (after !== undefined) this.sql(`${column} > ?`, after.getTime());
    if (before !== undefined) this.sql(`${column} < ?`, before.getTime());
  }

  sql(condition: string, ...parameters: (string | number)[]): void {
    this.#sql.push(condition);
    this.#parameters.push(...parameters);
  }

  done(): Pick<ScanQuery<unknown>, 'conditions' | 'conditionParameters'> {
    return { conditions: this.#sql, conditionParameters: this.#parameters };
  }
}

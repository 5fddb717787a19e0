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
import { scanPage, type ScanQuery } from './scan-pages.sqlite.ts';

/** The listing half of the store: every list walks one index, newest first. */
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
    const query = { table: 'deliveries', key: 'id', ...deliveryRange(filter, where), ...where.done() };
    return scanPage<DeliveryRow, DeliveryWithLast>(database, query, page, withLast);
  }

  function listAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    const where = new Conditions();
    where.equals('event_type', filter.eventType);
    where.equals('outcome', filter.outcome === undefined ? undefined : outcomePlace[filter.outcome]);
    where.statusClass('status', filter.statusClass);
    where.between('started_at', filter.after, filter.before);
    const query = { table: 'attempts', key: 'position', ...attemptRange(filter, where), ...where.done() };
    return scanPage<AttemptRow, Attempt>(database, query, page, attemptFromRow);
  }

  return { withLast, listDeliveries, listAttempts };
}

type Range = Pick<ScanQuery, 'range' | 'rangeParameters'>;

function deliveryRange(filter: DeliveryFilter, where: Conditions): Range {
  const { organisationId, endpointId, event } = filter;
  if (event !== undefined) {
    where.equals('organisation_id', organisationId);
    where.equals('event_id', event.id);
    where.equals('endpoint_id', endpointId);
    const time = event.acceptedAt.getTime();
    return { range: 'id >= ? AND id <= ?', rangeParameters: [idFloor(time), idCeiling(time)] };
  }
  if (endpointId !== undefined) {
    where.equals('organisation_id', organisationId);
    return { range: 'endpoint_id = ?', rangeParameters: [endpointId] };
  }
  return { range: 'organisation_id = ?', rangeParameters: [organisationId] };
}

function attemptRange(filter: AttemptFilter, where: Conditions): Range {
  const { organisationId, endpointId, deliveryId, event } = filter;
  if (deliveryId !== undefined) {
    where.equals('organisation_id', organisationId);
    where.equals('endpoint_id', endpointId);
    where.equals('event_id', event?.id);
    return { range: 'delivery_id = ?', rangeParameters: [deliveryId] };
  }
  if (event !== undefined) {
    where.equals('organisation_id', organisationId);
    where.equals('endpoint_id', endpointId);
    where.equals('event_id', event.id);
    const time = event.acceptedAt.getTime();
    return {
      range: 'delivery_id >= ? AND delivery_id <= ?',
      rangeParameters: [idFloor(time), idCeiling(time)],
    };
  }
  if (endpointId !== undefined) {
    where.equals('organisation_id', organisationId);
    return { range: 'endpoint_id = ?', rangeParameters: [endpointId] };
  }
  return { range: 'organisation_id = ?', rangeParameters: [organisationId] };
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

  done(): Pick<ScanQuery, 'conditions' | 'conditionParameters'> {
    return { conditions: this.#sql, conditionParameters: this.#parameters };
  }
}

import type { SqliteDatabase } from '@posthorn/sqlite';
import type { EndpointFilter, EndpointOrder, EndpointSearch } from './endpoint-store.ts';

type Value = string | number;
type Row = Record<string, unknown>;

/** What a search found, as rows. */
export interface FoundRows {
  readonly rows: readonly Row[];
  readonly total: number;
  readonly hasMore: boolean;
}

const orderColumns = {
  created: ['id'],
  modified: ['updated_at', 'id'],
  name: ['name', 'id'],
} as const satisfies Record<EndpointOrder, readonly string[]>;

/** Searches the table of endpoints; times are compared as the text that documents hold them in. */
export function searchEndpoints(database: SqliteDatabase, columns: string, query: EndpointSearch): FoundRows {
  const { sql: where, values } = conditionsOf(query);
  const counted = database.prepare(`SELECT count(*) AS total FROM config_endpoints WHERE ${where}`);
  const total = Number(counted.get(...values)?.['total']);

  const { beside, limit, offset } = query;
  // What is nearest before something is found by walking back from it.
  const isBackward = beside?.side === 'before';
  const isDescending = query.descending !== isBackward;
  const order = orderColumns[query.orderBy].map((name) => `${name} ${isDescending ? 'DESC' : 'ASC'}`);
  const besides = beside === null ? '' : ` AND id ${isDescending ? '<' : '>'} ?`;
  const page = database.prepare(
    `SELECT ${columns} FROM config_endpoints WHERE ${where}${besides} ORDER BY ${order.join(', ')} LIMIT ? OFFSET ?`,
  );
  const found = page.all(...values, ...(beside === null ? [] : [beside.id]), limit + 1, offset);
  const rows = found.slice(0, limit);
  return { rows: isBackward ? rows.reverse() : rows, total, hasMore: found.length > limit };
}

function conditionsOf(filter: EndpointFilter): { readonly sql: string; readonly values: readonly Value[] } {
  const { organisationIds, ids, dialect, states, verifications, editionId, createdAfter, createdBefore } =
    filter;
  const parts: string[] = [];
  const values: Value[] = [];
  function add(sql: string, value: Value): void {
    parts.push(sql);
    values.push(value);
  }
  function addOneOf(column: string, wanted: readonly string[] | null): void {
    if (wanted !== null) add(`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(wanted));
  }
  addOneOf('organisation_id', organisationIds);
  addOneOf('id', ids);
  if (dialect !== null) add('dialect = ?', dialect);
  addOneOf('state', states);
  addOneOf('verification', verifications);
  if (editionId !== null) add('edition_id = ?', editionId);
  if (createdAfter !== null) {
    add(`created_at ${createdAfter.inclusive ? '>=' : '>'} ?`, createdAfter.at.toISOString());
  }
  if (createdBefore !== null) {
    add(`created_at ${createdBefore.inclusive ? '<=' : '<'} ?`, createdBefore.at.toISOString());
  }
  return { sql: parts.length === 0 ? 'TRUE' : parts.join(' AND '), values };
}

import { DomainError } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { Page, PageRequest } from './delivery-store.ts';

/**
 * Lists walk an index backwards in slices and give the event loop back between them, so that a filter that matches
 * little can't stop the process. After `maxScanned` rows a page ends early, with a cursor to go on from.
 */
export interface ScanQuery {
  readonly table: string;
  /** The unique column that gives the order, newest last. */
  readonly key: string;
  /** Which rows the walk goes over: SQL that one index answers. */
  readonly range: string;
  readonly rangeParameters: readonly (string | number)[];
  /** Which of them are wanted: any SQL conditions, AND-ed. */
  readonly conditions: readonly string[];
  readonly conditionParameters: readonly (string | number)[];
}

const slice = 1000;
const maxScanned = 200_000;

type Row = Record<string, unknown>;
type Key = string | number;

export async function scanPage<R, T>(
  database: SqliteDatabase,
  query: ScanQuery,
  page: PageRequest,
  fromRow: (row: R) => T,
): Promise<Page<T>> {
  const { table, key, range } = query;
  const below = `${range} AND ${key} < ?`;
  const edge = database.prepare(
    `SELECT min(k) AS last, count(*) AS rows FROM (SELECT ${key} AS k FROM ${table} WHERE ${below} ORDER BY ${key} DESC LIMIT ${slice})`,
  );
  const wanted = [below, `${key} >= ?`, ...query.conditions].join(' AND ');
  const select = database.prepare(`SELECT * FROM ${table} WHERE ${wanted} ORDER BY ${key} DESC LIMIT ?`);

  let before: Key = page.cursor === '' ? endOf(query) : decodeCursor(page.cursor, typeof endOf(query));
  const items: T[] = [];
  for (let scanned = 0; scanned < maxScanned;) {
    const slicePart = edge.get(...query.rangeParameters, before) as Row | undefined;
    const last = slicePart?.['last'] as Key | null | undefined;
    if (last === null || last === undefined) return { items, nextCursor: '' };
    const missing = page.limit - items.length;
    const rows = select.all(
      ...query.rangeParameters,
      before,
      last,
      ...query.conditionParameters,
      missing + 1,
    ) as Row[];
    for (const row of rows.slice(0, missing)) items.push(fromRow(row as R));
    if (rows.length > missing) {
      return { items, nextCursor: encodeCursor(rows[missing - 1]?.[key] as Key) };
    }
    const rowsInSlice = Number(slicePart?.['rows']);
    if (rowsInSlice < slice) return { items, nextCursor: '' };
    before = last;
    scanned += rowsInSlice;
    if (scanned % (slice * 4) === 0) await new Promise(setImmediate);
  }
  return { items, nextCursor: encodeCursor(before) };
}

/** Beyond every key: positions are numbers, ids are hexadecimal text. */
function endOf({ key }: ScanQuery): Key {
  return key === 'position' ? Number.MAX_SAFE_INTEGER : 'g';
}

function encodeCursor(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function decodeCursor(cursor: string, type: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (typeof key === type) return key as Key;
  } catch {
    // Falls through: whatever it was, it isn't one of our cursors.
  }
  throw DomainError.invalid([
    { field: '?cursor', code: 'invalid', message: 'is not a cursor that this list gave out' },
  ]);
}

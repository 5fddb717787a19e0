import { DomainError } from '@posthorn/models';
import type { SqliteDatabase } from '@posthorn/sqlite';
import type { Page, PageRequest } from './delivery-store.ts';

/**
 * Lists walk keys from the newest down in slices, look at the rows of a slice, and give the event loop back between them, so that a
 * filter that matches little can't stop the process. After `maxScanned` rows a page ends early, with a cursor to go on from.
 */
export interface ScanQuery<R> {
  readonly table: string;
  /** SQL of what the list is ordered by, and the same of a row. */
  readonly key: string;
  readonly keyOf: (row: R) => Key;
  /** SQL that picks the rows whose keys are in the JSON array ?1; `key` is among them when absent. */
  readonly among?: string;
  /** The keys to walk over. */
  readonly walk: KeyWalk;
  /** Beyond every key. */
  readonly end: Key;
  /** Which rows are wanted: any SQL conditions, AND-ed. */
  readonly conditions: readonly string[];
  readonly conditionParameters: readonly (string | number)[];
}

export type Key = string | number;

/** Keys below `before`, newest first. */
export type KeyWalk = (before: Key, atMost: number) => KeySlice;

export interface KeySlice {
  readonly keys: readonly Key[];
  /** No key is left below these. */
  readonly isLast: boolean;
}

/** Beyond every id: they are hexadecimal text. */
export const endOfIds = 'g';

const slice = 1000;
const maxScanned = 200_000;

export async function scanPage<R, T>(
  database: SqliteDatabase,
  query: ScanQuery<R>,
  page: PageRequest,
  fromRow: (row: R) => T,
): Promise<Page<T>> {
  const { table, key, keyOf, walk, end } = query;
  const among = query.among ?? `${key} IN (SELECT value FROM json_each(?1))`;
  const wanted = [among, ...query.conditions].join(' AND ');
  const select = database.prepare<R>(`SELECT * FROM ${table} WHERE ${wanted} ORDER BY ${key} DESC LIMIT ?`);

  let before = page.cursor === '' ? end : decodeCursor(page.cursor, typeof end);
  const items: T[] = [];
  // Without conditions every row of a slice is wanted, and a slice of the page's size is enough.
  const sliceSize = query.conditions.length === 0 ? page.limit + 1 : slice;
  for (let scanned = 0; scanned < maxScanned;) {
    const { keys, isLast } = walk(before, sliceSize);
    const missing = page.limit - items.length;
    const rows = select.all(JSON.stringify(keys), ...query.conditionParameters, missing + 1);
    for (const row of rows.slice(0, missing)) items.push(fromRow(row));
    const lastShown = rows[missing - 1];
    if (rows.length > missing && lastShown !== undefined) {
      return { items, nextCursor: encodeCursor(keyOf(lastShown)) };
    }
    if (isLast) return { items, nextCursor: '' };
    before = keys.at(-1) ?? before;
    scanned += keys.length;
    await new Promise(setImmediate);
  }
  return { items, nextCursor: encodeCursor(before) };
}

/** Walks what one index gives in order: `range` is SQL that it answers. */
export function walkIndex(
  database: SqliteDatabase,
  { table, key, range }: { readonly table: string; readonly key: string; readonly range: string },
  parameters: readonly (string | number)[],
): KeyWalk {
  const select = database.prepare<{ key: Key }>(
    `SELECT ${key} AS key FROM ${table} WHERE ${range} AND ${key} < ? ORDER BY ${key} DESC LIMIT ?`,
  );
  return (before, atMost) => {
    const keys = select.all(...parameters, before, atMost).map((row) => row.key);
    return { keys, isLast: keys.length < atMost };
  };
}

/** At least so many keys of each walk are looked at together, however many walks there are. */
const leastOfEach = 8;

/** Walks several walks as one, in order. */
export function mergeWalks(walks: readonly KeyWalk[]): KeyWalk {
  const [first] = walks;
  if (first !== undefined && walks.length === 1) return first;
  return (before, atMost) => {
    const ofEach = Math.max(leastOfEach, Math.ceil((2 * atMost) / Math.max(1, walks.length)));
    const slices = walks.map((walk) => walk(before, ofEach));
    const unfinished = slices.filter(({ isLast }) => !isLast);
    // Below the last key of a walk that goes on there may be keys that haven't been seen.
    const bound = unfinished.map(({ keys }) => keys.at(-1)).reduce(largerKey, undefined);
    const keys = slices.flatMap((one) => one.keys.filter((key) => bound === undefined || key >= bound));
    keys.sort(newestFirst);
    return { keys: keys.slice(0, atMost), isLast: unfinished.length === 0 && keys.length <= atMost };
  };
}

function largerKey(a: Key | undefined, b: Key | undefined): Key | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}

function newestFirst(a: Key, b: Key): number {
  return a < b ? 1 : a > b ? -1 : 0;
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
    { field: '?cursor', code: 'invalid', message: 'This is not a cursor that this list gave out.' },
  ]);
}

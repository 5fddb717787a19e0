import { DomainError, type Violation } from '@posthorn/models';
import { createPageBudget, fillPage, type PageSource } from './page-budget.ts';

/**
 * Paging of lists: newest first, 50 items unless told otherwise, and an opaque cursor that says behind which item the
 * next page begins. Cursors stay valid while new things arrive, and after the item that they name was deleted.
 */
export interface PageRequest {
  /** 0: the default. */
  readonly limit: number;
  /** Empty: the first page. */
  readonly cursor: string;
}

const defaultPageSize = 50;
export const maxPageSize = 250;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty on the last page. */
  readonly nextCursor: string;
}

/** How the position of an item is written into a cursor and read from it; `read` answers null for what it never wrote. */
export interface CursorCodec<Position> {
  write(position: Position): string;
  read(text: string): Position | null;
}

/**
 * Reads one page. It has fewer items than asked for when they are large (`maxPageBytes`), and a cursor if more are to come.
 * `invalid_argument` for a limit out of range and a cursor that isn't one of ours.
 */
export async function readPage<Item, Position>(
  request: PageRequest,
  codec: CursorCodec<Position>,
  source: PageSource<Item, Position>,
): Promise<Page<Item>> {
  const limit = request.limit === 0 ? defaultPageSize : request.limit;
  const after = request.cursor === '' ? null : readCursor(request.cursor, codec);
  const violations: Violation[] = [];
  if (!Number.isInteger(limit) || limit < 1 || limit > maxPageSize) {
    violations.push({
      field: '?limit',
      code: 'out_of_range',
      message: `This must be from 1 to ${maxPageSize}.`,
    });
  }
  if (after === null && request.cursor !== '') {
    const message = 'This must be the nextCursor of an earlier answer.';
    violations.push({ field: '?cursor', code: 'invalid_cursor', message });
  }
  if (violations.length > 0) throw DomainError.invalid(violations);

  const { items, next } = await fillPage(source, after, createPageBudget(limit));
  return { items, nextCursor: next === null || next.after === null ? '' : writeCursor(next.after, codec) };
}

/** A position as the opaque text that callers see. */
export function writeCursor<Position>(position: Position, codec: CursorCodec<Position>): string {
  return Buffer.from(codec.write(position)).toString('base64url');
}

/** The position of a cursor; null when it isn't one of ours. */
export function readCursor<Position>(cursor: string, codec: CursorCodec<Position>): Position | null {
  const bytes = Buffer.from(cursor, 'base64url');
  return bytes.toString('base64url') === cursor ? codec.read(bytes.toString('utf8')) : null;
}

/** Positions that are ids. */
export const idCursor: CursorCodec<string> = {
  write: (id) => id,
  read: (text) => (/^[0-9a-f-]{36}$/.test(text) ? text : null),
};

/** Positions that are whole numbers from 0 on. */
export const numberCursor: CursorCodec<number> = {
  write: String,
  read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : null),
};

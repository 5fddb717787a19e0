/** Lists of ricloud: `limit` items after or before the one with an id, newest first, and how many there are in all. */
import { isId } from '@posthorn/models';
import type { Query } from '../query.ts';
import { invalid } from './parse.ts';

const defaultLimit = 10;
const maxLimit = 1_000;

/** Which part of a list is wanted. */
export interface PageRequest {
  readonly limit: number;
  readonly afterId: string | undefined;
  readonly beforeId: string | undefined;
}

/** Reads `limit`, `after_id` and `before_id`. */
export function parsePage(query: Query): PageRequest {
  const afterId = idParameter(query, 'after_id');
  const beforeId = idParameter(query, 'before_id');
  if (afterId !== undefined && beforeId !== undefined)
    throw invalid('?before_id', 'conflict', 'Give after_id or before_id, not both.');
  return { limit: limitOf(query.last('limit')), afterId, beforeId };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxLimit)
    throw invalid('?limit', 'out_of_range', `This must be a whole number from 1 to ${maxLimit}.`);
  return limit;
}

function idParameter(query: Query, name: string): string | undefined {
  const id = query.last(name);
  if (id !== undefined && !isId(id))
    throw invalid(`?${name}`, 'invalid_value', 'This is not the id of anything.');
  return id;
}

/** A list as it is shown. */
export interface RicloudList<T> {
  readonly resource: 'list';
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly total_count: number;
  readonly url: string;
}

export function renderList<T>(
  data: readonly T[],
  { hasMore, total, url }: { readonly hasMore: boolean; readonly total: bigint; readonly url: string },
): RicloudList<T> {
  return { resource: 'list', data, has_more: hasMore, total_count: Number(total), url };
}

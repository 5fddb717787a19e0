/** Pages by number: `?page=` and `?limit=`, 10 by default, clamped at 100. A page past the end has nothing, not even a total. */
import type { Query } from '../query.ts';
import type { Take } from './parse.ts';
import { readPositive } from './read.ts';

export const pageLimits = { standard: 10, max: 100 };
/** Whatever lies beyond it is past the end. */
const maxOffset = 2 ** 31 - 1;

export interface PageRequest {
  /** From 1. */
  readonly page: number;
  readonly limit: number;
  readonly offset: number;
}

export interface RapidlyList<T> {
  readonly data: readonly T[];
  readonly meta: {
    readonly total: number;
    readonly page: number;
    readonly per_page: number;
    readonly pages: number;
  };
}

/** Reads which page is asked for; what is wrong with it is noted by `take`. */
export function readPage(query: Query, take: Take): PageRequest {
  const read = (name: string, standard: number): number => {
    const text = query.last(name);
    return text === undefined ? standard : (take(name, text, readPositive(text)) ?? standard);
  };
  const page = read('page', 1);
  const limit = Math.min(read('limit', pageLimits.standard), pageLimits.max);
  return { page, limit, offset: Math.min((page - 1) * limit, maxOffset) };
}

/** A page of a list of `total`. */
export function renderPage<T>(
  { page, limit, offset }: PageRequest,
  total: number,
  data: readonly T[],
): RapidlyList<T> {
  const counted = offset < total ? total : 0;
  return { data, meta: { total: counted, page, per_page: limit, pages: Math.ceil(counted / limit) } };
}

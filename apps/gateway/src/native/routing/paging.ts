/** Lists: `?limit=` and `?cursor=` in, `{data, nextCursor}` out. Cursors are made by the service that owns the list. */
import type { Page } from './schema.ts';
import { integerParameter, type QueryParameter } from './query.ts';

const defaultPageSize = 50;
const maxPageSize = 250;

const cursorText = /^[A-Za-z0-9_-]{1,1024}$/;

const cursorParameter: QueryParameter<string> = {
  description: 'Where to go on: the `nextCursor` of the page before. It stays valid while new things arrive.',
  schema: { type: 'string', pattern: cursorText.source },
  read: (text) =>
    cursorText.test(text) ? text : { problem: 'This is not a cursor that a list answered with.' },
};

/** The query parameters of every list. */
export const pageParameters = {
  limit: integerParameter('How many to answer with at most.', {
    minimum: 1,
    maximum: maxPageSize,
    standard: defaultPageSize,
  }),
  cursor: cursorParameter,
} as const;

/** The fields of a list request over RPC. */
export function pageRequest(query: {
  readonly limit: number | undefined;
  readonly cursor: string | undefined;
}): {
  limit: number;
  cursor: string;
} {
  return { limit: query.limit ?? defaultPageSize, cursor: query.cursor ?? '' };
}

/** The answer to a list; over RPC an empty cursor means that this is the last page. */
export function page<M, T>(items: readonly M[], nextCursor: string, view: (item: M) => T): Page<T> {
  return { data: items.map(view), nextCursor: nextCursor === '' ? null : nextCursor };
}

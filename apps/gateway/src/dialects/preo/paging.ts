/** Pages by number, as Django REST Framework counts them: `?page=` from 1, `?page_size=` up to 1000, links to the neighbours. */
import { Refusal, type DialectCall } from '../dialect.ts';
import type { Query } from '../query.ts';

export const pageSizes = { standard: 100, max: 1000 };
/** Beyond it there is no page: what is skipped has to be walked over. */
const maxOffset = 2 ** 31 - 1;

export interface PageRequest {
  /** From 1. */
  readonly page: number;
  readonly size: number;
  readonly offset: number;
}

export interface PreoPage<T> {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly T[];
}

/** Reads which page is asked for. A size that is none is the standard one. Throws the refusal of a page that isn't there. */
export function readPage(query: Query): PageRequest {
  const size = Math.min(positive(query.last('page_size')) ?? pageSizes.standard, pageSizes.max);
  const text = query.last('page') ?? '';
  const page = text === '' ? 1 : positive(text);
  if (page === null || (page - 1) * size > maxOffset) throw noSuchPage();
  return { page, size, offset: (page - 1) * size };
}

/** A page of a list of `count`. The links keep the other parameters; the one to the first page has no `page`. */
export function renderPage<T>(
  call: Pick<DialectCall, 'path' | 'publicUrl' | 'query'>,
  { page, size, offset }: PageRequest,
  count: number,
  results: readonly T[],
): PreoPage<T> {
  if (page > 1 && offset >= count) throw noSuchPage();
  return {
    count,
    next: offset + size < count ? linkTo(call, page + 1) : null,
    previous: page > 1 ? linkTo(call, page - 1) : null,
    results,
  };
}

function noSuchPage(): Refusal {
  return new Refusal({ status: 404, body: { detail: 'Invalid page.' } });
}

function linkTo(
  { path, publicUrl, query }: Pick<DialectCall, 'path' | 'publicUrl' | 'query'>,
  page: number,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of query.pairs) if (name !== 'page') parameters.append(name, value);
  if (page > 1) parameters.append('page', String(page));
  const text = parameters.toString();
  return `${publicUrl}${path}${text === '' ? '' : `?${text}`}`;
}

function positive(text: string | undefined): number | null {
  return text !== undefined && /^\s*\d{1,10}\s*$/.test(text) && Number(text) > 0 ? Number(text) : null;
}

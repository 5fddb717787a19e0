/**
 * Pages of a collection: so many, behind or in front of a place that a cursor names by what it is sorted by, so that it stays good while
 * policies come and change. Where the page stands, and its neighbours, are in the headers.
 */
import type { Policy } from '@posthorn/models';
import type { Query } from '../query.ts';
import { badParameter, type SortKey } from './parse.ts';

const defaultPerPage = 20;
const maxPerPage = 100;

/** The part of a collection that a request asks for. */
export interface Page {
  readonly items: readonly Policy[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Where the page's links lead: the collection's address, with the query of the request. */
export interface PageLinks {
  readonly url: string;
  readonly query: Query;
}

/** `per_page`: more than the most is the most. */
function parsePerPage(text: string | undefined): number {
  if (text === undefined || text === '') return defaultPerPage;
  const perPage = /^\d{1,9}$/.test(text) ? Number(text) : /^\d+$/.test(text) ? maxPerPage : 0;
  if (perPage < 1) throw badParameter('per_page', "Parameter 'per_page' cannot be less than 1");
  return Math.min(perPage, maxPerPage);
}

/** The page of these, in the order that is asked for. */
export function pageOf(all: readonly Policy[], sort: readonly SortKey[], { url, query }: PageLinks): Page {
  const perPage = parsePerPage(query.last('per_page'));
  const sorted = all.toSorted((a, b) => compare(placeOf(a, sort), placeOf(b, sort), sort));
  const start = startOf(sorted, sort, perPage, query);
  const items = sorted.slice(start.at, start.at + start.count);
  const totalPages = Math.max(1, Math.ceil(sorted.length / perPage));
  const [first, last] = [items[0], items.at(-1)];
  const isFirst = start.at === 0;
  const isLast = start.at + items.length >= sorted.length;
  const links = [
    ...(isFirst ? [] : [link(url, query, 'first')]),
    ...(isFirst || first === undefined
      ? []
      : [link(url, query, 'prev', ['search_before', cursorOf(first, sort)])]),
    ...(isLast || last === undefined
      ? []
      : [link(url, query, 'next', ['search_after', cursorOf(last, sort)])]),
  ];
  return {
    items,
    headers: {
      'X-Pagination-Per-Page': String(perPage),
      'X-Pagination-Current-Page': String(Math.min(Math.ceil(start.at / perPage) + 1, totalPages)),
      'X-Pagination-Total-Pages': String(totalPages),
      'X-Pagination-Total-Entries': String(sorted.length),
      ...(links.length > 0 && { Link: links.join(', ') }),
    },
  };
}

/** Which of the sorted ones the page begins with, and how many it has at most. */
function startOf(
  sorted: readonly Policy[],
  sort: readonly SortKey[],
  perPage: number,
  query: Query,
): { readonly at: number; readonly count: number } {
  const after = query.last('search_after');
  const before = query.last('search_before');
  const isBehind = (policy: Policy, place: Place): number => compare(placeOf(policy, sort), place, sort);
  if (after !== undefined) {
    const place = readCursor('search_after', after, sort);
    const at = sorted.findIndex((policy) => isBehind(policy, place) > 0);
    return { at: at === -1 ? sorted.length : at, count: perPage };
  }
  if (before !== undefined) {
    const place = readCursor('search_before', before, sort);
    const found = sorted.findIndex((policy) => isBehind(policy, place) >= 0);
    const end = found === -1 ? sorted.length : found;
    const at = Math.max(0, end - perPage);
    return { at, count: end - at };
  }
  return { at: 0, count: perPage };
}

/** What a policy is sorted by: the times, then its number, so that no two are equal. */
type Place = readonly number[];

function placeOf(policy: Policy, sort: readonly SortKey[]): Place {
  return [
    ...sort.map(({ field }) => (field === 'created_at' ? policy.createdAt : policy.updatedAt).getTime()),
    policy.number,
  ];
}

function compare(a: Place, b: Place, sort: readonly SortKey[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return sort[index]?.descending === true ? -difference : difference;
  }
  return 0;
}

function cursorOf(policy: Policy, sort: readonly SortKey[]): string {
  return Buffer.from(JSON.stringify([sortText(sort), ...placeOf(policy, sort)])).toString('base64url');
}

/** Throws `invalid_argument` for what isn't a cursor of this very order. */
function readCursor(name: string, text: string, sort: readonly SortKey[]): Place {
  const [order, ...place] = parsedList(text);
  const isPlace = place.length === sort.length + 1 && place.every((value) => typeof value === 'number');
  if (order !== sortText(sort) || !isPlace) throw badParameter(name, `Parameter '${name}' is not valid`);
  return place.filter((value) => typeof value === 'number');
}

function parsedList(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? (parsed as readonly unknown[]) : [];
  } catch {
    return [];
  }
}

function sortText(sort: readonly SortKey[]): string {
  return sort.map(({ field, descending }) => (descending ? `-${field}` : field)).join();
}

/** A link that keeps the other parameters. */
function link(url: string, query: Query, relation: string, cursor?: readonly [string, string]): string {
  const kept = query.pairs.filter(([name]) => name !== 'search_after' && name !== 'search_before');
  const pairs = cursor === undefined ? kept : [...kept, cursor];
  const text = pairs
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
  return `<${url}${text === '' ? '' : `?${text}`}>; rel="${relation}"`;
}

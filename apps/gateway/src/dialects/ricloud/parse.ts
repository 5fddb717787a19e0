/** What clients of ricloud send, as values. Whatever is wrong is `invalid_argument` with the parameters' names. */
import { checkTargetUrl, DomainError, type UrlPolicy, type Violation } from '@posthorn/models';
import { readTime } from '../../native/routing/rfc3339.ts';
import type { Query } from '../query.ts';

/** The states that a config is shown in. */
export const configStates = ['new', 'valid', 'invalid', 'deactivated'] as const;
export type ConfigState = (typeof configStates)[number];

const writableStates = ['new', 'deactivated'] as const;

export interface ConfigChanges {
  readonly url?: string;
  readonly state?: (typeof writableStates)[number];
}

/** The body of a create: the URL must be given. */
export function parseNewConfig(body: unknown, policy: UrlPolicy): { readonly url: string } {
  const { url } = parseFields(body, policy);
  if (url === undefined) throw invalid('/url', 'required', 'This must be given.');
  return { url };
}

/** The body of an update: everything may be left out. */
export function parseConfigChanges(body: unknown, policy: UrlPolicy): ConfigChanges {
  const { state, ...changes } = parseFields(body, policy);
  if (state === undefined) return changes;
  const known = writableStates.find((writable) => writable === state);
  if (known === undefined) throw invalid('/state', 'invalid_value', 'This may only be new or deactivated.');
  return { ...changes, state: known };
}

function parseFields(body: unknown, policy: UrlPolicy): { url?: string; state?: unknown } {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('', 'invalid_type', 'The body must be a JSON object.');
  const { url, state } = body as { readonly url?: unknown; readonly state?: unknown };
  if (url !== undefined) {
    if (typeof url !== 'string') throw invalid('/url', 'invalid_type', 'This must be a string.');
    const target = checkTargetUrl(url, policy);
    if (!target.ok) throw DomainError.invalid(target.violations);
  }
  return { ...(url !== undefined && { url }), ...(state !== undefined && { state }) };
}

/** Seconds that the answer may be held, as milliseconds; what isn't a number of seconds asks for nothing. */
export function parseAwaitMs(header: string | undefined): number {
  const seconds = header !== undefined && /^\d{1,9}(?:\.\d{1,9})?$/.test(header) ? Number(header) : 0;
  return Math.round(Math.min(seconds, maxAwaitSeconds) * 1_000);
}

const maxAwaitSeconds = 10;

/** A span of time in which something was made. */
export interface CreatedRange {
  readonly after?: { readonly at: Date; readonly inclusive: boolean };
  readonly before?: { readonly at: Date; readonly inclusive: boolean };
}

/** What the parameters `state` and `date_created` of a list ask for. */
export function parseConfigFilter(query: Query): { state: ConfigState | null; created: CreatedRange } {
  const state = query.last('state');
  const known = configStates.find((name) => name === state);
  if (state !== undefined && known === undefined)
    throw invalid('?state', 'invalid_value', `This must be one of ${configStates.join(', ')}.`);
  return { state: known ?? null, created: parseCreated(query) };
}

/** `date_created`, `date_created[gte]` and, for Python keywords, `date_created__gte`: all that are given count. */
function parseCreated(query: Query): CreatedRange {
  let range: CreatedRange = {};
  for (const [name, value] of query.pairs) {
    const [, inBrackets, behindUnderscores] = dateParameter.exec(name) ?? [];
    if (name !== 'date_created' && inBrackets === undefined && behindUnderscores === undefined) continue;
    const moment = parseMoment(value);
    if (moment === null)
      throw invalid(
        `?${name}`,
        'invalid_value',
        'This must be a time as in 2018-11-22T12:59:57Z, or a date.',
      );
    range = narrow(range, rangeOf(inBrackets ?? behindUnderscores ?? 'eq', moment));
  }
  return range;
}

const dateParameter = /^date_created(?:\[(gt|gte|lt|lte)\]|__(gt|gte|lt|lte))$/;
const dayMs = 86_400_000;

interface Moment {
  /** Cut off to the millisecond. */
  readonly at: Date;
  /** Digits beyond the millisecond were cut off. */
  readonly isCut: boolean;
  readonly isDay: boolean;
}

function parseMoment(text: string): Moment | null {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  // A plus sign that wasn't encoded arrives as a space; times without a zone are in UTC.
  const zoned = text.replace(/^(\S+) (\d\d:\d\d)$/, '$1+$2').replace(/(T[\d:.]+)$/, '$1Z');
  const at = readTime(isDay ? `${text}T00:00:00Z` : zoned);
  return at === null ? null : { at, isDay, isCut: /\.\d{3}\d*[1-9]/.test(text) };
}

/** What is stored has milliseconds: beyond a moment that was cut off lies what lies beyond its millisecond. */
function rangeOf(operator: string, { at, isCut, isDay }: Moment): CreatedRange {
  switch (operator) {
    case 'gt':
      return { after: { at, inclusive: false } };
    case 'gte':
      return { after: { at, inclusive: !isCut } };
    case 'lt':
      return { before: { at, inclusive: isCut } };
    case 'lte':
      return { before: { at, inclusive: true } };
    default:
      return {
        after: { at, inclusive: true },
        before: isDay ? { at: new Date(at.getTime() + dayMs), inclusive: false } : { at, inclusive: true },
      };
  }
}

function narrow(a: CreatedRange, b: CreatedRange): CreatedRange {
  const after = tighter(a.after, b.after, (x, y) => x > y);
  const before = tighter(a.before, b.before, (x, y) => x < y);
  return { ...(after && { after }), ...(before && { before }) };
}

type Bound = { readonly at: Date; readonly inclusive: boolean } | undefined;

function tighter(a: Bound, b: Bound, isTighter: (x: number, y: number) => boolean): Bound {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.at.getTime() === b.at.getTime()) return a.inclusive ? b : a;
  return isTighter(a.at.getTime(), b.at.getTime()) ? a : b;
}

/** The error for one field or parameter. */
export function invalid(field: string, code: string, message: string): DomainError {
  const violation: Violation = { field, code, message };
  return DomainError.invalid([violation]);
}

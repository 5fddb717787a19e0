import { DomainError } from '@posthorn/models';
import type { MongoCollection, MongoDocument, MongoFilter } from '@posthorn/mongo';
import type { Page, PageRequest } from './delivery-store.ts';

/**
 * Lists walk an index from the newest down in slices and look at what is in a slice, so that a filter that matches little
 * can't hold the database up. After some slices a page ends early, with a cursor to go on from.
 */
const slice = 2000;
const maxSlices = 25;

/** What is looked through: an index, and the part of it. */
export interface TimeWalk<D extends MongoDocument> {
  readonly collection: MongoCollection<D>;
  /** The field of time that the index is ordered by, behind those of `range`; `_id` comes after it. */
  readonly time: keyof D & string;
  readonly range: MongoFilter<D>;
  readonly hint: string;
}

export interface NameWalk<D extends MongoDocument> {
  readonly collection: MongoCollection<D>;
  /** What comes before `_id` in the index. */
  readonly range: MongoFilter<D>;
  readonly names: { readonly $gte: string; readonly $lt: string };
  readonly hint: string;
}

type Filter = Readonly<Record<string, unknown>>;

/** Where a list stands: behind the document of this time and this name. */
interface TimePlace {
  readonly at: number;
  readonly name: string;
}

/** Documents by their time, the newest first. */
export function scanByTime<D extends MongoDocument>(
  { collection, time, range, hint }: TimeWalk<D>,
  conditions: readonly MongoFilter<D>[],
  page: PageRequest,
): Promise<Page<D>> {
  return scan<D, TimePlace>({
    collection,
    range,
    hint,
    sort: { [time]: -1, _id: -1 },
    fields: { [time]: 1 },
    conditions,
    placeOf: (document) => ({ at: (document[time] as Date).getTime(), name: document._id }),
    behind: ({ at, name }) => [
      { [time]: { $lte: new Date(at) } },
      { $or: [{ [time]: { $lt: new Date(at) } }, { _id: { $lt: name } }] },
    ],
    upTo: ({ at, name }) => [
      { [time]: { $gte: new Date(at) } },
      { $or: [{ [time]: { $gt: new Date(at) } }, { _id: { $gte: name } }] },
    ],
    page,
    read: (value) =>
      isObject(value) && typeof value['at'] === 'number' && typeof value['name'] === 'string'
        ? { at: value['at'], name: value['name'] }
        : null,
  });
}

/** Documents by their name, the last first. */
export function scanByName<D extends MongoDocument>(
  { collection, range, names, hint }: NameWalk<D>,
  conditions: readonly MongoFilter<D>[],
  page: PageRequest,
): Promise<Page<D>> {
  return scan<D, string>({
    collection,
    range: { ...(range as Filter), _id: names },
    hint,
    sort: { ...Object.fromEntries(Object.keys(range).map((field) => [field, -1] as const)), _id: -1 },
    fields: {},
    conditions,
    placeOf: ({ _id }) => _id,
    behind: (name) => [{ _id: { $lt: name } }],
    upTo: (name) => [{ _id: { $gte: name } }],
    page,
    read: (value) => (typeof value === 'string' && value < names.$lt && value >= names.$gte ? value : null),
  });
}

interface Scan<D extends MongoDocument, P> {
  readonly collection: MongoCollection<D>;
  readonly range: Filter;
  readonly hint: string;
  readonly sort: Readonly<Record<string, -1>>;
  readonly fields: Readonly<Record<string, 1>>;
  readonly conditions: readonly Filter[];
  readonly placeOf: (document: D) => P;
  readonly behind: (place: P) => readonly Filter[];
  readonly upTo: (place: P) => readonly Filter[];
  readonly page: PageRequest;
  readonly read: (value: unknown) => P | null;
}

async function scan<D extends MongoDocument, P>(options: Scan<D, P>): Promise<Page<D>> {
  const { collection, range, hint, sort, fields, conditions, placeOf, behind, upTo, page } = options;
  const find = (filters: readonly Filter[], limit: number): Promise<D[]> =>
    collection.find({ $and: [range, ...filters] } as MongoFilter<D>, { limit, sort, hint });
  let place = page.cursor === '' ? null : decodeCursor(page.cursor, options.read);
  const items: D[] = [];
  for (let slices = 0; slices < maxSlices; slices++) {
    const from = place === null ? [] : behind(place);
    // Without conditions everything is wanted, and a slice is what the page takes.
    const end =
      conditions.length === 0
        ? null
        : await collection.findOne({ $and: [range, ...from] } as MongoFilter<D>, {
            sort,
            hint,
            skip: slice - 1,
            projection: fields,
          });
    const missing = page.limit - items.length;
    const found = await find(
      [...from, ...(end === null ? [] : upTo(placeOf(end))), ...conditions],
      missing + 1,
    );
    items.push(...found.slice(0, missing));
    const last = items.at(-1);
    if (found.length > missing && last !== undefined) {
      return { items, nextCursor: encodeCursor(placeOf(last)) };
    }
    if (end === null) return { items, nextCursor: '' };
    place = placeOf(end);
  }
  return { items, nextCursor: place === null ? '' : encodeCursor(place) };
}

/** The organisations that a collection has documents of, in the order of their ids, found by skipping from one to the next. */
export async function organisationsOf<D extends MongoDocument & { readonly organisationId: string }>(
  collection: MongoCollection<D>,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const documents = collection as MongoCollection<MongoDocument & { readonly organisationId: string }>;
  const ids: string[] = [];
  for (let last = after; ids.length < limit;) {
    // By name: `0` comes right after the slash behind an organisation's id.
    const next = await documents.findOne(
      { _id: { $gte: last === '' ? '' : `${last}0` } },
      { sort: { _id: 1 }, hint: '_id_', projection: { organisationId: 1 } },
    );
    if (next === null) break;
    last = next.organisationId;
    ids.push(last);
  }
  return ids;
}

function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function decodeCursor<P>(cursor: string, read: (value: unknown) => P | null): P {
  try {
    const place = read(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (place !== null) return place;
  } catch {
    // Falls through: whatever it was, it isn't one of our cursors.
  }
  throw DomainError.invalid([
    { field: '?cursor', code: 'invalid', message: 'This is not a cursor that this list gave out.' },
  ]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import { randomBytes } from 'node:crypto';
import type { MongoCollection, MongoDocument, MongoFilter, MongoUpdate } from '@posthorn/mongo';

/**
 * A resource as it lies in a document: JSON text, and its times beside it, which JSON has no word for. Text, because what
 * tenants name themselves (labels, headers, metadata) would else become field names, of which databases allow fewer
 * than JSON does. What something is looked up by is a field of its own.
 */
export interface ResourceDocument extends MongoDocument {
  readonly document: string;
  readonly times: Readonly<Record<string, Date>>;
  /** Counts every write, so that whoever changes what it has read knows that nobody else did meanwhile. */
  readonly writes: number;
  /** The names of the last replacements: a writer whose answer was lost finds its own here, and takes no one else's for it. */
  readonly lastWrites?: readonly string[];
}

/** More than others can write while one operation is tried again. */
const keptWrites = 16;

/** Resources have times at their top level only. */
export function encodeResource(resource: object): Pick<ResourceDocument, 'document' | 'times'> {
  const entries = Object.entries(resource);
  return {
    document: JSON.stringify(Object.fromEntries(entries.filter(([, value]) => !(value instanceof Date)))),
    times: Object.fromEntries(entries.filter((entry): entry is [string, Date] => entry[1] instanceof Date)),
  };
}

/** The resource as it was written. */
export function decodeResource<T extends object>({
  document,
  times,
}: Pick<ResourceDocument, 'document' | 'times'>): T {
  return { ...(JSON.parse(document) as T), ...times };
}

/** A resource as it was read, and what its fields are to be. */
export interface Replacement<D> {
  readonly found: MongoFilter<D> & Pick<ResourceDocument, '_id' | 'writes'>;
  readonly set: Partial<D>;
  readonly unset?: Readonly<Record<string, ''>>;
}

/**
 * Writes a resource if nobody did since it was read, going by `writes`: of many who try, one does, also when all of them write the
 * very same. `lost` when somebody did, or it is gone; `refused` when a unique index doesn't take it.
 */
export async function replaceResource<D extends ResourceDocument>(
  collection: MongoCollection<D>,
  { found, set, unset }: Replacement<D>,
): Promise<'written' | 'lost' | 'refused'> {
  const resources = collection as MongoCollection<ResourceDocument>;
  const name = randomBytes(9).toString('base64url');
  const update: MongoUpdate<ResourceDocument> = {
    $set: set as Partial<ResourceDocument>,
    ...(unset !== undefined && { $unset: unset as Readonly<Record<keyof ResourceDocument, ''>> }),
    $inc: { writes: 1 },
    $push: { lastWrites: { $each: [name], $slice: -keptWrites } },
  };
  const written = await resources.updateOne(found as MongoFilter<ResourceDocument>, update);
  if (written === null) return 'refused';
  // It didn't match: perhaps because of a first try of ours whose answer was lost.
  const isOurs = written || (await resources.findOne({ _id: found._id, lastWrites: name })) !== null;
  return isOurs ? 'written' : 'lost';
}

/** What a change makes of a resource, and of the fields that follow it. */
export interface ChangedResource<T, D> {
  readonly resource: T;
  readonly fields?: Partial<D>;
}

/**
 * Reads a resource and writes what `change` makes of it, again whenever someone else wrote it in between. Null when it
 * isn't there, `refused` when a unique index doesn't take the change.
 */
export async function changeResource<T extends object, D extends ResourceDocument>(
  collection: MongoCollection<D>,
  id: string,
  change: (found: D) => ChangedResource<T, D>,
): Promise<T | 'refused' | null> {
  const resources = collection as MongoCollection<ResourceDocument>;
  for (;;) {
    const found = await resources.findOne({ _id: id });
    if (found === null) return null;
    const { resource, fields = {} } = change(found as D);
    const written = await resources.updateOne(
      { _id: id, writes: found.writes },
      { $set: { ...encodeResource(resource), ...fields }, $inc: { writes: 1 } },
    );
    if (written === null) return 'refused';
    if (written) return resource;
  }
}

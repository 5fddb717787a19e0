import type { MongoCollection, MongoDocument } from '@posthorn/mongo';
import { createBatcher, type Settled } from '@posthorn/runtime';
import { isTransient } from '../intake/put-aside.ts';

/**
 * Inserts of several callers as one: what comes while an insert is under way rides together in the next. Each caller learns which of its
 * own documents a unique index refused. What the database refuses for good is found out part by part, so that nobody is kept
 * waiting by another's document; while it is away, those who ride together wait together.
 */
export type GroupedInserts<D> = (documents: readonly D[]) => Promise<ReadonlySet<number>>;

/** As many callers as there may be partitions with something to read. */
const maxParts = 256;
/** How long one insert takes is what everybody waits for. */
const maxBytes = 4 * 1024 * 1024;

export function createGroupedInserts<D extends MongoDocument>(
  collection: Pick<MongoCollection<D>, 'insertMany'>,
  sizeOf: (document: D) => number,
): GroupedInserts<D> {
  type Part = readonly D[];
  type Refused = ReadonlySet<number>;

  async function insertOneByOne(parts: readonly Part[]): Promise<readonly Settled<Refused>[]> {
    const results: Settled<Refused>[] = [];
    for (const part of parts) {
      results.push(
        await collection.insertMany(part).then(
          (value) => ({ ok: true, value }),
          (error: unknown) => ({ ok: false, error }),
        ),
      );
    }
    return results;
  }

  const inserts = createBatcher<Part, Refused>({
    maxItems: maxParts,
    maxBytes,
    sizeOf: (part) => part.reduce((sum, document) => sum + sizeOf(document), 0),
    async run(parts) {
      try {
        return sharesOf(parts, await collection.insertMany(parts.flat()));
      } catch (error) {
        if (isTransient(error) || parts.length === 1) throw error;
        return insertOneByOne(parts);
      }
    },
  });

  return (documents) => inserts.submit(documents);
}

/** Of the places in the whole, those in each part, counted from its beginning. */
function sharesOf<D>(
  parts: readonly (readonly D[])[],
  refused: ReadonlySet<number>,
): readonly Settled<ReadonlySet<number>>[] {
  let first = 0;
  return parts.map(({ length }) => {
    const own = new Set<number>();
    if (refused.size > 0) {
      for (let place = 0; place < length; place += 1) if (refused.has(first + place)) own.add(place);
    }
    first += length;
    return { ok: true, value: own };
  });
}

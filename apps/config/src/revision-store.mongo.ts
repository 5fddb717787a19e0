import type { MongoCollection, MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { createBatcher } from '@posthorn/runtime';
import { defaultMaxChanges, type Changes, type RevisionStore } from './revision-store.ts';

/** Takes the next revision for an organisation. Call it after the write of something of it, and before that is answered. */
export type RecordChange = (organisationId: string) => Promise<void>;

/** The barrier's one document: the revision, and whose changes the last ones were, oldest first. */
interface RevisionDocument extends MongoDocument {
  readonly revision: number;
  readonly changes: readonly string[];
}

const theOne = { _id: 'config' } as const;

/** Callers that are answered by one read. */
const maxTogether = 1000;

/**
 * The revision barrier on MongoDB, with no clock and no transaction: a writer's resource is on a majority of the servers
 * before the revision is raised, and the revision before the writer is answered; a reader's answer is linearizable and
 * nothing of it is kept. So whoever asks after a write was answered is told of it, whichever replica of the service
 * is asked. What was written by a process that was killed before it raised the revision is found by the full reload
 * that readers do each minute.
 */
export async function createMongoRevisionStore(
  database: MongoDatabase,
  maxChanges = defaultMaxChanges,
): Promise<RevisionStore & { readonly recordChange: RecordChange }> {
  const collection: MongoCollection<RevisionDocument> = await database.open({
    name: 'config_revisions',
    indexes: [],
  });
  // Here, and not by whoever writes first: several would make it at once.
  await collection.insert({ ...theOne, revision: 0, changes: [] });
  const read = (fields: Readonly<Record<string, 0 | 1>>): Promise<RevisionDocument | null> =>
    collection.findOne(theOne, { projection: fields, readConcern: { level: 'linearizable' } });

  /** One read for all who asked before it began. */
  const readers = createBatcher<number, Changes>({
    maxItems: maxTogether,
    async run(sinces) {
      const current = (await read({ revision: 1 }))?.revision ?? 0;
      // The case of nearly every call: the dispatcher asks once for each batch.
      const isUpToDate = sinces.every((since) => since === current);
      const found = isUpToDate ? null : await read({});
      return sinces.map((since) => ({
        ok: true,
        value: changesAfter(found ?? { revision: current, changes: [] }, since),
      }));
    },
  });

  return {
    async recordChange(organisationId) {
      await collection.upsert(theOne, {
        $inc: { revision: 1 },
        $push: { changes: { $each: [organisationId], $slice: -maxChanges } },
      });
    },

    changesSince: (revision) => readers.submit(revision),
  };
}

function changesAfter({ revision, changes }: Omit<RevisionDocument, '_id'>, since: number): Changes {
  const missed = revision - since;
  if (missed === 0) return { revision, organisationIds: [], reset: false };
  if (missed < 0 || missed > changes.length) return { revision, organisationIds: [], reset: true };
  return { revision, organisationIds: [...new Set(changes.slice(-missed))], reset: false };
}

import { randomBytes } from 'node:crypto';
import { DomainError } from '@posthorn/models';
import type { MongoCollection, MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { createBatcher, systemClock, type Clock } from '@posthorn/runtime';
import { defaultMaxChanges, type Changes, type RevisionStore } from './revision-store.ts';

/**
 * Makes a write of something of an organisation, and takes the next revision for it before it is answered. A write that
 * was refused takes none.
 */
export type Announce = <T>(organisationId: string, write: () => Promise<T>) => Promise<T>;

/** The barrier's one document. */
interface RevisionDocument extends MongoDocument {
  readonly revision: number;
  /** Whose changes the last revisions were, oldest first. */
  readonly changes: readonly string[];
  /** Writes that have begun and have no revision yet. */
  readonly open: readonly OpenWrite[];
}

interface OpenWrite {
  readonly id: string;
  readonly organisationId: string;
}

const theOne = { _id: 'config' } as const;

/** Callers that are answered by one read. */
const maxTogether = 1000;

/** How long a write is waited for, by the clock of whoever looks: far longer than one can take. */
const abandonedAfterMs = 30_000;

/**
 * The revision barrier on MongoDB, with no wall clock and no transaction: a writer says that it begins, its resource is then
 * on a majority of the servers before the revision is raised, and the revision before the writer is answered; a reader's
 * answer is linearizable and nothing of it is kept. So whoever asks after a write was answered is told of it, whichever
 * replica of the service is asked. A writer that was killed in between has left its beginning behind: the first replica that
 * is asked for changes and has seen that for half a minute raises the revision in its place.
 */
export async function createMongoRevisionStore(
  database: MongoDatabase,
  maxChanges = defaultMaxChanges,
  clock: Pick<Clock, 'monotonic'> = systemClock,
): Promise<RevisionStore & { readonly announce: Announce }> {
  const collection: MongoCollection<RevisionDocument> = await database.open({
    name: 'config_revisions',
    indexes: [],
  });
  // Here, and not by whoever writes first: several would make it at once.
  await collection.insert({ ...theOne, revision: 0, changes: [], open: [] });

  const read = (fields: Readonly<Record<string, 0 | 1>>): Promise<RevisionDocument | null> =>
    collection.findOne(theOne, { projection: fields, readConcern: { level: 'linearizable' } });

  /** Raises the revision for a write that has ended, or been abandoned; once, whoever does it. */
  async function raise({ id, organisationId }: OpenWrite): Promise<void> {
    await collection.updateOne(
      { ...theOne, 'open.id': id },
      {
        $inc: { revision: 1 },
        $push: { changes: { $each: [organisationId], $slice: -maxChanges } },
        $pull: { open: { id } },
      },
    );
  }

  /** Monotonic moments at which open writes were seen first. */
  const seenAt = new Map<string, number>();

  async function raiseForAbandoned(open: readonly OpenWrite[]): Promise<void> {
    const ids = new Set(open.map(({ id }) => id));
    for (const id of seenAt.keys()) if (!ids.has(id)) seenAt.delete(id);
    const now = clock.monotonic();
    for (const write of open) {
      const first = seenAt.get(write.id) ?? now;
      seenAt.set(write.id, first);
      if (now - first >= abandonedAfterMs) await raise(write);
    }
  }

  /** One read for all who asked before it began. */
  const readers = createBatcher<number, Changes>({
    maxItems: maxTogether,
    async run(sinces) {
      const head = await read({ revision: 1, open: 1 });
      const revision = head?.revision ?? 0;
      const open = head?.open ?? [];
      if (open.length > 0 || seenAt.size > 0) await raiseForAbandoned(open);
      // The case of nearly every call: the dispatcher asks once for each batch.
      const isUpToDate = sinces.every((since) => since === revision);
      const { changes, ...found } = (isUpToDate ? null : await read({})) ?? { revision, changes: [] };
      return sinces.map((since) => ({ ok: true, value: changesAfter(found.revision, changes, since) }));
    },
  });

  return {
    async announce(organisationId, write) {
      const opened = { id: randomBytes(12).toString('base64url'), organisationId };
      await collection.upsert(theOne, { $push: { open: opened } });
      try {
        const result = await write();
        await raise(opened);
        return result;
      } catch (error) {
        // What was refused has changed nothing; of anything else that isn't known.
        if (error instanceof DomainError && error.code !== 'unavailable') {
          await collection.updateOne(theOne, { $pull: { open: { id: opened.id } } });
        }
        throw error;
      }
    },

    changesSince: (revision) => readers.submit(revision),
  };
}

function changesAfter(revision: number, changes: readonly string[], since: number): Changes {
  const missed = revision - since;
  if (missed === 0) return { revision, organisationIds: [], reset: false };
  if (missed < 0 || missed > changes.length) return { revision, organisationIds: [], reset: true };
  return { revision, organisationIds: [...new Set(changes.slice(-missed))], reset: false };
}

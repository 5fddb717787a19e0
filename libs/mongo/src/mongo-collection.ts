import type {
  Collection,
  Filter,
  OptionalUnlessRequiredId,
  ReadConcernLike,
  Sort,
  UpdateFilter,
} from 'mongodb';
import { duplicatesOnly, isDuplicateKey } from './mongo-error.ts';
import type { MongoMetrics } from './mongo-metrics.ts';
import { withRetries, type RetryOptions } from './retry.ts';

/**
 * The operations that the platform asks of a database: those which MongoDB from version 6 on and the servers that are
 * compatible with it share. No transaction, no change stream, no aggregation, and no read without a limit.
 *
 * Writes are confirmed by a majority, reads see what a majority has. Every operation is tried again for as long as the
 * database is away, within the operation's time, so it **may be carried out twice**: write what is the same the second
 * time (a fresh id, a condition that no longer holds, a counter in which a gap does no harm).
 * Errors: `unavailable` when the time is up; what was to be written may have been.
 */
export interface MongoCollection<D extends MongoDocument> {
  /** False when a unique index refuses it, which may be because of its own first try. */
  insert(document: D): Promise<boolean>;
  /** Inserts what it can; answers the places of the documents that a unique index refused. */
  insertMany(documents: readonly D[]): Promise<ReadonlySet<number>>;
  /**
   * Inserts one after the other, so that none is there without those before it; answers the places of those that were
   * there already, which stay as they are.
   */
  insertInOrder(documents: readonly D[]): Promise<ReadonlySet<number>>;
  findOne(filter: MongoFilter<D>, options?: FindOneOptions): Promise<D | null>;
  find(filter: MongoFilter<D>, options: FindManyOptions): Promise<D[]>;
  /** How many match, counted up to `limit` if there is one. */
  count(filter: MongoFilter<D>, limit?: number): Promise<number>;
  /** Changes one document if it matches; false when none does. Null when a unique index refuses the change. */
  updateOne(filter: MongoFilter<D>, update: MongoUpdate<D>): Promise<boolean | null>;
  /** Changes one document, made if it isn't there, and answers it as it is then. */
  upsert(filter: MongoFilter<D>, update: MongoUpdate<D>): Promise<D>;
  /** Changes one document if it matches, and answers it as it is then. */
  findOneAndUpdate(filter: MongoFilter<D>, update: MongoUpdate<D>): Promise<D | null>;
  /** Answers how many matched. */
  updateMany(
    filter: MongoFilter<D>,
    update: MongoUpdate<D>,
    options?: Pick<FindOneOptions, 'hint'>,
  ): Promise<number>;
  /** Deletes one document; false when none matched. */
  deleteOne(filter: MongoFilter<D>): Promise<boolean>;
  /** Answers how many there were. */
  deleteMany(filter: MongoFilter<D>): Promise<number>;
  /** Changes one document for each, in any order; a document that doesn't match stays as it is. Answers how many matched. */
  updateEach(changes: readonly MongoChange<D>[]): Promise<number>;
}

/** Every document has a key of ours: text, so that it sorts and reads the same everywhere. */
export interface MongoDocument {
  readonly _id: string;
}

export type MongoFilter<D> = Filter<D>;
export type MongoUpdate<D> = UpdateFilter<D>;

export interface MongoChange<D> {
  readonly filter: MongoFilter<D>;
  readonly update: MongoUpdate<D>;
}

export interface FindOneOptions {
  readonly sort?: Sort;
  /** How many of those that match are passed over first; in an index, for as many as are asked for by number. */
  readonly skip?: number;
  /** The name of the index to use, where several would do. */
  readonly hint?: string;
  readonly projection?: Readonly<Record<string, 0 | 1>>;
  /** `linearizable`: includes every write that was confirmed before the read began, even if the primary changes meanwhile. */
  readonly readConcern?: ReadConcernLike;
}

export interface FindManyOptions extends FindOneOptions {
  readonly limit: number;
}

export interface CollectionOptions extends Omit<RetryOptions, 'onRetry'> {
  readonly metrics: MongoMetrics;
}

const maxUpsertTries = 20;

/** Wraps the driver's collection: retries, errors, metrics. */
export function createMongoCollection<D extends MongoDocument>(
  collection: Collection<D>,
  { metrics, ...retryOptions }: CollectionOptions,
): MongoCollection<D> {
  async function run<T>(operation: string, execute: () => Promise<T>): Promise<T> {
    const labels = { collection: collection.collectionName, operation };
    const measured = metrics.begin(labels);
    try {
      const result = await withRetries(execute, { ...retryOptions, onRetry: () => metrics.retried(labels) });
      measured('ok');
      return result;
    } catch (error) {
      measured('error');
      throw error;
    }
  }

  return {
    insert: (document) =>
      run('insert', () =>
        unlessDuplicate(async () => {
          await collection.insertOne(document as OptionalUnlessRequiredId<D>);
          return true;
        }, false),
      ),

    // Nothing to write is no operation: MongoDB isn't asked, and nothing is counted.
    insertMany: async (documents) =>
      documents.length === 0 ? new Set() : run('insertMany', () => insertMany(documents)),

    findOne: (filter, options = {}) =>
      run('find', async () => (await collection.findOne(filter, options)) as D | null),

    find: (filter, options) =>
      run('find', async () => {
        // In one batch, unless that is over what a message may have.
        const cursor = collection.find(filter, { ...options, batchSize: options.limit });
        return (await cursor.toArray()) as D[];
      }),

    count: (filter, limit) =>
      run('count', () => collection.countDocuments(filter, limit === undefined ? {} : { limit })),

    updateOne: (filter, update) =>
      run('updateOne', () =>
        unlessDuplicate(async () => (await collection.updateOne(filter, update)).matchedCount > 0, null),
      ),

    upsert: (filter, update) => run('upsert', () => upsert(filter, update)),

    findOneAndUpdate: (filter, update) =>
      run(
        'findOneAndUpdate',
        async () =>
          (await collection.findOneAndUpdate(filter, update, { returnDocument: 'after' })) as D | null,
      ),

    updateMany: (filter, update, options = {}) =>
      run('updateMany', async () => (await collection.updateMany(filter, update, options)).matchedCount),

    deleteOne: (filter) =>
      run('deleteOne', async () => (await collection.deleteOne(filter)).deletedCount > 0),

    deleteMany: (filter) => run('deleteMany', async () => (await collection.deleteMany(filter)).deletedCount),

    insertInOrder: async (documents) =>
      documents.length === 0 ? new Set() : run('insertInOrder', () => insertInOrder(documents)),

    updateEach: async (changes) => {
      if (changes.length === 0) return 0;
      return run('updateEach', async () => {
        const { matchedCount } = await collection.bulkWrite(
          changes.map(({ filter, update }) => ({ updateOne: { filter, update } })),
          { ordered: false },
        );
        return matchedCount;
      });
    },
  };

  /** Of several who would make the document at once, a server may refuse all but one, or not tell them what it made. */
  async function upsert(filter: MongoFilter<D>, update: MongoUpdate<D>): Promise<D> {
    for (let tries = 0; tries < maxUpsertTries; tries++) {
      const options = { upsert: true, returnDocument: 'after' } as const;
      const found = await unlessDuplicate(() => collection.findOneAndUpdate(filter, update, options), null);
      if (found !== null) return found as D;
    }
    throw new Error('The database neither changes the document nor makes it.');
  }

  async function insertInOrder(documents: readonly D[]): Promise<ReadonlySet<number>> {
    for (let tries = 0; tries < maxUpsertTries; tries++) {
      const upserts = documents.map(({ _id, ...fields }) => ({
        updateOne: {
          filter: { _id } as MongoFilter<D>,
          update: { $setOnInsert: fields } as MongoUpdate<D>,
          upsert: true,
        },
      }));
      const written = await unlessDuplicate(() => collection.bulkWrite(upserts, { ordered: true }), null);
      if (written === null) continue;
      const inserted = new Set(Object.keys(written.upsertedIds).map(Number));
      return new Set([...documents.keys()].filter((place) => !inserted.has(place)));
    }
    throw new Error('The database neither has the documents nor makes them.');
  }

  async function insertMany(documents: readonly D[]): Promise<ReadonlySet<number>> {
    try {
      await collection.insertMany(documents as readonly OptionalUnlessRequiredId<D>[], { ordered: false });
      return new Set();
    } catch (error) {
      const duplicates = duplicatesOnly(error);
      if (duplicates === null) throw error;
      return duplicates;
    }
  }
}

async function unlessDuplicate<T, U>(write: () => Promise<T>, refused: U): Promise<T | U> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) return refused;
    throw error;
  }
}

import * as os from 'node:os';
import { DomainError } from '@posthorn/models';
import type { Clock, Logger, Metrics } from '@posthorn/runtime';
import { MongoClient, MongoServerError, type Db, type MongoClientOptions } from 'mongodb';
import { createMongoCollection, type MongoCollection, type MongoDocument } from './mongo-collection.ts';
import { createMongoMetrics } from './mongo-metrics.ts';
import { unavailable } from './mongo-error.ts';
import { explainQueries, type QueryPlan } from './query-plans.ts';
import { withRetries } from './retry.ts';

/**
 * One database of a MongoDB deployment, and how the platform uses it: writes are confirmed by a majority and journaled,
 * reads go to the primary and see what a majority has. Those are not for the connection string to change.
 */
export interface MongoDatabase {
  /**
   * A collection with its indexes, which are made if they aren't there. Whoever opens it waits for them; on a collection
   * that is large already that takes a while. `failed_precondition` when one of that name is there and is another.
   */
  open<D extends MongoDocument>(definition: CollectionDefinition): Promise<MongoCollection<D>>;
  /** Resolves when a server that takes writes answers; `unavailable` when none does. */
  ping(): Promise<void>;
  /** Which indexes the queries use that `run` makes; for tests. Needs `explainable`. */
  explain(run: () => Promise<unknown>): Promise<readonly QueryPlan[]>;
  /** The names of all collections that are there, in no order; for tests. */
  collectionNames(): Promise<readonly string[]>;
  /** Removes the database with all that is in it; for tests. */
  drop(): Promise<void>;
  /** Lets what is under way end, then closes every connection. */
  close(): Promise<void>;
}

export interface MongoOptions {
  /** `mongodb://…` or `mongodb+srv://…`, with credentials where they are needed. */
  readonly url: string;
  readonly database: string;
  /** Certificates of the authorities that servers' certificates are checked against (PEM). TLS is used when it is given. */
  readonly tlsCaFile?: string | undefined;
  /** Our own certificate with its key (PEM), where servers ask for one. */
  readonly tlsCertificateKeyFile?: string | undefined;
  /** How long an operation may take with all its tries; shorter than the 10 s that callers over gRPC wait. */
  readonly timeoutMs?: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Lets `explain` listen to what is sent. */
  readonly explainable?: boolean;
}

export interface CollectionDefinition {
  readonly name: string;
  readonly indexes: readonly IndexDefinition[];
}

export interface IndexDefinition {
  readonly name: string;
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly unique?: boolean;
  /** Only documents that match are in it: few operators are allowed (`$exists: true`, comparisons, `$type`). */
  readonly partialFilterExpression?: Readonly<Record<string, unknown>>;
  /** Documents are removed this long after the time in the (single) key; the server looks once a minute. */
  readonly expireAfterSeconds?: number;
}

const standardTimeoutMs = 8000;
/** How long one try looks for a server; the next one looks again. */
const selectionTimeoutMs = 2000;

/**
 * Connects. `unavailable` when no server that takes writes answers in time, `failed_precondition` when it refuses us or the
 * connection string is wrong.
 */
export async function connectMongo(options: MongoOptions): Promise<MongoDatabase> {
  const { clock, logger, timeoutMs = standardTimeoutMs } = options;
  const client = makeClient(options, timeoutMs);
  let isUp = false;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const wasUp = isUp;
    isUp = [...newDescription.servers.values()].some(({ type }) => writableTypes.has(type));
    if (wasUp && !isUp) logger.warn({ database: options.database }, 'no server of the database takes writes');
    if (!wasUp && isUp) logger.info({ database: options.database }, 'the database takes writes');
  });
  const metrics = createMongoMetrics(options.metrics, clock, () => isUp);
  const retryOptions = { clock, timeoutMs };
  const db = client.db(options.database);
  const retried = <T>(operation: () => Promise<T>): Promise<T> =>
    withRetries(operation, { ...retryOptions, onRetry: () => undefined });
  const ping = async (): Promise<void> => void (await db.command({ ping: 1 }));

  try {
    await retried(async () => {
      await client.connect();
      await ping();
    });
  } catch (error) {
    await client.close();
    throw refusal(error);
  }

  return {
    async open<D extends MongoDocument>({ name, indexes }: CollectionDefinition) {
      const collection = db.collection<D>(name);
      await retried(() => makeIndexes(db, name, indexes));
      return createMongoCollection<D>(collection, { ...retryOptions, metrics });
    },
    ping: () => retried(ping),
    explain: (run) => explainQueries(client, db, run),
    async collectionNames() {
      const found = await retried(() => db.listCollections({}, { nameOnly: true }).toArray());
      return found.map(({ name }) => name);
    },
    drop: async () => void (await db.dropDatabase()),
    close: () => client.close(),
  };
}

const writableTypes: ReadonlySet<string> = new Set(['RSPrimary', 'Standalone', 'Mongos', 'LoadBalancer']);

function makeClient(options: MongoOptions, timeoutMs: number): MongoClient {
  try {
    return new MongoClient(options.url, clientOptions(options, timeoutMs));
  } catch (error) {
    throw new DomainError('failed_precondition', "The database's connection string can't be used.", {
      cause: error,
    });
  }
}

function clientOptions(options: MongoOptions, timeoutMs: number): MongoClientOptions {
  const { tlsCaFile, tlsCertificateKeyFile, explainable = false } = options;
  return {
    appName: 'posthorn',
    // Else the driver imports it when it is needed, which not every place that it runs in can do.
    runtimeAdapters: { os },
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    // Binary data as bytes, whole numbers as numbers.
    promoteBuffers: true,
    serverSelectionTimeoutMS: Math.min(selectionTimeoutMs, timeoutMs),
    connectTimeoutMS: Math.min(2 * selectionTimeoutMs, timeoutMs),
    // A connection whose server has vanished without a word.
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
    monitorCommands: explainable,
    ...(tlsCaFile !== undefined && { tls: true, tlsCAFile: tlsCaFile }),
    ...(tlsCertificateKeyFile !== undefined && { tls: true, tlsCertificateKeyFile }),
  };
}

/** Codes of what the server won't do for us, however often we ask. */
const authenticationFailedCode = 18;
const unauthorizedCode = 13;

function refusal(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  if (
    error instanceof MongoServerError &&
    (error.code === authenticationFailedCode || error.code === unauthorizedCode)
  ) {
    return new DomainError('failed_precondition', 'The database refuses the credentials that it was given.', {
      cause: error,
    });
  }
  return unavailable('The database cannot be connected to.', error);
}

const indexConflictCodes: ReadonlySet<unknown> = new Set([
  85, // IndexOptionsConflict
  86, // IndexKeySpecsConflict
]);

async function makeIndexes(db: Db, name: string, indexes: readonly IndexDefinition[]): Promise<void> {
  if (indexes.length === 0) return;
  try {
    await db.collection(name).createIndexes(indexes.map((index) => ({ ...index, key: { ...index.key } })));
  } catch (error) {
    if (!(error instanceof MongoServerError && indexConflictCodes.has(error.code))) throw error;
    const names = indexes.map((index) => index.name).join(', ');
    throw new DomainError(
      'failed_precondition',
      `The collection ${name} has an index that isn't as this version needs it; drop it, and it is made anew. These are needed: ${names}.`,
      { cause: error },
    );
  }
}

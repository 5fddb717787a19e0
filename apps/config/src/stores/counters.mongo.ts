import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';

/** Gives numbers that grow and never come back; some are never used. */
export type NextNumber = () => Promise<number>;

interface CounterDocument extends MongoDocument {
  readonly last: number;
}

/** A counter of the deployment, by name: one document, which every replica of the service raises. */
export async function createMongoCounter(database: MongoDatabase, name: string): Promise<NextNumber> {
  const collection = await database.open<CounterDocument>({ name: 'config_counters', indexes: [] });
  // Here, and not by whoever counts first: several would make it at once.
  await collection.insert({ _id: name, last: 0 });
  return async () => (await collection.upsert({ _id: name }, { $inc: { last: 1 } })).last;
}

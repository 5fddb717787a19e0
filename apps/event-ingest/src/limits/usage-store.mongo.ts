import { randomBytes } from 'node:crypto';
import { DomainError } from '@posthorn/models';
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { returnUsage, takeUsage, type StoredUsage, type UsageStore } from './usage-store.ts';

interface UsageDocument extends MongoDocument, StoredUsage {
  /** Grows by one with every write: who writes says which state it has read. */
  readonly writes: number;
  /** The names of the last writes: a writer whose answer was lost finds its own here. */
  readonly lastWrites: readonly string[];
  readonly expiresAt: Date;
}

const keptWrites = 16;
/** How often others may come first; each time one of them got what it asked for. */
const maxTries = 50;
/** How much later the server removes what has expired: its clock isn't ours. */
const removalDelaySeconds = 60 * 60;

/**
 * Usage in MongoDB: a counter is a document that is replaced by whoever has read its last state. A write is named, so that it isn't
 * done twice when the answer to its first try is lost. Where that can't be told, taking is done again and giving back isn't: what
 * goes wrong makes less of a limit, never more.
 */
export async function createMongoUsageStore(database: MongoDatabase): Promise<UsageStore> {
  const collection = await database.open<UsageDocument>({
    name: 'ingest_usage',
    indexes: [{ name: 'by_expiry', key: { expiresAt: 1 }, expireAfterSeconds: removalDelaySeconds }],
  });

  /** Whether `next` stands now; `unknown` when it may have stood for a moment. */
  async function replace(
    counter: string,
    found: UsageDocument | null,
    next: StoredUsage & Pick<UsageDocument, 'expiresAt'>,
  ): Promise<'written' | 'lost' | 'unknown'> {
    const name = randomBytes(9).toString('base64url');
    const { window, used, expiresAt } = next;
    const written =
      found === null
        ? await collection.insert({ _id: counter, window, used, expiresAt, writes: 1, lastWrites: [name] })
        : await collection.updateOne(
            { _id: counter, writes: found.writes },
            {
              $set: { window, used, expiresAt },
              $inc: { writes: 1 },
              $push: { lastWrites: { $each: [name], $slice: -keptWrites } },
            },
          );
    if (written === true) return 'written';
    const present = await collection.findOne({ _id: counter });
    if (present === null) return 'unknown';
    if (present.lastWrites.includes(name)) return 'written';
    return present.writes - (found?.writes ?? 0) > keptWrites ? 'unknown' : 'lost';
  }

  return {
    async take(request) {
      const { counter, expiresAt } = request;
      for (let tries = 0; tries < maxTries; tries += 1) {
        const found = await collection.findOne({ _id: counter });
        const taken = takeUsage(found, request);
        if (taken.taken === 0) return taken;
        const { window, used } = taken;
        if ((await replace(counter, found, { window, used, expiresAt })) === 'written') return taken;
      }
      throw new DomainError('unavailable', 'Too many count at once; try again.', { retryAfterMs: 1000 });
    },

    async giveBack(counter, taken) {
      for (let tries = 0; tries < maxTries; tries += 1) {
        const found = await collection.findOne({ _id: counter });
        const returned = returnUsage(found, taken);
        if (found === null || returned === null) return;
        const { expiresAt } = found;
        if ((await replace(counter, found, { ...returned, expiresAt })) !== 'lost') return;
      }
    },

    async sweep(now, limit) {
      const expired = { expiresAt: { $lte: now } };
      const found = await collection.find(expired, { limit, sort: { expiresAt: 1 }, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return collection.deleteMany({ ...expired, _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

import type { MongoDatabase, MongoDocument, MongoFilter } from '@posthorn/mongo';
import type { Job, JobEpoch, JobStore } from './job-store.ts';
import { nameOf, namesUnder } from '../mongo-names.ts';
import { scanByName } from '../deliveries/scan-pages.mongo.ts';

interface JobDocument extends MongoDocument, Job {
  /** There until the job has ended: what is in the index of open jobs. */
  readonly isOpen?: true;
}

/** Jobs in MongoDB: one document each, which changes by comparing and setting. */
export async function createMongoJobStore(database: MongoDatabase): Promise<JobStore> {
  const collection = await database.open<JobDocument>({
    name: 'dispatcher_jobs',
    indexes: [
      { name: 'by_kind', key: { kind: 1, _id: 1 } },
      {
        name: 'open',
        key: { isOpen: 1, organisationId: 1, id: 1 },
        partialFilterExpression: { isOpen: true },
      },
      { name: 'ended', key: { organisationId: 1, kind: 1, finishedAt: 1 } },
    ],
  });

  async function read(organisationId: string, id: string): Promise<Job | null> {
    const found = await collection.findOne({ _id: nameOf(organisationId, id) });
    return found === null ? null : jobOf(found);
  }

  /** From one organisation to the next by an index, however many jobs each has. */
  async function skip(wanted: MongoFilter<JobDocument>, after: string, limit: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < limit) {
      const beyond = { ...wanted, organisationId: { $gt: ids.at(-1) ?? after } };
      const found = await collection.findOne(beyond, { sort: { organisationId: 1 } });
      if (found === null) break;
      ids.push(found.organisationId);
    }
    return ids;
  }

  return {
    isExclusive: false,

    async insert(job) {
      const fresh = { state: 'pending', cursor: '', startedAt: null, finishedAt: null, error: null } as const;
      const _id = nameOf(job.organisationId, job.id);
      await collection.insert({ _id, ...job, ...fresh, owner: null, epoch: 0, beat: 0, isOpen: true });
      const found = await read(job.organisationId, job.id);
      if (found === null) throw new Error(`job ${job.id} was written and is not there`);
      return found;
    },

    get: read,

    async list({ organisationId, kind, states = [] }, page) {
      const names = namesUnder(organisationId);
      const conditions = states.length === 0 ? [] : [{ state: { $in: states } }];
      const walk = { collection, range: { kind }, names, hint: 'by_kind' };
      const { items, nextCursor } = await scanByName(walk, conditions, page);
      return { items: items.map(jobOf), nextCursor };
    },

    countOpen: (organisationId, kind, limit) =>
      collection.count({ isOpen: true, organisationId, kind }, limit),

    openOrganisations: (after, limit) => skip({ isOpen: true }, after, limit),

    async open(organisationId, limit) {
      const found = await collection.find(
        { isOpen: true, organisationId },
        { limit, sort: { isOpen: 1, organisationId: 1, id: 1 }, hint: 'open' },
      );
      return found.map(jobOf);
    },

    async take({ organisationId, id, epoch, beat, owner, startedAt }, candidate, now) {
      const _id = nameOf(organisationId, id);
      const taken = await collection.findOneAndUpdate(
        { _id, epoch, beat, owner, isOpen: true },
        {
          $set: { owner: candidate, state: 'running', startedAt: startedAt ?? now },
          $inc: { epoch: 1, beat: 1 },
        },
      );
      if (taken !== null) return jobOf(taken);
      // A first try whose answer was lost has taken it for us.
      const stands = await read(organisationId, id);
      const isOurs = stands?.owner === candidate && stands.epoch === epoch + 1 && stands.state === 'running';
      return isOurs ? stands : null;
    },

    async renew(held) {
      if (held.length === 0) return new Set();
      const wanted: MongoFilter<JobDocument> = {
        $or: held.map((job) => ({ ...under(job), isOpen: true as const })),
      };
      const renewed = await collection.updateMany(wanted, { $inc: { beat: 1 } });
      if (renewed === held.length) return new Set(held.map(({ id }) => id));
      const standing = await collection.find(wanted, { limit: held.length });
      return new Set(standing.map(({ id }) => id));
    },

    async giveBack(held) {
      await collection.updateOne(under(held), { $set: { owner: null } });
    },

    async save(held, { cursor, counts }) {
      const saved = await collection.findOneAndUpdate(under(held), {
        $set: { cursor, counts },
        $inc: { beat: 1 },
      });
      return saved === null ? null : jobOf(saved);
    },

    async finish(held, { state, error, at }) {
      const end = { state, error, finishedAt: at };
      const ended = await collection.updateOne(
        { ...under(held), isOpen: true },
        { $set: { ...end, owner: null }, $unset: { isOpen: true } },
      );
      if (ended === true) return true;
      // A first try whose answer was lost has ended it.
      const { organisationId, id, epoch } = held;
      return (await collection.findOne({ _id: nameOf(organisationId, id), epoch, ...end })) !== null;
    },

    async cancel(organisationId, id, now) {
      const _id = nameOf(organisationId, id);
      const end = { state: 'cancelled', finishedAt: now } as const;
      const cancelled = await collection.findOneAndUpdate(
        { _id, isOpen: true },
        { $set: end, $unset: { isOpen: true } },
      );
      if (cancelled !== null) return jobOf(cancelled);
      // As above.
      const ours = await collection.findOne({ _id, ...end });
      return ours === null ? null : jobOf(ours);
    },

    async sweep({ organisationId, kind, before, limit }) {
      const old = { organisationId, kind, finishedAt: { $lt: before } };
      const options = { limit, sort: { organisationId: 1, kind: 1, finishedAt: 1 }, hint: 'ended' } as const;
      const found = await collection.find(old, { ...options, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return collection.deleteMany({ ...old, _id: { $in: found.map(({ _id }) => _id) } });
    },

    organisations: (after, limit) => skip({}, after, limit),
  };
}

/** A job whose owner is still the one of that epoch. */
function under({ organisationId, id, epoch }: JobEpoch) {
  return { _id: nameOf(organisationId, id), epoch, owner: { $ne: null } };
}

function jobOf({ _id, isOpen: _isOpen, ...job }: JobDocument): Job {
  return job;
}

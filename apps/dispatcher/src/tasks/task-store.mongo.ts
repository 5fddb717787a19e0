import { randomBytes } from 'node:crypto';
import type { Task } from '@posthorn/models';
import type { MongoDatabase, MongoDocument, MongoFilter } from '@posthorn/mongo';
import { expiring, expiryIndex, noExpiry, type Expiring, type Expiry } from '../retention/expiry.ts';
import type { TaskQuery, TaskStore } from './task-store.ts';

interface TaskDocument extends MongoDocument, Expiring, Omit<Task, 'id'> {
  /** There until the task has ended: what is in the index of open tasks. */
  readonly isOpen?: true;
  /** Names the write that ended it, which another of the same moment and result isn't. */
  readonly endName?: string;
}

const oldestFirst = { createdAt: 1, _id: 1 } as const;
const newestFirst = { createdAt: -1, _id: -1 } as const;

/** Tasks in MongoDB. */
export async function createMongoTaskStore(
  database: MongoDatabase,
  expiry: Expiry = noExpiry,
): Promise<TaskStore> {
  const collection = await database.open<TaskDocument>({
    name: 'dispatcher_tasks',
    indexes: [
      { name: 'by_time', key: oldestFirst },
      { name: 'by_organisation', key: { organisationId: 1, ...oldestFirst } },
      { name: 'open', key: { isOpen: 1, ...oldestFirst }, partialFilterExpression: { isOpen: true } },
      expiryIndex,
    ],
  });

  async function list({
    organisationIds,
    endpointIds,
    kind,
    page,
  }: TaskQuery): ReturnType<TaskStore['list']> {
    const wanted: MongoFilter<TaskDocument> = {
      ...(organisationIds.length > 0 && { organisationId: { $in: organisationIds } }),
      ...(endpointIds.length > 0 && { endpointId: { $in: endpointIds } }),
      ...(kind !== undefined && { kind }),
    };
    const total = await collection.count(wanted);
    const limit = page.limit + 1;

    async function find(): Promise<TaskDocument[]> {
      const cursorId = page.afterId ?? page.beforeId;
      if (cursorId === null) {
        return collection.find(wanted, { limit, skip: page.offset, sort: newestFirst });
      }
      const cursor = await collection.findOne({ ...wanted, _id: cursorId });
      if (cursor === null) return [];
      const { createdAt, _id } = cursor;
      const [beyond, sort] =
        page.afterId !== null ? (['$lt', newestFirst] as const) : (['$gt', oldestFirst] as const);
      const place = [{ createdAt: { [beyond]: createdAt } }, { createdAt, _id: { [beyond]: _id } }];
      return collection.find({ ...wanted, $or: place }, { limit, sort });
    }

    const found = await find();
    const items = found.slice(0, page.limit).map(taskOf);
    if (page.afterId === null && page.beforeId !== null) items.reverse();
    return { items, total, hasMore: found.length > page.limit };
  }

  return {
    async insert({ id, ...task }) {
      await collection.insert({
        _id: id,
        ...task,
        ...(task.completedAt === null && { isOpen: true }),
        ...expiring(expiry.taskUntil(task.organisationId, task.createdAt)),
      });
      const found = await collection.findOne({ _id: id });
      if (found === null) throw new Error(`task ${id} was written and is not there`);
      return taskOf(found);
    },

    async begin(id, { eventId, at }) {
      const begun = { state: 'processing', eventId, startedAt: at } as const;
      if (await collection.updateOne({ _id: id, state: 'pending' }, { $set: begun })) return true;
      // A first try whose answer was lost has begun it for us: nobody else has this event's id.
      return (await collection.findOne({ _id: id, ...begun })) !== null;
    },

    async complete(id, { state, error, at }) {
      const endName = randomBytes(9).toString('base64url');
      const ended = { state, error, completedAt: at, endName };
      const changed = await collection.updateOne(
        { _id: id, state: 'processing' },
        { $set: ended, $unset: { isOpen: true } },
      );
      if (changed === true) return true;
      // As above.
      return (await collection.findOne({ _id: id, endName })) !== null;
    },

    async get(organisationId, id) {
      const found = await collection.findOne({
        _id: id,
        ...(organisationId !== null && { organisationId }),
      });
      return found === null ? null : taskOf(found);
    },

    list,

    async unfinished(limit) {
      return (await collection.find({ isOpen: true }, { limit, sort: oldestFirst })).map(taskOf);
    },

    async sweep(organisationId, before, limit) {
      const old = { organisationId, createdAt: { $lt: before } };
      const found = await collection.find(old, { limit, sort: oldestFirst, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return collection.deleteMany({ ...old, _id: { $in: found.map(({ _id }) => _id) } });
    },

    async organisations(after, limit) {
      const ids: string[] = [];
      // From one to the next by the index, however many tasks each has.
      while (ids.length < limit) {
        const beyond = { organisationId: { $gt: ids.at(-1) ?? after } };
        const found = await collection.findOne(beyond, { sort: { organisationId: 1 } });
        if (found === null) break;
        ids.push(found.organisationId);
      }
      return ids;
    },
  };
}

function taskOf({ _id, isOpen: _open, endName: _end, expiresAt: _expiry, ...task }: TaskDocument): Task {
  return { id: _id, ...task };
}

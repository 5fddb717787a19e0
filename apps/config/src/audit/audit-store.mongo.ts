import { idFloor, type AuditRecord, type AuditResult, type ErrorCode } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import { boundsOf, type AuditStore } from './audit-store.ts';
import { decodeResource, encodeResource, type ResourceDocument } from '../stores/document.mongo.ts';

interface AuditDocument extends ResourceDocument {
  readonly organisationId: string | null;
  readonly actorId: string;
  readonly action: string;
  readonly resourceId: string | null;
  readonly result: AuditResult;
  readonly errorCode: ErrorCode | null;
}

/** The most telling filter of a search comes first: it decides on the index. */
const filters = ['resourceId', 'actorId', 'organisationId', 'action'] as const;

export async function createMongoAuditStore(database: MongoDatabase): Promise<AuditStore> {
  const collection = await database.open<AuditDocument>({
    name: 'config_audit',
    indexes: filters.map((field) => ({ name: `by_${field}`, key: { [field]: 1, _id: -1 } })),
  });

  return {
    async begin(record) {
      const { id, organisationId, actor, action, resourceId, result, errorCode } = record;
      await collection.insert({
        _id: id,
        organisationId,
        actorId: actor.id,
        action,
        resourceId,
        result,
        errorCode,
        ...encodeResource(record),
        writes: 1,
      });
    },

    async end(id, { result, errorCode, resourceId }) {
      const known = resourceId === null ? {} : { resourceId };
      await collection.updateOne(
        { _id: id, result: 'unknown' },
        { $set: { result, errorCode, ...known }, $inc: { writes: 1 } },
      );
    },

    async list(search) {
      const { above, below } = boundsOf(search);
      const wanted = filters.filter((field) => search[field] !== null);
      const [first] = wanted;
      const found = await collection.find(
        {
          _id: { $gt: above, $lt: below },
          ...Object.fromEntries(wanted.map((field) => [field, search[field]])),
          ...(search.result !== null && { result: search.result }),
        },
        {
          limit: search.limit,
          sort: { _id: -1 },
          hint: first === undefined ? '_id_' : `by_${first}`,
        },
      );
      return found.map(toRecord);
    },

    async sweep(before, limit) {
      const old = { _id: { $lt: idFloor(before.getTime()) } };
      const found = await collection.find(old, { limit, sort: { _id: 1 }, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

function toRecord(found: AuditDocument): AuditRecord {
  const { resourceId, result, errorCode } = found;
  return { ...decodeResource<AuditRecord>(found), resourceId, result, errorCode };
}

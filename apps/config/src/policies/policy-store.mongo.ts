import type { Policy } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import type { NextNumber } from '../stores/counters.mongo.ts';
import {
  decodeResource,
  encodeResource,
  replaceResource,
  type ResourceDocument,
} from '../stores/document.mongo.ts';
import { insertIntoPlace, placeIndex, type PlacedDocument } from '../stores/places.mongo.ts';
import type { PolicyStore, StoredPolicy } from './policy-store.ts';
import { taken } from '../stores/store-errors.ts';

interface PolicyDocument extends ResourceDocument, PlacedDocument {
  readonly organisationId: string;
  readonly number: number;
  readonly name: string;
  readonly sealed: string;
}

export async function createMongoPolicyStore(
  database: MongoDatabase,
  nextNumber: NextNumber,
): Promise<PolicyStore> {
  const collection = await database.open<PolicyDocument>({
    name: 'config_policies',
    indexes: [
      { name: 'by_name', key: { name: 1 }, unique: true },
      { name: 'by_number', key: { number: -1 }, unique: true },
      { name: 'by_organisation', key: { organisationId: 1, number: -1 } },
      placeIndex,
    ],
  });

  return {
    async insert({ policy: unnumbered, sealed }, max) {
      const policy: Policy = { ...unnumbered, number: await nextNumber() };
      const { id, organisationId, name, number } = policy;
      await insertIntoPlace(collection, {
        organisationId,
        max,
        things: 'policies',
        document: (place) => ({
          _id: id,
          organisationId,
          number,
          name,
          place,
          sealed,
          ...encodeResource(policy),
          writes: 1,
        }),
        async isThere() {
          const namesake = await collection.findOne({ name });
          if (namesake !== null && namesake._id !== id) throw taken('/name', 'Another policy has this name.');
          return namesake !== null;
        },
      });
      return { policy, sealed, writes: 1 };
    },

    async find(organisationId, idOrNumber) {
      const wanted = typeof idOrNumber === 'number' ? { number: idOrNumber } : { _id: idOrNumber };
      const found = await collection.findOne({ ...wanted, organisationId });
      return found === null ? null : toStored(found);
    },

    async findByName(name) {
      const found = await collection.findOne({ name });
      return found === null ? null : toStored(found);
    },

    async list({ organisationId, limit, beforeNumber }) {
      const before = beforeNumber === null ? {} : { number: { $lt: beforeNumber } };
      return (
        await collection.find(
          { organisationId, ...before },
          { limit, sort: { number: -1 }, hint: 'by_organisation' },
        )
      ).map(toStored);
    },

    async replace({ policy, sealed, writes }) {
      const { id, organisationId } = policy;
      const written = await replaceResource(collection, {
        found: { _id: id, organisationId, writes },
        set: encodeResource(policy),
      });
      return written === 'written' ? { policy, sealed, writes: writes + 1 } : null;
    },

    async deleteSome(organisationId, limit) {
      const found = await collection.find({ organisationId }, { limit, projection: { _id: 1 } });
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

function toStored(found: PolicyDocument): StoredPolicy {
  return { policy: decodeResource<Policy>(found), sealed: found.sealed, writes: found.writes };
}

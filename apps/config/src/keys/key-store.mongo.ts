import type { ApiKey } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import {
  changeResource,
  decodeResource,
  encodeResource,
  type ResourceDocument,
} from '../stores/document.mongo.ts';
import { completeKey, type KeyPage, type KeyStore, type StoredKey } from './key-store.ts';
import { insertIntoPlace, placeIndex, type PlacedDocument } from '../stores/places.mongo.ts';
import { taken } from '../stores/store-errors.ts';

interface KeyDocument extends ResourceDocument, PlacedDocument {
  readonly tokenSha256: Uint8Array;
  /** Beside the resource, so that a use and a change don't overwrite each other. */
  readonly lastUsedAt: Date | null;
}

export async function createMongoKeyStore(database: MongoDatabase): Promise<KeyStore> {
  const collection = await database.open<KeyDocument>({
    name: 'config_keys',
    indexes: [
      { name: 'by_token', key: { tokenSha256: 1 }, unique: true },
      { name: 'by_organisation', key: { organisationId: 1, _id: -1 } },
      placeIndex,
    ],
  });

  /** Whether the key is there; throws when another one has its token. */
  async function isThere({ key, tokenSha256 }: StoredKey): Promise<boolean> {
    const holder = await collection.findOne({ tokenSha256 });
    if (holder !== null && holder._id !== key.id) throw tokenTaken();
    return holder !== null;
  }

  return {
    async insert(stored, max) {
      const { organisationId } = stored.key;
      await insertIntoPlace(collection, {
        organisationId,
        max,
        things: 'keys',
        document: (place) => ({ ...toDocument(stored), place }),
        isThere: () => isThere(stored),
      });
    },

    async put(stored) {
      const { _id, ...fields } = toDocument(stored);
      const updated = await collection.updateOne({ _id }, { $set: fields });
      if (updated === null) throw tokenTaken();
      if (updated || (await collection.insert({ _id, ...fields }))) return;
      if (!(await isThere(stored))) await collection.updateOne({ _id }, { $set: fields });
    },

    async find(id) {
      const found = await collection.findOne({ _id: id });
      return found === null ? null : toKey(found);
    },

    async findByToken(tokenSha256) {
      const found = await collection.findOne({ tokenSha256 });
      return found === null ? null : toKey(found);
    },

    async list({ owner, limit, beforeId }) {
      const found = await collection.find(
        { ...ownedBy(owner), ...(beforeId !== null && { _id: { $lt: beforeId } }) },
        { limit, sort: { _id: -1 }, hint: owner === 'any' ? '_id_' : 'by_organisation' },
      );
      return found.map(toKey);
    },

    async update(id, changes) {
      let lastUsedAt: Date | null = null;
      const updated = await changeResource<ApiKey, KeyDocument>(collection, id, (found) => {
        ({ lastUsedAt } = found);
        return { resource: { ...completeKey(decodeResource<ApiKey>(found)), ...changes } };
      });
      // Only a token is unique, and no change has one.
      return updated === null || updated === 'refused' ? null : { ...updated, lastUsedAt };
    },

    async touch(id, usedAt) {
      // Of a date and of null, the date is the greater.
      await collection.updateOne({ _id: id }, { $max: { lastUsedAt: usedAt } });
    },

    delete: (id) => collection.deleteOne({ _id: id }),

    async deleteSome(organisationId, limit) {
      const found = await collection.find({ organisationId }, { limit, projection: { _id: 1 } });
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

function toDocument({ key, tokenSha256 }: StoredKey): KeyDocument {
  const { lastUsedAt, ...resource } = key;
  const { id, organisationId } = key;
  return { _id: id, organisationId, tokenSha256, lastUsedAt, ...encodeResource(resource), writes: 1 };
}

function toKey(found: KeyDocument): ApiKey {
  return { ...completeKey(decodeResource<ApiKey>(found)), lastUsedAt: found.lastUsedAt };
}

function ownedBy(owner: KeyPage['owner']): { readonly organisationId?: string | null } {
  if (owner === 'any') return {};
  return { organisationId: owner === 'operator' ? null : owner.organisationId };
}

function tokenTaken(): Error {
  return taken('/token', 'Another key has this token.');
}

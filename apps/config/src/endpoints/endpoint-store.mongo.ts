import type { Endpoint } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import type { NextNumber } from '../stores/counters.mongo.ts';
import { replaceResource } from '../stores/document.mongo.ts';
import {
  endpointIndexes,
  toEndpointFields,
  toStoredEndpoint,
  type EndpointDocument,
} from './endpoint-document.mongo.ts';
import { searchEndpoints } from './endpoint-search.mongo.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { insertIntoPlace } from '../stores/places.mongo.ts';
import { taken } from '../stores/store-errors.ts';

export async function createMongoEndpointStore(
  database: MongoDatabase,
  nextNumber: NextNumber,
): Promise<EndpointStore> {
  const collection = await database.open<EndpointDocument>({
    name: 'config_endpoints',
    indexes: endpointIndexes,
  });
  const uidTaken = (uid: string | null): Error => taken('/uid', `Another endpoint has the uid "${uid}".`);

  /** Whether the endpoint is there; throws when another one has its uid. */
  async function isThere({ id, organisationId, uid }: Endpoint): Promise<boolean> {
    const namesake = uid === null ? null : await collection.findOne({ organisationId, uid });
    if (namesake !== null && namesake._id !== id) throw uidTaken(uid);
    return (await collection.findOne({ _id: id, organisationId })) !== null;
  }

  return {
    async insert({ endpoint: unnumbered, sealed }, max) {
      const endpoint: Endpoint = { ...unnumbered, number: await nextNumber() };
      const { id, organisationId, uid, number } = endpoint;
      await insertIntoPlace<EndpointDocument>(collection, {
        organisationId,
        max,
        things: 'endpoints',
        document: (place) => ({
          _id: id,
          organisationId,
          number,
          ...(uid !== null && { uid }),
          place,
          sealed,
          ...toEndpointFields(endpoint),
          writes: 1,
        }),
        isThere: () => isThere(endpoint),
      });
      return { endpoint, sealed, writes: 1 };
    },

    async find(organisationId, idOrUid) {
      const found =
        (await collection.findOne({ _id: idOrUid, organisationId }, { hint: '_id_' })) ??
        (await collection.findOne({ organisationId, uid: idOrUid }, { hint: 'by_uid' }));
      return found === null ? null : toStoredEndpoint(found);
    },

    async list({ organisationId, limit, beforeNumber, state, dialect }) {
      const found = await collection.find(
        {
          organisationId,
          ...(beforeNumber !== null && { number: { $lt: beforeNumber } }),
          ...(state !== null && { state }),
          ...(dialect !== null && { dialect }),
        },
        { limit, sort: { number: -1 }, hint: 'by_organisation' },
      );
      return found.map(toStoredEndpoint);
    },

    search: (query) => searchEndpoints(collection, query),

    async pendingVerifications(now, limit) {
      const found = await collection.find(
        {
          verification: 'pending',
          state: { $in: ['enabled', 'paused'] },
          $or: [{ 'times.verificationExpiresAt': null }, { 'times.verificationExpiresAt': { $gt: now } }],
        },
        { limit, sort: { verificationId: 1 }, hint: 'unverified' },
      );
      return found.map(toStoredEndpoint);
    },

    async replace({ endpoint, sealed, writes }) {
      const { id, organisationId, uid } = endpoint;
      const written = await replaceResource(collection, {
        found: { _id: id, organisationId, writes },
        set: { ...toEndpointFields(endpoint), sealed, ...(uid !== null && { uid }) },
        ...(uid === null && { unset: { uid: '' } }),
      });
      if (written === 'refused') throw uidTaken(uid);
      if (written === 'lost') return null;
      return { endpoint, sealed, writes: writes + 1 };
    },

    delete: ({ endpoint: { id, organisationId }, writes }) =>
      collection.deleteOne({ _id: id, organisationId, writes }),

    async namesAny(organisationId, patterns) {
      const filter = { organisationId, operationalTypes: { $in: [...patterns] } };
      return (await collection.findOne(filter, { hint: 'operational' })) !== null;
    },

    async deleteSome(organisationId, limit) {
      const found = await collection.find({ organisationId }, { limit, projection: { _id: 1 } });
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

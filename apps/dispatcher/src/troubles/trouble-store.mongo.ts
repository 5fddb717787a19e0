import { randomBytes } from 'node:crypto';
import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { nameOf, namesUnder, unavailableYet } from '../mongo-names.ts';
import type { EndpointTrouble, TroubleStore } from './trouble-store.ts';

interface TroubleDocument extends MongoDocument, EndpointTrouble {
  /** Names the write that began it: a first try whose answer was lost has begun it for us. */
  readonly beginName: string;
}

/** How often it is tried to begin one that comes and goes. */
const maxTries = 10;

/** Endpoints that are failing, in MongoDB; named after their organisation and their id. */
export async function createMongoTroubleStore(database: MongoDatabase): Promise<TroubleStore> {
  const troubles = await database.open<TroubleDocument>({
    name: 'dispatcher_endpoint_troubles',
    indexes: [],
  });

  return {
    async begin(trouble) {
      const _id = nameOf(trouble.organisationId, trouble.endpointId);
      const beginName = randomBytes(9).toString('base64url');
      const { openUntil } = trouble;
      // Where somebody ends it meanwhile, this is the next one.
      for (let tries = 0; tries < maxTries; tries += 1) {
        if (await troubles.insert({ _id, ...trouble, beginName })) return { trouble, isNew: true };
        const found =
          openUntil === null
            ? await troubles.findOne({ _id })
            : await troubles.findOneAndUpdate({ _id }, { $set: { openUntil } });
        if (found !== null) return { trouble: troubleOf(found), isNew: found.beginName === beginName };
      }
      throw unavailableYet('The trouble of an endpoint');
    },

    end: ({ organisationId, endpointId, failingSince }) =>
      troubles.deleteOne({ _id: nameOf(organisationId, endpointId), failingSince }),

    async find(organisationId, endpointIds) {
      if (endpointIds.length === 0) return [];
      const names = endpointIds.map((id) => nameOf(organisationId, id));
      const found = await troubles.find({ _id: { $in: names } }, { limit: names.length, hint: '_id_' });
      return found.map(troubleOf);
    },

    async list(after, limit) {
      const beyond = after === null ? '' : nameOf(after.organisationId, after.endpointId);
      const found = await troubles.find({ _id: { $gt: beyond } }, { limit, sort: { _id: 1 }, hint: '_id_' });
      return found.map(troubleOf);
    },

    async forget(organisationId) {
      await troubles.deleteMany({ _id: namesUnder(organisationId) });
    },
  };
}

function troubleOf({
  organisationId,
  endpointId,
  failingSince,
  openUntil,
}: TroubleDocument): EndpointTrouble {
  return { organisationId, endpointId, failingSince, openUntil };
}

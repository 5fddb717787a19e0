import type { Organisation } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import {
  changeResource,
  decodeResource,
  encodeResource,
  type ResourceDocument,
} from '../stores/document.mongo.ts';
import { completeOrganisation, type OrganisationStore } from './organisation-store.ts';
import { taken } from '../stores/store-errors.ts';

interface OrganisationDocument extends ResourceDocument {
  readonly slug: string;
}

export async function createMongoOrganisationStore(database: MongoDatabase): Promise<OrganisationStore> {
  const collection = await database.open<OrganisationDocument>({
    name: 'config_organisations',
    indexes: [{ name: 'by_slug', key: { slug: 1 }, unique: true }],
  });
  const slugTaken = (slug: string): Error => taken('/slug', `The slug "${slug}" is taken.`);

  return {
    async insert(organisation) {
      const { id, slug } = organisation;
      const inserted = await collection.insert({
        _id: id,
        slug,
        ...encodeResource(organisation),
        writes: 1,
      });
      // Ids are fresh: what has this one is what an earlier try has written.
      if (!inserted && (await collection.findOne({ _id: id })) === null) throw slugTaken(slug);
    },

    async find(idOrSlug) {
      const found =
        (await collection.findOne({ _id: idOrSlug })) ?? (await collection.findOne({ slug: idOrSlug }));
      return found === null ? null : toOrganisation(found);
    },

    async list({ limit, beforeId }) {
      const filter = beforeId === null ? {} : { _id: { $lt: beforeId } };
      return (await collection.find(filter, { limit, sort: { _id: -1 } })).map(toOrganisation);
    },

    async update(id, changes) {
      const updated = await changeResource<Organisation, OrganisationDocument>(collection, id, (found) => {
        const resource = { ...toOrganisation(found), ...changes };
        return { resource, fields: { slug: resource.slug } };
      });
      if (updated === 'refused') throw slugTaken(changes.slug ?? '');
      return updated;
    },

    delete: (id) => collection.deleteOne({ _id: id }),
  };
}

function toOrganisation(found: OrganisationDocument): Organisation {
  return completeOrganisation(decodeResource<Organisation>(found));
}

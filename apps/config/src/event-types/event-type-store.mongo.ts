import type { EventType } from '@posthorn/models';
import type { MongoDatabase } from '@posthorn/mongo';
import {
  changeResource,
  decodeResource,
  encodeResource,
  type ResourceDocument,
} from '../stores/document.mongo.ts';
import type { EventTypeStore } from './event-type-store.ts';
import { insertIntoPlace, placeIndex, type PlacedDocument } from '../stores/places.mongo.ts';

interface EventTypeDocument extends ResourceDocument, PlacedDocument {
  readonly organisationId: string;
  readonly name: string;
  /** Beside the resource, because it stays when that is replaced. */
  readonly createdAt: Date;
}

export async function createMongoEventTypeStore(database: MongoDatabase): Promise<EventTypeStore> {
  const collection = await database.open<EventTypeDocument>({
    name: 'config_event_types',
    indexes: [{ name: 'by_age', key: { organisationId: 1, createdAt: -1, name: -1 } }, placeIndex],
  });

  async function replace(eventType: EventType): Promise<EventType | null> {
    const { createdAt: _, ...resource } = eventType;
    const found = await collection.findOneAndUpdate(
      { _id: idOf(eventType.organisationId, eventType.name) },
      { $set: encodeResource(resource), $inc: { writes: 1 } },
    );
    return found === null ? null : toEventType(found);
  }

  return {
    async put(eventType, max) {
      const { organisationId, name, createdAt, ...rest } = eventType;
      let eventTypeThere = await replace(eventType);
      const isNew = eventTypeThere === null;
      if (isNew) {
        await insertIntoPlace<EventTypeDocument>(collection, {
          organisationId,
          max,
          things: 'event types',
          document: (place) => ({
            _id: idOf(organisationId, name),
            organisationId,
            name,
            createdAt,
            place,
            ...encodeResource({ organisationId, name, ...rest }),
            writes: 1,
          }),
          // Made by someone else meanwhile, or by an earlier try.
          isThere: async () => (eventTypeThere = await replace(eventType)) !== null,
        });
      }
      return { eventType: eventTypeThere ?? eventType, created: eventTypeThere === null };
    },

    async find(organisationId, name) {
      const found = await collection.findOne({ _id: idOf(organisationId, name) });
      return found === null ? null : toEventType(found);
    },

    async list({ organisationId, limit, after }) {
      const inOrder = { sort: { createdAt: -1, name: -1 }, hint: 'by_age' } as const;
      if (after === null)
        return (await collection.find({ organisationId }, { limit, ...inOrder })).map(toEventType);
      // Two ranges of the index, one behind the other.
      const { createdAt, name } = after;
      const asOld = await collection.find(
        { organisationId, createdAt, name: { $lt: name } },
        { limit, ...inOrder },
      );
      if (asOld.length === limit) return asOld.map(toEventType);
      const older = await collection.find(
        { organisationId, createdAt: { $lt: createdAt } },
        { limit: limit - asOld.length, ...inOrder },
      );
      return [...asOld, ...older].map(toEventType);
    },

    async update(organisationId, name, changes) {
      const id = idOf(organisationId, name);
      const updated = await changeResource<EventType, EventTypeDocument>(collection, id, (found) => ({
        resource: { ...toEventType(found), ...changes },
      }));
      // No change has anything that is unique.
      return updated === 'refused' ? null : updated;
    },

    delete: (organisationId, name) => collection.deleteOne({ _id: idOf(organisationId, name) }),

    async deleteSome(organisationId, limit) {
      const found = await collection.find({ organisationId }, { limit, projection: { _id: 1 } });
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

/** Organisations' ids have no slash in them. */
function idOf(organisationId: string, name: string): string {
  return `${organisationId}/${name}`;
}

function toEventType(found: EventTypeDocument): EventType {
  return { ...decodeResource<EventType>(found), createdAt: found.createdAt };
}

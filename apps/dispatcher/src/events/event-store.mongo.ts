import type { LogBatch } from '@posthorn/event-log';
import type { Event } from '@posthorn/models';
import type { IndexDefinition, MongoCollection, MongoDocument, MongoFilter } from '@posthorn/mongo';
import { expiring, expiryIndex, type Expiring, type Expiry } from '../retention/expiry.ts';
import { createGroupedInserts } from '../deliveries/grouped-inserts.mongo.ts';
import { organisationsOf, scanByTime } from '../deliveries/scan-pages.mongo.ts';
import { nameOf, unavailableYet } from '../mongo-names.ts';
import type { EventClaim, EventFilter, EventPlace, EventStore } from './event-store.ts';

export interface EventDocument extends MongoDocument, Expiring, Omit<Event, 'labels'>, EventPlace {
  /** Names are tenants' own, so they are no names of fields: each label is the JSON text of its name and its value. */
  readonly labels: readonly string[];
}

export const eventIndexes: readonly IndexDefinition[] = [
  { name: 'by_time', key: { organisationId: 1, acceptedAt: -1, _id: -1 } },
  expiryIndex,
];

export interface MongoEventStore extends EventStore {
  /** Puts a test's event on record, which isn't in the log; nothing happens if it is there. */
  insert(event: Event): Promise<void>;
}

/** How often a batch is looked at again when what stands in an event's way isn't to be seen yet. */
const maxTries = 10;

/**
 * Events in MongoDB. An event's insert is its claim (one unordered insert for the batches of all partitions that come together, nothing
 * read unless something is in the way), and its id is unique within its organisation.
 */
export function createMongoEventStore(
  collection: MongoCollection<EventDocument>,
  expiry: Expiry,
): MongoEventStore {
  const insertMany = createGroupedInserts(collection, ({ payload }) => payload.byteLength);
  const documentOf = (event: Event, place: EventPlace): EventDocument => ({
    ...toDocument(event, place),
    ...expiring(expiry.payloadUntil(event.organisationId, event.acceptedAt)),
  });

  /** What the event in the way of each document says of it; null while it isn't to be seen. */
  async function judge(documents: readonly EventDocument[]): Promise<readonly (EventClaim | null)[]> {
    const found = await collection.find(
      { _id: { $in: documents.map(({ _id }) => _id) } },
      { limit: documents.length, projection: { partition: 1, position: 1 } },
    );
    const places = new Map(found.map((one) => [one._id, one]));
    return documents.map(({ _id, partition, position }) => {
      const there = places.get(_id);
      if (there === undefined) return null;
      return there.partition === partition && there.position === position ? 'repeat' : 'duplicate';
    });
  }

  async function claim({ partition, events }: LogBatch): Promise<readonly EventClaim[]> {
    const documents = events.map(({ position, event }) => documentOf(event, { partition, position }));
    const claims: EventClaim[] = documents.map(() => 'new');
    let open = [...documents.keys()];
    for (let tries = 0; tries < maxTries; tries++) {
      const asked = open.flatMap((place) => documents[place] ?? []);
      const refused = await insertMany(asked);
      if (refused.size === 0) return claims;
      const inTheWay = [...refused].flatMap((place) => asked[place] ?? []);
      const judged = await judge(inTheWay);
      const places = [...refused].flatMap((place) => open[place] ?? []);
      open = places.filter((place, index) => {
        const verdict = judged[index] ?? null;
        if (verdict !== null) claims[place] = verdict;
        return verdict === null;
      });
      if (open.length === 0) return claims;
    }
    throw unavailableYet('What is on record of these events');
  }

  return {
    claim,

    async insert(event) {
      await collection.insert(documentOf(event, { partition: 0, position: 0 }));
    },

    async get(organisationId, id) {
      const found = await collection.findOne({ _id: nameOf(organisationId, id) });
      return found === null ? null : toEvent(found);
    },

    async placeOf(organisationId, id) {
      const found = await collection.findOne(
        { _id: nameOf(organisationId, id) },
        { projection: { partition: 1, position: 1 } },
      );
      return found === null ? null : { partition: found.partition, position: found.position };
    },

    async list(filter, page) {
      const { items, nextCursor } = await scanByTime(
        { collection, time: 'acceptedAt', range: { organisationId: filter.organisationId }, hint: 'by_time' },
        conditionsOf(filter),
        page,
      );
      return { items: items.map(toEvent), nextCursor };
    },

    async sweep(organisationId, before, limit) {
      const old = await collection.find(
        { organisationId, acceptedAt: { $lt: before } },
        { limit, sort: { acceptedAt: 1, _id: 1 }, projection: { _id: 1 } },
      );
      if (old.length > 0) await collection.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      return old.length;
    },

    organisations: (after, limit) => organisationsOf(collection, after, limit),
  };
}

function toDocument(
  { labels, payload, ...event }: Event,
  { partition, position }: EventPlace,
): EventDocument {
  return {
    _id: nameOf(event.organisationId, event.id),
    ...event,
    payload,
    labels: Object.entries(labels).map((label) => JSON.stringify(label)),
    partition,
    position,
  };
}

/** The event as it was accepted. */
export function toEvent(found: EventDocument): Event {
  const { _id, partition: _partition, position: _position, expiresAt: _expiresAt, labels, ...event } = found;
  const pairs = labels.map((label) => JSON.parse(label) as [string, string]);
  // Documents of older versions lack what came later.
  const { deliverAt = null } = event as Partial<Pick<Event, 'deliverAt'>>;
  return { ...event, deliverAt, labels: Object.fromEntries(pairs) };
}

function conditionsOf(filter: EventFilter): MongoFilter<EventDocument>[] {
  const { type, labels = {}, subject, idempotencyKey, after, before } = filter;
  return [
    ...(type === undefined ? [] : [{ type }]),
    ...(subject === undefined ? [] : [{ subject }]),
    ...(idempotencyKey === undefined ? [] : [{ idempotencyKey }]),
    ...(after === undefined ? [] : [{ acceptedAt: { $gt: after } }]),
    ...(before === undefined ? [] : [{ acceptedAt: { $lt: before } }]),
    ...Object.entries(labels).map((label) => ({ labels: JSON.stringify(label) })),
  ];
}

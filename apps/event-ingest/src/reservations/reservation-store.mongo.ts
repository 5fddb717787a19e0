import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import { createBatcher, type Settled } from '@posthorn/runtime';
import type { Reservation, ReservationStore, Reserved } from './reservations.ts';

interface ReservationDocument extends MongoDocument {
  readonly eventId: string;
  readonly digest: Uint8Array;
  readonly acceptedAt: Date;
  readonly expiresAt: Date;
}

/** How much later the server removes what has expired: its clock isn't ours, and it must not be the earlier one. */
const removalDelaySeconds = 60 * 60;
const maxGroup = 500;
const maxWaiting = 10_000;
/** Between two looks at a name it can be given up; far more often than that it can't. */
const maxTries = 20;

/**
 * Reservations in MongoDB: what comes together is one insert, which is all that a name costs that is free. A name that is
 * taken costs two more operations, of those who ask for it.
 */
export async function createMongoReservationStore(database: MongoDatabase): Promise<ReservationStore> {
  const collection = await database.open<ReservationDocument>({
    name: 'ingest_reservations',
    indexes: [{ name: 'by_expiry', key: { expiresAt: 1 }, expireAfterSeconds: removalDelaySeconds }],
  });

  const insertions = createBatcher<Reservation, boolean>({
    maxItems: maxGroup,
    maxWaiting,
    async run(reservations): Promise<readonly Settled<boolean>[]> {
      const taken = await collection.insertMany(reservations.map(documentOf));
      return reservations.map((_, place) => ({ ok: true, value: !taken.has(place) }));
    },
  });

  /** The name was taken a moment ago: it may have expired, or have been given up since. */
  async function reserveTaken(reservation: Reservation): Promise<Reserved> {
    const { _id, ...wanted } = documentOf(reservation);
    for (let tries = 0; tries < maxTries; tries += 1) {
      const hasExpired = { _id, expiresAt: { $lte: reservation.acceptedAt } };
      if (await collection.updateOne(hasExpired, { $set: wanted })) return { made: true, reservation };
      const found = await collection.findOne({ _id });
      if (found !== null) return { made: false, reservation: reservationOf(found, reservation) };
      if (await collection.insert({ _id, ...wanted })) return { made: true, reservation };
    }
    throw new Error('A name was given up as often as it was looked at.');
  }

  return {
    async reserve(reservation) {
      if (await insertions.submit(reservation)) return { made: true, reservation };
      return reserveTaken(reservation);
    },

    async find(wanted) {
      const { _id, acceptedAt } = documentOf(wanted);
      const found = await collection.findOne({ _id, expiresAt: { $gt: acceptedAt } });
      return found === null ? null : reservationOf(found, wanted);
    },

    async release(reservation) {
      const { _id, eventId, digest } = documentOf(reservation);
      await collection.deleteOne({ _id, eventId, digest });
    },

    async sweep(now, limit) {
      const expired = { expiresAt: { $lte: now } };
      const found = await collection.find(expired, { limit, sort: { expiresAt: 1 }, projection: { _id: 1 } });
      if (found.length === 0) return 0;
      return collection.deleteMany({ ...expired, _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

/** Neither an organisation's id nor a kind has a slash in it. */
function documentOf(reservation: Reservation): ReservationDocument {
  const { organisationId, kind, name, eventId, digest, acceptedAt, expiresAt } = reservation;
  return { _id: `${organisationId}/${kind}/${name}`, eventId, digest, acceptedAt, expiresAt };
}

function reservationOf(
  { eventId, digest, acceptedAt, expiresAt }: ReservationDocument,
  { organisationId, kind, name }: Reservation,
): Reservation {
  return { organisationId, kind, name, eventId, digest: new Uint8Array(digest), acceptedAt, expiresAt };
}

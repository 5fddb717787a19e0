import type { MongoDatabase, MongoDocument } from '@posthorn/mongo';
import type { Answer, IdempotencyStore, ReservationRequest, ReservationResult } from './idempotency-store.ts';

interface ReservationDocument extends MongoDocument {
  readonly digest: Uint8Array;
  readonly reservation: string;
  readonly reservedAt: Date;
  readonly expiresAt: Date;
  readonly answer: StoredAnswer | null;
}

interface StoredAnswer {
  readonly status: number;
  /** JSON text: names of headers aren't names of fields. */
  readonly headers: string;
  readonly body: Uint8Array;
}

/** How much later the server removes what has expired: its clock isn't ours, and it must not be the earlier one. */
const removalDelaySeconds = 60 * 60;

/** Far more often than a key can change hands between two looks at it. */
const maxTries = 100;

export async function createMongoIdempotencyStore(database: MongoDatabase): Promise<IdempotencyStore> {
  const collection = await database.open<ReservationDocument>({
    name: 'config_reservations',
    indexes: [{ name: 'by_expiry', key: { expiresAt: 1 }, expireAfterSeconds: removalDelaySeconds }],
  });

  return {
    async reserve(request) {
      const { digest, reservation, now, expiresAt, staleBefore } = request;
      const _id = idOf(request);
      const wanted = { digest, reservation, reservedAt: now, expiresAt, answer: null };
      for (let tries = 0; tries < maxTries; tries++) {
        if (await collection.insert({ _id, ...wanted })) return { outcome: 'reserved' };
        const isFree = [
          { expiresAt: { $lte: now } },
          { digest, answer: null, reservedAt: { $lt: staleBefore } },
        ];
        if (await collection.updateOne({ _id, $or: isFree }, { $set: wanted }))
          return { outcome: 'reserved' };
        const found = await collection.findOne({ _id });
        if (found !== null) return judge(found, request);
      }
      return { outcome: 'in_progress' };
    },

    async complete(completion) {
      const { reservation, answer } = completion;
      const mine = { _id: idOf(completion), reservation, answer: null };
      if (answer === null) await collection.deleteOne(mine);
      else await collection.updateOne(mine, { $set: { answer: encodeAnswer(answer) } });
    },

    async deleteSome(organisationId, limit) {
      // No organisation's id has a slash in it, so nobody else's names begin like theirs.
      const theirs = { _id: { $gte: `${organisationId}/`, $lt: `${organisationId}0` } };
      const found = await collection.find(theirs, { limit, hint: '_id_', projection: { _id: 1 } });
      return await collection.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    },

    async sweep(now, limit) {
      const expired = { expiresAt: { $lte: now } };
      const found = await collection.find(expired, { limit, sort: { expiresAt: 1 }, projection: { _id: 1 } });
      return await collection.deleteMany({ ...expired, _id: { $in: found.map(({ _id }) => _id) } });
    },
  };
}

/** Both are any text: the length at the end says where the one stops. */
function idOf({ owner, key }: { readonly owner: string; readonly key: string }): string {
  return `${owner}/${key}/${owner.length}`;
}

function judge(found: ReservationDocument, { digest, reservation }: ReservationRequest): ReservationResult {
  if (Buffer.compare(found.digest, digest) !== 0) return { outcome: 'mismatch' };
  if (found.answer !== null) return { outcome: 'answered', answer: decodeAnswer(found.answer) };
  // Ours: the answer to an earlier try was lost.
  return { outcome: found.reservation === reservation ? 'reserved' : 'in_progress' };
}

function encodeAnswer({ status, headers, body }: Answer): StoredAnswer {
  return { status, headers: JSON.stringify(headers), body };
}

function decodeAnswer({ status, headers, body }: StoredAnswer): Answer {
  return { status, headers: JSON.parse(headers) as Answer['headers'], body };
}

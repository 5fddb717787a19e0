import { DomainError } from '@posthorn/models';
import type { MongoCollection, MongoDocument } from '@posthorn/mongo';
import { tooMany } from './store-errors.ts';

/**
 * How a limit per organisation holds although many insert at once, without transactions: each thing takes one of as many
 * places as there may be, and a unique index gives a place to one only. Nothing is counted that a crash could leave wrong:
 * a place is free again when its thing is gone.
 */
export interface PlacedDocument extends MongoDocument {
  readonly organisationId: string | null;
  /** From 0. Absent: it was made without a limit, and takes no place. */
  readonly place?: number;
}

/** What a collection of such documents needs. */
export const placeIndex = {
  name: 'by_place',
  key: { organisationId: 1, place: 1 },
  unique: true,
  partialFilterExpression: { place: { $exists: true } },
} as const;

export interface Placement<D> {
  readonly organisationId: string | null;
  /** How many there may be, and of what, for the error. */
  readonly max: number;
  readonly things: string;
  readonly document: (place: number) => D;
  /**
   * Asked when the document was refused: true if it is there itself (an earlier try of this very insert), false if
   * nothing but the place stood in its way. Throws if another one has what is unique in it.
   */
  readonly isThere: () => Promise<boolean>;
}

/** How many others may come first before a caller is sent away: everyone who is refused a place has seen someone get it. */
const maxTries = 200;

/** Inserts a document into a free place; `failed_precondition` when there is none. */
export async function insertIntoPlace<D extends PlacedDocument>(
  collection: MongoCollection<D>,
  { organisationId, max, things, document, isThere }: Placement<D>,
): Promise<void> {
  const places = collection as MongoCollection<PlacedDocument>;
  for (let tries = 0; tries < maxTries; tries++) {
    const place = await freePlace(places, organisationId, max);
    if (place === null) throw tooMany(things, max);
    if (await collection.insert(document(place))) return;
    if (await isThere()) return;
  }
  throw new DomainError('unavailable', 'Too many are being made at once; try again.');
}

async function freePlace(
  collection: MongoCollection<PlacedDocument>,
  organisationId: string | null,
  max: number,
): Promise<number | null> {
  const taken = { organisationId, place: { $gte: 0 } };
  const places = { hint: placeIndex.name, projection: { _id: 0, place: 1 } } as const;
  const last = await collection.findOne(taken, { ...places, sort: { organisationId: -1, place: -1 } });
  const next = last?.place === undefined ? 0 : last.place + 1;
  if (next < max) return next;
  // Only close to the limit: one that has become free further down.
  const all = await collection.find(taken, { ...places, sort: { organisationId: 1, place: 1 }, limit: max });
  if (all.length >= max) return null;
  const present = new Set(all.map(({ place }) => place));
  return Array.from({ length: max }, (_, place) => place).find((place) => !present.has(place)) ?? null;
}

import {
  DomainError,
  idCeiling,
  idFloor,
  isId,
  type Delivery,
  type DeliveryState,
  type Event,
} from '@posthorn/models';
import type { EventStore } from '../events/event-store.ts';
import type { FeedLane, FeedStore } from './feed-store.ts';

/**
 * What an endpoint was to get, oldest first, for a receiver that looks for what it missed. A page ends with a cursor, also an empty
 * one; who goes on from it gets everything that isn't behind it yet, each delivery once, whatever comes late, is repeated or is
 * retried meanwhile (decision 33).
 *
 * A cursor has two halves: how far the deliveries were read in order of id, and how many of those that came late. What was late before the
 * reader began stands in the order of ids like everything else.
 */
export interface Feed {
  /** Errors: `invalid_argument` for a cursor that this endpoint's feed didn't give out. */
  read(request: FeedRequest): Promise<FeedPage>;
}

export interface FeedRequest extends FeedLane {
  /** Empty: from the beginning. */
  readonly cursor: string;
  /** Without a cursor: only what was accepted after it. */
  readonly after: Date | null;
  readonly limit: number;
  /** Only what is in one of these states now; empty: everything. */
  readonly states: readonly DeliveryState[];
}

export interface FeedPage {
  readonly entries: readonly FeedEntry[];
  readonly nextCursor: string;
  /** There is more now. */
  readonly hasMore: boolean;
}

export interface FeedEntry {
  readonly delivery: Delivery;
  /** Null: it isn't kept any more. */
  readonly event: Event | null;
}

interface Place {
  /** Everything up to this id was read, but for what is late. */
  readonly id: string;
  /** Late ones up to this place stand in the order of ids. */
  readonly base: number;
  /** Late ones up to this place were read. */
  readonly late: number;
}

export interface FeedOptions {
  readonly feeds: FeedStore;
  readonly events: Pick<EventStore, 'get'>;
  /** Moves on what may be read, where that is up to this process. */
  readonly publish: () => Promise<void>;
}

/** Payload bytes after which a page ends. */
const maxPageBytes = 1024 * 1024;
/** Deliveries that are looked at together, and how often for one page: a page of little that matches ends early. */
const slice = 250;
const maxSlices = 20;
const eventsAtOnce = 16;

export function createFeed({ feeds, events, publish }: FeedOptions): Feed {
  async function firstPlace(lane: FeedLane, after: Date | null): Promise<Place> {
    const last = await feeds.placeLate(lane);
    return { id: after === null ? '' : idFloor(after.getTime() + 1), base: last, late: last };
  }

  /** Adds deliveries to a page, with their events, until it is full. Answers how many of them it took. */
  async function fill(page: Page, deliveries: readonly Delivery[]): Promise<number> {
    for (let from = 0; from < deliveries.length; from += eventsAtOnce) {
      const some = deliveries.slice(from, from + eventsAtOnce);
      const found = await Promise.all(
        some.map(({ organisationId, eventId }) => events.get(organisationId, eventId)),
      );
      for (const [index, delivery] of some.entries()) {
        if (isFull(page)) return from + index;
        const event = found[index] ?? null;
        page.entries.push({ delivery, event });
        page.bytes += event === null ? 0 : event.payload.byteLength;
      }
    }
    return deliveries.length;
  }

  /** What came late since the reader began; answers whether there is more of it. */
  async function readLate(page: Page, { organisationId, endpointId, states }: FeedRequest): Promise<boolean> {
    const lane = { organisationId, endpointId };
    await feeds.placeLate(lane);
    const late = await feeds.late(lane, page.place.late, slice);
    if (late.length === 0) return false;
    const found = await feeds.findDeliveries(
      organisationId,
      late.map(({ id }) => id),
    );
    const wanted = late.flatMap(({ id, place }) => {
      const delivery = found.get(id)?.delivery;
      return delivery !== undefined && isWanted(delivery, states) ? [{ delivery, place }] : [];
    });
    const taken = await fill(
      page,
      wanted.map(({ delivery }) => delivery),
    );
    const isAll = taken === wanted.length;
    const last = isAll ? late.at(-1) : wanted[taken - 1];
    if (last !== undefined) page.place = { ...page.place, late: last.place };
    return !isAll || late.length === slice;
  }

  /** What is settled, in order of id; answers whether there is more of it. */
  async function readSettled(page: Page, request: FeedRequest, horizon: number): Promise<boolean> {
    const { organisationId, endpointId, states } = request;
    const lane = { organisationId, endpointId };
    // What begins with the horizon's own time isn't settled.
    const to = horizon === 0 ? '' : idCeiling(horizon - 1);
    for (let slices = 0; slices < maxSlices; slices++) {
      if (isFull(page)) return true;
      const walk = { ...lane, after: page.place.id, to, limit: slice };
      const deliveries = (await feeds.walkDeliveries(walk)).map(({ delivery }) => delivery);
      const last = deliveries.at(-1);
      if (last === undefined) return false;
      const wanted = deliveries.filter((delivery) => isWanted(delivery, states));
      const places = await feeds.placesOf(
        organisationId,
        wanted.map(({ id }) => id),
      );
      const inPlace = wanted.filter(({ id }) => {
        const place = places.get(id);
        return place === undefined || (place !== null && place <= page.place.base);
      });
      const taken = await fill(page, inPlace);
      const reached = taken === inPlace.length ? last : inPlace[taken - 1];
      if (reached !== undefined) page.place = { ...page.place, id: reached.id };
      if (taken < inPlace.length) return true;
      if (deliveries.length < slice) return false;
      await new Promise(setImmediate);
    }
    return true;
  }

  return {
    async read(request) {
      const { organisationId, endpointId, cursor, after, limit } = request;
      await publish();
      const horizon = await feeds.horizon();
      const place =
        cursor === ''
          ? await firstPlace({ organisationId, endpointId }, after)
          : decodeCursor(cursor, endpointId);
      const page: Page = { entries: [], bytes: 0, limit, place };
      const moreLate = await readLate(page, request);
      const moreSettled = await readSettled(page, request, horizon);
      return {
        entries: page.entries,
        nextCursor: encodeCursor(page.place, endpointId),
        hasMore: moreLate || moreSettled,
      };
    },
  };
}

interface Page {
  readonly entries: FeedEntry[];
  readonly limit: number;
  bytes: number;
  place: Place;
}

function isFull({ entries, limit, bytes }: Page): boolean {
  return entries.length >= limit || bytes > maxPageBytes;
}

function isWanted({ state }: Delivery, states: readonly DeliveryState[]): boolean {
  return states.length === 0 || states.includes(state);
}

function encodeCursor({ id, base, late }: Place, endpointId: string): string {
  return Buffer.from(JSON.stringify([endpointId, id, base, late])).toString('base64url');
}

/** Throws `invalid_argument` for what isn't a cursor of this endpoint's feed. */
function decodeCursor(cursor: string, endpointId: string): Place {
  const [lane, id, base, late, ...rest] = parsed(cursor);
  const isPlace = typeof id === 'string' && (id === '' || isId(id)) && isCount(base) && isCount(late);
  if (lane === endpointId && isPlace && rest.length === 0) return { id, base, late };
  throw DomainError.invalid([
    {
      field: '?cursor',
      code: 'invalid',
      message: "This must be a cursor that this endpoint's feed gave out.",
    },
  ]);
}

function parsed(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

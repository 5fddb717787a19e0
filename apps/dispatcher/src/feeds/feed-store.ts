import type { Delivery } from '@posthorn/models';
import type { ReplayStore } from '../replays/replay-store.ts';

/**
 * What the feeds of endpoints (feed.ts) ask of storage: deliveries in order of id, how far that order is settled, and what came
 * late. Adapters: `feed-store.sqlite.ts` and `feed-store.mongo.ts`; both pass `feed-store.contract.ts`.
 *
 * A partition's **horizon** is a time: what its owner puts on record from now on and whose id begins with an earlier time, it marks
 * as late first (feed-horizons.ts). What is late gets a **place** of its own, when it is first read: one after the other, so that
 * no place is taken behind one that has been seen.
 */
export interface FeedStore extends Pick<ReplayStore, 'walkDeliveries' | 'findDeliveries'> {
  /**
   * From now on the horizon of the partition is moved under this epoch only. Answers where it stands, in milliseconds since 1970;
   * null when a later epoch has it.
   */
  open(partition: number, epoch: number): Promise<number | null>;
  /** Moves horizons, never back, and only those whose epoch stands. */
  publish(horizons: readonly PartitionHorizon[]): Promise<void>;
  /** The earliest horizon of all partitions: 0 when there is none. */
  horizon(): Promise<number>;
  /** Remembers that these deliveries, on record or about to be, come late; what is remembered already stays as it is. */
  markLate(deliveries: readonly LateName[]): Promise<void>;
  /** Gives the late ones of an endpoint that are on record their places, so many at a time at most; answers the last place taken. */
  placeLate(lane: FeedLane): Promise<number>;
  /** What is late of an endpoint, in order of place, behind one. */
  late(lane: FeedLane, after: number, limit: number): Promise<readonly LateDelivery[]>;
  /** Those of these deliveries that are late, with their places; null: it has none yet. */
  placesOf(organisationId: string, ids: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
  /** Forgets what is late and older than `before`, at most `limit` of an organisation; answers how many there were. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
}

export interface PartitionHorizon {
  readonly partition: number;
  readonly epoch: number;
  readonly at: number;
}

export interface FeedLane {
  readonly organisationId: string;
  readonly endpointId: string;
}

export type LateName = Pick<Delivery, 'organisationId' | 'endpointId' | 'id'>;

export interface LateDelivery {
  readonly id: string;
  readonly place: number;
}

/** So many late ones get their places in one go. */
export const placedAtOnce = 500;

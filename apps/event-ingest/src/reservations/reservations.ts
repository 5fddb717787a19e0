/**
 * Keyed publishes are reserved before they are appended, so that one idempotency key (or one id chosen by a producer)
 * stands for one event, whichever ingest is asked and however often. A reservation says only that the event's append may
 * have begun: whoever finds one with the same digest appends again under its event id.
 */
export interface Reservation {
  readonly organisationId: string;
  readonly kind: ReservationKind;
  /** The idempotency key, or the producer's id. */
  readonly name: string;
  /** The event that the name stands for. */
  readonly eventId: string;
  /** SHA-256 of what was published (`publish-digest.ts`). */
  readonly digest: Uint8Array;
  /** With the event's id, all that the answer to the first publish said. */
  readonly acceptedAt: Date;
  /** From this moment on the name is free again. */
  readonly expiresAt: Date;
}

/** Keys and ids are different names: a key that reads like some event's id doesn't collide with it. */
export type ReservationKind = 'key' | 'id';

export interface Reserved {
  /** True when the name was free, or its reservation had expired. */
  readonly made: boolean;
  /** What stands under the name now: the reservation that was asked for, or the one that was there before. */
  readonly reservation: Reservation;
}

/** Owned by event-ingest. Adapters group concurrent calls; each caller waits for its own only. */
export interface ReservationStore {
  /**
   * Takes a name unless someone holds it at `reservation.acceptedAt`; of concurrent callers exactly one gets it. Resolves
   * when the reservation is durable. Error: `unavailable` when the store is away.
   */
  reserve(reservation: Reservation): Promise<Reserved>;
  /** What holds the name of `wanted` at `wanted.acceptedAt`; null when it is free. Error: `unavailable` when the store is away. */
  find(wanted: Reservation): Promise<Reservation | null>;
  /** Gives up a reservation that was made for a publish that was then refused. Does nothing when someone else holds the name. */
  release(reservation: Reservation): Promise<void>;
  /** Removes at most `limit` reservations that expired at or before `now`; answers how many. */
  sweep(now: Date, limit: number): Promise<number>;
}

/**
 * Answers by idempotency key. A reservation is held by whoever made it until it is completed; a stale one, whose holder
 * seems to have died, goes to the next caller with the same request, and its old holder can no longer complete it.
 */
export interface IdempotencyStore {
  reserve(request: ReservationRequest): Promise<ReservationResult>;
  /** Stores the answer, or frees the key when it is null. Does nothing when the reservation isn't the current one. */
  complete(completion: Completion): Promise<void>;
  /** Deletes up to `limit` entries of an organisation, which is their owner, and says how many. */
  deleteSome(organisationId: string, limit: number): Promise<number>;
  /** Deletes up to `limit` expired entries and says how many. */
  sweep(now: Date, limit: number): Promise<number>;
}

export interface ReservationRequest {
  readonly owner: string;
  readonly key: string;
  /** SHA-256 of the request. */
  readonly digest: Uint8Array;
  /** A fresh random name for the reservation. */
  readonly reservation: string;
  readonly now: Date;
  readonly expiresAt: Date;
  /** Reservations from before this moment that weren't completed may be taken over. */
  readonly staleBefore: Date;
}

export type ReservationResult =
  | { readonly outcome: 'reserved' }
  | { readonly outcome: 'in_progress' }
  /** The key was used with another request. */
  | { readonly outcome: 'mismatch' }
  | { readonly outcome: 'answered'; readonly answer: Answer };

export interface Completion {
  readonly owner: string;
  readonly key: string;
  readonly reservation: string;
  readonly answer: Answer | null;
}

/** An HTTP answer as it is given again. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

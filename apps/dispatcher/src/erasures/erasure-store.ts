/**
 * What erasing asks of storage: tombstones, which say for good what was erased, and the removal of what events have left in the
 * records. Adapters: `.sqlite.ts`, `.mongo.ts`; every adapter passes `erasure-store.contract.ts`.
 */
export interface ErasureStore {
  /** Remembers that something is erased, under the next number. Remembering it twice does no harm. */
  addTombstone(tombstone: Tombstone): Promise<void>;
  /**
   * Tombstones with a number above `number`, in order of it; every one that was there before the call is among them, or above the last
   * one answered. None is ever removed: no log and no backup can then outlive them.
   */
  tombstonesAfter(number: number, limit: number): Promise<readonly NumberedTombstone[]>;
  /** What subjects are hashed with; `fresh` from then on when there is none yet. */
  key(fresh: Uint8Array): Promise<Uint8Array>;

  /** Events of an organisation after an id, in order of id, with what is needed to tell whether they are meant. */
  walkSubjects(organisationId: string, after: string, limit: number): Promise<readonly EventSubject[]>;
  /**
   * Removes events, what was put aside of them and what their receivers answered, and cancels those of their deliveries that still wait
   * (`erased`). What is no more is passed over, so that it can be done again.
   */
  erase(request: EraseRequest): Promise<ErasedContents>;
  /** Removes what was put aside of an organisation's events. */
  eraseDeadRecords(organisationId: string): Promise<void>;
  /** Sees to it that what was removed can't be found in the store's files any more, where that is up to us. */
  purgeFiles(): Promise<void>;
}

/** What was erased: an event, what was accepted of a subject before a time, or everything of an organisation. */
export type Tombstone =
  | { readonly kind: 'event'; readonly organisationId: string; readonly eventId: string }
  | {
      readonly kind: 'subject';
      readonly organisationId: string;
      readonly subjectHash: string;
      readonly before: Date;
    }
  | { readonly kind: 'organisation'; readonly organisationId: string };

export interface NumberedTombstone {
  readonly number: number;
  readonly tombstone: Tombstone;
}

export interface EventSubject {
  readonly id: string;
  readonly subject: string | null;
  readonly acceptedAt: Date;
}

export interface EraseRequest {
  readonly organisationId: string;
  readonly events: readonly EventToErase[];
  readonly now: Date;
}

export interface EventToErase {
  readonly id: string;
  /** When it was accepted, as closely as that is known: its deliveries are looked for there. */
  readonly from: Date;
  readonly to: Date;
}

export interface ErasedContents {
  /** Events that were on record. */
  readonly events: number;
  /** Answers of receivers. */
  readonly responses: number;
  /** Deliveries that waited. */
  readonly cancelled: readonly CancelledDelivery[];
}

export interface CancelledDelivery {
  readonly id: string;
  readonly endpointId: string;
}

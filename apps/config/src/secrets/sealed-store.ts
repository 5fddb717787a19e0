/**
 * Everything of the deployment that lies in a secret box, whosever it is: for the rotation of encryption keys. What is in the boxes stays
 * unknown here.
 */
export interface SealedStore {
  /** How many boxes there are by the id of the key that sealed them. Counted step by step, not as of one moment. */
  countByKey(): Promise<ReadonlyMap<string, number>>;
  /** Records of one kind whose box another key than `exceptKeyId` sealed, newest first: those with a number below `beforeNumber`. */
  list(page: SealedPage): Promise<readonly SealedRecord[]>;
  /**
   * Puts another box in place of the one that was read, if nobody wrote the record since; false when somebody did or it is gone. It is a
   * write like any other: whoever has read the record before it can't put the old box back. But nobody has to learn of it, since what
   * is in the box is the same.
   */
  reseal(record: SealedRecord, sealed: string): Promise<boolean>;
}

export const sealedKinds = ['endpoint', 'policy'] as const;
export type SealedKind = (typeof sealedKinds)[number];

export interface SealedRecord {
  readonly kind: SealedKind;
  readonly id: string;
  readonly organisationId: string;
  /** Unique among those of its kind, and grows. */
  readonly number: number;
  readonly sealed: string;
  readonly writes: number;
}

export interface SealedPage {
  readonly kind: SealedKind;
  readonly exceptKeyId: string;
  /** Null: from the newest on. */
  readonly beforeNumber: number | null;
  readonly limit: number;
}

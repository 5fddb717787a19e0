import type { LogLoss } from '@posthorn/event-log';

/**
 * What could not be worked on, put aside so that it stops nobody (pipeline rule 9), and what the log has lost (rule 5): for a person
 * to look at, who has been alerted. Adapters: `dead-record-store.sqlite.ts`; every adapter passes
 * `dead-record-store.contract.ts`.
 */
export interface DeadRecordStore {
  /** Putting aside what is there already changes nothing. */
  add(record: DeadRecord): Promise<void>;
  addLoss(loss: RecordedLoss): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<readonly DeadRecord[]>;
  listLosses(limit: number): Promise<readonly RecordedLoss[]>;
  /** Forgets what was put aside before a time, at most `limit`; answers how many. */
  sweep(before: Date, limit: number): Promise<number>;
}

/** How long what was put aside is kept. */
export const deadRecordDays = 90;

export interface DeadRecord {
  /** The same for the same record, however often it is met. */
  readonly id: string;
  readonly kind: DeadRecordKind;
  readonly partition: number;
  readonly position: number;
  /** Null where it isn't known, as of bytes that can't be read. */
  readonly organisationId: string | null;
  readonly eventId: string | null;
  readonly deliveryId: string | null;
  readonly reason: string;
  /** What stood in the log (`undecodable`), the event's payload, or the record as JSON, without an answer (`unwritable`). */
  readonly bytes: Uint8Array;
  readonly recordedAt: Date;
}

/**
 * `undecodable`: what stands in the log isn't an event. `unclaimable`: the store refuses the event. `unplannable`: planning it
 * failed. `unwritable`: the store refuses what became of a delivery.
 */
export const deadRecordKinds = ['undecodable', 'unclaimable', 'unplannable', 'unwritable'] as const;
export type DeadRecordKind = (typeof deadRecordKinds)[number];

export interface RecordedLoss extends LogLoss {
  readonly recordedAt: Date;
}

import { idCeiling, idFloor, type AuditEnd, type AuditRecord, type AuditResult } from '@posthorn/models';

/** Who did what. Records are added, told their end once, and removed when their time is up; nothing else changes them. */
export interface AuditStore {
  /** Adds a record, once for each id. */
  begin(record: AuditRecord): Promise<void>;
  /** Says how an action ended whose result is `unknown`; nothing happens to a record that has its result, or isn't there. */
  end(id: string, end: AuditEnd): Promise<void>;
  /** Newest first. */
  list(search: AuditSearch): Promise<readonly AuditRecord[]>;
  /** Removes up to `limit` records that are older, the oldest first, and says how many. */
  sweep(before: Date, limit: number): Promise<number>;
}

/** What is looked for; null is anything. */
export interface AuditSearch {
  /** Null: of all organisations, and of none. */
  readonly organisationId: string | null;
  readonly actorId: string | null;
  readonly action: string | null;
  readonly resourceId: string | null;
  readonly result: AuditResult | null;
  /** Both excluded. */
  readonly after: Date | null;
  readonly before: Date | null;
  /** Those with an id below this one. */
  readonly beforeId: string | null;
  readonly limit: number;
}

/** The ids between which the records of a search are, both excluded. */
export function boundsOf({ after, before, beforeId }: AuditSearch): {
  readonly above: string;
  readonly below: string;
} {
  const end = before === null ? 'g' : idFloor(before.getTime());
  return {
    above: after === null ? '' : idCeiling(after.getTime()),
    below: beforeId !== null && beforeId < end ? beforeId : end,
  };
}

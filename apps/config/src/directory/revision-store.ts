/**
 * The revision barrier's book. Every write of an organisation, an event type or an endpoint takes the next revision
 * before it is answered, so whoever asks afterwards is told of it. The list of changes is bounded: whoever comes from
 * further back than it reaches has to forget everything.
 *
 * There is no method to record a change: the stores whose writes count do that themselves, in the same transaction
 * where the database has one, else right after the write and before its promise settles.
 */
export interface RevisionStore {
  /** What changed after a revision. Includes every write that was answered before this call. */
  changesSince(revision: number): Promise<Changes>;
}

export interface Changes {
  readonly revision: number;
  readonly organisationIds: readonly string[];
  /** The list doesn't reach back to the revision that was asked for; `organisationIds` is empty then. */
  readonly reset: boolean;
}

/** How many changes are kept. */
export const defaultMaxChanges = 1000;

import type { EventType } from '@posthorn/models';

/** Event types by organisation and name. Every write is in `RevisionStore.changesSince` by the time its promise settles. */
export interface EventTypeStore {
  /**
   * Makes the type or replaces it, keeping the `createdAt` of the one that was there.
   * `failed_precondition` when it would be one more than `maxPerOrganisation`.
   */
  put(eventType: EventType, maxPerOrganisation: number): Promise<PutResult>;
  find(organisationId: string, name: string): Promise<EventType | null>;
  /** Newest first; of two that are equally old, the one whose name comes later in code unit order. */
  list(page: EventTypePage): Promise<readonly EventType[]>;
  /** Replaces the fields that are named; null when there is no such type. */
  update(organisationId: string, name: string, changes: EventTypeChanges): Promise<EventType | null>;
  /** False when there was none. */
  delete(organisationId: string, name: string): Promise<boolean>;
  /** Deletes up to `limit` types of an organisation and says how many. */
  deleteSome(organisationId: string, limit: number): Promise<number>;
}

export interface PutResult {
  readonly eventType: EventType;
  readonly created: boolean;
}

export interface EventTypePage {
  readonly organisationId: string;
  readonly limit: number;
  /** The last one of the page before. */
  readonly after: EventTypePosition | null;
}

export interface EventTypePosition {
  readonly createdAt: Date;
  readonly name: string;
}

export type EventTypeChanges = Partial<Omit<EventType, 'organisationId' | 'name' | 'createdAt'>>;

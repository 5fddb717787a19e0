import type { Event } from '@posthorn/models';
import type { LogBatch } from '@posthorn/event-log';
import type { Page, PageRequest } from '../deliveries/delivery-store.ts';

/** Events on record. Adapters: `event-store.sqlite.ts`, where the log itself is the record; every adapter passes `event-store.contract.ts`. */
export interface EventStore {
  /**
   * Claims the events of a batch by inserting them with their partition and position; answers for each whether it is to be
   * planned. Adapters that insert pass `event-claims.contract.ts`.
   */
  claim(batch: LogBatch): Promise<readonly EventClaim[]>;
  get(organisationId: string, id: string): Promise<Event | null>;
  /** Where an event on record stands in the log; a test's event, which never was in it, at position 0 of partition 0. */
  placeOf(organisationId: string, id: string): Promise<EventPlace | null>;
  list(filter: EventFilter, page: PageRequest): Promise<Page<Event>>;
  /** Removes events of an organisation that were accepted before a time, at most `limit`; answers how many. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
  /** Organisations that have events on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

export interface EventPlace {
  readonly partition: number;
  readonly position: number;
}

/**
 * `new`: plan it. `repeat`: this very position was read before, so plan only what isn't on record.
 * `duplicate`: it is on record from another position, because it was written twice; drop it.
 */
export type EventClaim = 'new' | 'repeat' | 'duplicate';

export interface EventFilter {
  readonly organisationId: string;
  readonly type?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly subject?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** Accepted after / before, exclusive. */
  readonly after?: Date | undefined;
  readonly before?: Date | undefined;
}

import type { Event } from '@posthorn/models';
import type { LogBatch } from '@posthorn/event-log';
import type { Page, PageRequest } from './delivery-store.ts';

/** Events on record. Adapters: `event-store.sqlite.ts`, where the log itself is the record. */
export interface EventStore {
  /** Claims the events of a batch by inserting them; answers for each whether it is to be planned. */
  claim(batch: LogBatch): Promise<readonly EventClaim[]>;
  get(organisationId: string, id: string): Promise<Event | null>;
  list(filter: EventFilter, page: PageRequest): Promise<Page<Event>>;
  /** Removes events of an organisation that were accepted before a time, at most `limit`; answers how many. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
  /** Organisations that have events on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

/** `new`: plan it. `repeat`: it was read before, so plan only what isn't on record. `duplicate`: it was written twice, drop it. */
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

import type { Attempt, DeliveryState } from '@posthorn/models';
import type { DeliveryWithLast } from './delivery-store.ts';

/**
 * Searching what is remembered, for APIs whose lists have pages by number, an order of the caller's choice and an exact total. Every
 * such answer looks at all that the organisations and endpoints named have on record, in steps that hold nobody else up, so it costs
 * what they have. Adapters: `delivery-search.sqlite.ts`; every adapter passes `delivery-search.contract.ts`.
 *
 * What isn't of the organisations named is as if it weren't there.
 */
export interface DeliverySearch {
  /** Errors: `deadline_exceeded` when the signal aborts before the answer is complete. */
  deliveries(query: DeliveryQuery, signal: AbortSignal): Promise<SearchResult<DeliveryWithLast>>;
  /** The latest start first; of those that began at the same time, in the order of delivery and number from the last. */
  attempts(query: AttemptQuery, signal: AbortSignal): Promise<SearchResult<FoundAttempt>>;
  /** The attempts of an endpoint from the latest back, in slices: for whoever stops as soon as it knows enough. */
  latestAttempts(organisationId: string, endpointId: string): AsyncIterable<readonly EndedAttempt[]>;
}

/** An attempt, and where its delivery stands now; null when the delivery isn't there any more. */
export interface EndedAttempt {
  readonly deliveryId: string;
  readonly deliveryState: DeliveryState | null;
  readonly startedAt: Date;
  readonly succeeded: boolean;
}

/** What is given is AND-ed; of a list any value will do, and an empty one asks for nothing. */
export interface DeliveryQuery {
  /** Empty: all organisations. */
  readonly organisationIds: readonly string[];
  readonly endpointIds: readonly string[];
  readonly ids: readonly string[];
  readonly eventId: string | null;
  readonly states: readonly DeliveryState[];
  readonly reasons: readonly string[];
  readonly eventTypes: readonly string[];
  /** Exclusive. */
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  readonly orderBy: DeliverySearchOrder;
  readonly descending: boolean;
  readonly page: SearchPage;
}

/** `modified` as `modifiedAtOf` has it. Of what is equal, the id decides. */
export type DeliverySearchOrder = 'created' | 'modified' | 'event_type';

/**
 * `limit` 0 only counts. With `afterId` the page that comes right behind that delivery in the order asked for, with `beforeId` the one
 * right in front of it; an id that the list doesn't hold gives an empty page. `offset` counts only without either.
 */
export interface SearchPage {
  readonly limit: number;
  readonly offset: number;
  readonly afterId: string | null;
  readonly beforeId: string | null;
}

export interface SearchResult<T> {
  readonly items: readonly T[];
  /** Of all pages. */
  readonly total: number;
  /** Whether the list goes on: behind the page, or with `beforeId` in front of it. */
  readonly hasMore: boolean;
}

export interface AttemptQuery {
  readonly organisationIds: readonly string[];
  readonly endpointIds: readonly string[];
  /** Exclusive. */
  readonly startedAfter: Date | null;
  readonly startedBefore: Date | null;
  readonly succeeded: boolean | null;
  /** 2 for 2xx, … */
  readonly statusClass: number | null;
  readonly eventTypes: readonly string[];
  /** A part of the attempt's id, the delivery's id or the status, in any case; plain text, empty for none. */
  readonly text: string;
  readonly limit: number;
  readonly offset: number;
}

export interface FoundAttempt extends DeliveryWithLast {
  readonly attempt: Attempt;
}

/** When something of a delivery changed last: it ended, or an attempt did. Null while neither has happened. */
export function modifiedAtOf({ delivery, lastAttempt }: DeliveryWithLast): Date | null {
  const attemptedAt = lastAttempt === null ? 0 : lastAttempt.startedAt.getTime() + lastAttempt.durationMs;
  const at = Math.max(delivery.finishedAt?.getTime() ?? 0, attemptedAt);
  return at === 0 ? null : new Date(at);
}

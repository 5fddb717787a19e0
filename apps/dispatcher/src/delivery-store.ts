import type {
  Attempt,
  AttemptOutcome,
  AttemptTrigger,
  Delivery,
  DeliveryState,
  Event,
} from '@posthorn/models';

/**
 * What is remembered of deliveries and attempts. Everything names its organisation, except what the dispatcher asks
 * for its own lanes. Adapters: `delivery-store.sqlite.ts`; every adapter passes `delivery-store.contract.ts`.
 *
 * A waiting delivery has a next attempt. While a dispatcher works on it, it carries that dispatcher's `claim`, and its
 * next attempt lies beyond the time that the attempt can take, so that nobody else takes it up; the outcome is written
 * only while the claim still stands.
 */
export interface DeliveryStore {
  /**
   * Writes outcomes and, for the partition's books, the next position to read: in one transaction where the store has
   * them, else the position last. Inserting a delivery that is on record changes nothing.
   */
  record(records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void>;

  /** The next position to read of a partition, 1 before anything was recorded. */
  nextPosition(partition: number): Promise<number>;

  /** Which of these deliveries are on record already. */
  findRecorded(ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** Gives back what a killed predecessor had claimed: due at once. Answers how many. */
  releaseClaims(now: Date): Promise<number>;

  /** Every lane with something waiting and when its first is due, found by skipping from lane to lane. */
  waitingLanes(): Promise<readonly WaitingLane[]>;

  /**
   * Takes up to `limit` due deliveries of one lane, claimed until `claimedUntil`, oldest due first, with their events
   * (null where the payload is gone), and tells when the next one is due. What carries this very claim is in its
   * owner's hands, however long it has been there, and is neither taken nor told of.
   */
  claimDue(request: ClaimRequest): Promise<ClaimedDue>;

  /** Ends or holds what waits of an endpoint, at most `limit` rows; answers how many changed. */
  settleWaiting(request: SettleRequest): Promise<number>;

  get(organisationId: string, id: string): Promise<DeliveryWithLast | null>;
  listDeliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<DeliveryWithLast>>;
  listAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>>;

  /**
   * Takes deliveries for an attempt at once, whatever their state; those that aren't on record are inserted.
   * Answers them as they are now, in the same order.
   */
  claimNow(request: ClaimNowRequest): Promise<readonly Delivery[]>;

  /** Cancels a delivery that hasn't ended; answers it, or null when it has ended or isn't known. */
  cancel(organisationId: string, id: string, now: Date): Promise<Delivery | null>;

  /** Attempts of an endpoint between two times, in slices, oldest first: for statistics. */
  scanAttempts(request: AttemptScan): AsyncIterable<readonly AttemptSample[]>;

  /** What the last attempts of an endpoint say about it. */
  health(organisationId: string, endpointId: string): Promise<RecordedHealth>;

  /** Removes deliveries and attempts of an organisation that are older than `before`, at most `limit`; answers how many. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
  /** Organisations that have deliveries on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

/** One thing to write down. Records of the same delivery are written in the order in which they were made. */
export type DeliveryRecord =
  | {
      readonly kind: 'insert';
      readonly delivery: Delivery;
      readonly claim: string | null;
      /** The attempt that just ended, if one did. */
      readonly attempt: Attempt | null;
    }
  | {
      readonly kind: 'update';
      readonly delivery: Delivery;
      /** The claim under which the delivery was attempted; if it stands no longer, only the attempt is written. */
      readonly expectedClaim: string;
      readonly claim: string | null;
      readonly attempt: Attempt | null;
    };

export interface NextPosition {
  readonly partition: number;
  readonly next: number;
}

export interface WaitingLane {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly dueAt: Date;
}

export interface ClaimRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly now: Date;
  readonly claim: string;
  readonly claimedUntil: Date;
  readonly limit: number;
  /** Takes no more once the payloads taken are over this. */
  readonly maxBytes: number;
}

export interface ClaimNowRequest {
  readonly deliveries: readonly Delivery[];
  readonly trigger: AttemptTrigger;
  readonly claim: string;
  readonly claimedUntil: Date;
}

export interface ClaimedDue {
  readonly due: readonly { readonly delivery: Delivery; readonly event: Event | null }[];
  /** When the next one is due that wasn't taken; null when nothing waits any more. */
  readonly nextDueAt: Date | null;
}

export interface SettleRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly state: Extract<DeliveryState, 'held' | 'cancelled'>;
  readonly reason: string;
  readonly now: Date;
  readonly limit: number;
}

export interface PageRequest {
  readonly limit: number;
  /** Empty for the first page. */
  readonly cursor: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly nextCursor: string;
}

export interface DeliveryWithLast {
  readonly delivery: Delivery;
  readonly lastAttempt: Attempt | null;
}

export interface DeliveryFilter {
  readonly organisationId: string;
  readonly endpointId?: string | undefined;
  /** With the event's time of acceptance, which narrows the search to its deliveries. */
  readonly event?: { readonly id: string; readonly acceptedAt: Date } | undefined;
  readonly eventType?: string | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  /** 2 for 2xx, …, of the last attempt. */
  readonly statusClass?: number | undefined;
  /** Created after / before, exclusive. */
  readonly after?: Date | undefined;
  readonly before?: Date | undefined;
}

export interface AttemptFilter {
  readonly organisationId: string;
  readonly deliveryId?: string | undefined;
  readonly endpointId?: string | undefined;
  readonly event?: { readonly id: string; readonly acceptedAt: Date } | undefined;
  readonly eventType?: string | undefined;
  readonly outcome?: AttemptOutcome | undefined;
  readonly statusClass?: number | undefined;
  /** Started after / before, exclusive. */
  readonly after?: Date | undefined;
  readonly before?: Date | undefined;
}

export interface AttemptScan {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly after: Date;
  readonly before: Date;
}

export interface AttemptSample {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
}

export interface RecordedHealth {
  readonly consecutiveFailures: number;
  readonly failingSince: Date | null;
  readonly lastSuccessAt: Date | null;
  /** Deliveries that wait, counted up to 10,000. */
  readonly waiting: number;
  readonly oldestWaitingAt: Date | null;
}

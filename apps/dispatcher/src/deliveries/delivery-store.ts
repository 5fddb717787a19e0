import type {
  Attempt,
  AttemptOutcome,
  AttemptTrigger,
  Delivery,
  DeliveryState,
  Event,
} from '@posthorn/models';
import type { ErasableEvent } from '../erasures/tombstones.ts';
import type { DeliveryHomes } from './delivery-homes.ts';

/**
 * What is remembered of deliveries and attempts. Everything names its organisation, except what the dispatcher asks
 * for its own lanes. Adapters: `delivery-store.sqlite.ts`; every adapter passes `delivery-store.contract.ts`.
 *
 * A delivery belongs to a partition, its bucket: that of its event in the log, or that of its endpoint's home: whoever holds the partition's lease works on it, and
 * nobody else. A waiting delivery has a next attempt. While a dispatcher works on it, it carries that dispatcher's `claim`
 * (one for each time that it holds the partition) and its next attempt lies beyond the time that the attempt can take; the
 * outcome is written only while the claim still stands. Inserts carry the epoch of the lease that they were made under, so
 * that what an old owner writes late changes nothing that a newer one has written.
 *
 * Deliveries to an endpoint that wants order wait under their key: while `order` is set, only the first of a key (by
 * position) has a next attempt; the others wait without one until they are promoted.
 */
export interface DeliveryStore extends DeliveryHomes {
  /**
   * Writes outcomes and, for the partitions' books, the next positions to read: in one transaction where the store has
   * them, else the positions last. Inserting a delivery that is on record changes nothing, except that one which was put
   * on record under an older epoch of the same partition and hasn't ended is replaced. A position is written only while its epoch stands. What
   * waits under a key is written in the order given: never without what stands before it.
   */
  record(records: readonly DeliveryRecord[], books: readonly NextPosition[]): Promise<void>;

  /** The ids of those of these deliveries that are on record already. */
  findRecorded(
    deliveries: readonly Pick<Delivery, 'organisationId' | 'endpointId' | 'id'>[],
  ): Promise<ReadonlySet<string>>;

  /** Gives back what former owners of a partition had claimed: due at once, in its key's order. Answers how many. */
  releaseClaims(request: ReleaseRequest): Promise<number>;

  /**
   * Every lane with something waiting in these partitions and when its first is due, found by skipping from lane to lane; in the
   * order of the endpoints' ids, each endpoint once.
   */
  waitingLanes(partitions: readonly number[]): Promise<readonly WaitingLane[]>;

  /**
   * Takes up to `limit` due deliveries of one lane in these buckets, claimed until `claimedUntil`, oldest due first, with their
   * events (null where the payload is gone), and tells when the next one is due. What carries a claim of `inHands` is
   * in someone's hands, however long it has been there, and is neither taken nor told of.
   * With `followers`, up to so many of those that wait behind fresh heads of keys are claimed as well, without a next attempt, and told
   * of last: of each key in its order, and without a gap.
   */
  claimDue(request: ClaimRequest): Promise<ClaimedDue>;

  /**
   * Ends or holds what waits of an endpoint in these partitions and isn't claimed, at most `limit` rows, those that wait
   * under a key included; answers how many changed. Holding leaves a key that is blocked as it is.
   */
  settleWaiting(request: SettleRequest): Promise<number>;

  /**
   * Makes the first of what waits under a key its head: due at `now` unless it is due already. Answers null when nothing waits
   * under the key. A head that has ended and still waits there blocks its key: with `release` it is let go, and the next
   * one is promoted.
   */
  promote(request: PromoteRequest): Promise<KeyHead | null>;

  /**
   * The same, without `release`, for up to `limit` keys of a partition after a place in their order, found by skipping from key to
   * key: for a new owner. Answers them with their heads, and null or the place from which to go on.
   */
  promoteKeys(request: PromoteKeysRequest): Promise<PromotedKeys>;

  /** Shows what waits under a key that is blocked as held, for this reason; answers how many changed. */
  holdKey(request: HoldKeyRequest): Promise<number>;

  get(organisationId: string, id: string): Promise<DeliveryWithLast | null>;
  listDeliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<DeliveryWithLast>>;
  listAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>>;

  /**
   * Takes a delivery for an attempt at once, whatever its state; one that isn't on record is inserted. Answers it as it is now.
   * With `order`, it waits in its place under its key instead of being claimed, until it is promoted; if it is the head of its
   * key and in nobody's hands, it is due at `now`. With `claim` null it is left to its partition's owner, who is told of it, due at
   * `now` unless it is in someone's hands. What is in nobody's hands belongs to `partition` from then on.
   * Errors: `unavailable` while it is in the hands of another partition's owner.
   */
  claimNow(request: ClaimNowRequest): Promise<Delivery>;

  /** Cancels a delivery that hasn't ended; answers it, or null when it has ended or isn't known. */
  cancel(organisationId: string, id: string, now: Date): Promise<Delivery | null>;

  /**
   * Says of a delivery that has ended that nothing was sent, because its endpoint is disabled; one that hasn't ended is left as it is.
   * Answers it, or null when it isn't known.
   */
  leaveOut(organisationId: string, id: string): Promise<Delivery | null>;

  /** Attempts of an endpoint between two times, in slices, oldest first: for statistics. */
  scanAttempts(request: AttemptScan): AsyncIterable<readonly AttemptSample[]>;

  /** What the last attempts of an endpoint say about it. */
  health(organisationId: string, endpointId: string): Promise<RecordedHealth>;

  /**
   * Cancels what is held of an organisation and is in nobody's hands, whose event was accepted before `before`: its payload is gone,
   * and it can't be sent any more. At most `limit`; answers how many.
   */
  expireHeld(request: ExpireHeldRequest): Promise<number>;

  /** Removes deliveries and attempts of an organisation that are older than `before`, at most `limit`; answers how many. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
  /** Organisations that have deliveries on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

/**
 * One thing to write down. Records of the same delivery are written in the order in which they were made. Whose answer is in `attempt`
 * is told by `event`, so that what was erased meanwhile is written without (unerased-record.ts).
 */
export type DeliveryRecord =
  | {
      readonly kind: 'insert';
      readonly delivery: Delivery;
      readonly partition: number;
      /** Of the lease under which it was made; 0 when another than the partition's owner puts it there, who is told of it then. */
      readonly epoch: number;
      /** What it waits under from now on; null when it waits for nobody, or no more. */
      readonly order: DeliveryOrder | null;
      readonly claim: string | null;
      /** The attempt that just ended, if one did. */
      readonly attempt: Attempt | null;
      readonly event?: ErasableEvent;
    }
  | {
      readonly kind: 'update';
      readonly delivery: Delivery;
      /** The claim under which the delivery was attempted; if it stands no longer, only the attempt is written. */
      readonly expectedClaim: string;
      readonly order: DeliveryOrder | null;
      readonly claim: string | null;
      readonly attempt: Attempt | null;
      readonly event?: ErasableEvent;
    };

/** A place among the deliveries to one endpoint that have the same key and partition: the lowest position goes first. */
export interface DeliveryOrder {
  readonly key: string;
  /** Of the event in its partition. */
  readonly position: number;
}

export interface NextPosition {
  readonly partition: number;
  readonly epoch: number;
  readonly next: number;
}

export interface ReleaseRequest {
  readonly partition: number;
  /** Claims that stand: the owner's own, and those of former owners whose attempts may still be under way. */
  readonly keep: readonly string[];
  readonly now: Date;
}

export interface WaitingLane {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly dueAt: Date;
}

/** What one owner may take from, and as what. */
export interface Bucket {
  readonly partition: number;
  readonly claim: string;
  /** Claims in this partition that are in someone's hands: `claim` itself, and what former owners left under way. */
  readonly inHands: readonly string[];
}

export interface ClaimRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly buckets: readonly Bucket[];
  readonly now: Date;
  readonly claimedUntil: Date;
  /** Takes, and tells of, only what asks a receiver to show that it is one: events of the type `webhook.verify`. */
  readonly verificationOnly: boolean;
  readonly limit: number;
  /** Beyond `limit`, and shared by the heads; none when absent. */
  readonly followers?: number;
  /** Takes no more once the payloads taken are over this. */
  readonly maxBytes: number;
}

export interface ClaimNowRequest {
  readonly delivery: Delivery;
  readonly partition: number;
  readonly epoch: number;
  readonly order: DeliveryOrder | null;
  readonly trigger: AttemptTrigger;
  readonly now: Date;
  readonly claim: string | null;
  readonly claimedUntil: Date;
}

export interface ClaimedDue {
  readonly due: readonly ClaimedDelivery[];
  /** When the next one is due that wasn't taken; null when nothing waits any more. */
  readonly nextDueAt: Date | null;
}

export interface ClaimedDelivery {
  readonly delivery: Delivery;
  readonly event: Event | null;
  readonly partition: number;
  readonly order: DeliveryOrder | null;
  /** It waits behind others of its key. */
  readonly isBehind?: true;
}

export interface SettleRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly partitions: readonly number[];
  readonly state: Extract<DeliveryState, 'held' | 'cancelled'>;
  readonly reason: string;
  readonly now: Date;
  readonly limit: number;
}

export interface ExpireHeldRequest {
  readonly organisationId: string;
  readonly before: Date;
  readonly now: Date;
  readonly limit: number;
}

/** Deliveries to one endpoint that wait for each other. */
export interface DeliveryKey {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly partition: number;
  readonly key: string;
}

export interface PromoteRequest extends DeliveryKey {
  readonly now: Date;
  /** Lets heads go that have ended. */
  readonly release: boolean;
}

export type KeyHead =
  | { readonly kind: 'due'; readonly deliveryId: string; readonly dueAt: Date }
  | { readonly kind: 'blocked'; readonly deliveryId: string };

export interface PromoteKeysRequest {
  readonly partition: number;
  readonly now: Date;
  /** Null: from the beginning. */
  readonly after: KeyPlace | null;
  readonly limit: number;
}

export interface KeyPlace {
  readonly endpointId: string;
  readonly key: string;
}

export interface PromotedKeys {
  readonly keys: readonly { readonly key: DeliveryKey; readonly head: KeyHead }[];
  readonly next: KeyPlace | null;
}

export interface HoldKeyRequest extends DeliveryKey {
  readonly reason: string;
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

/**
 * Order by key (pipeline rule 14), within a partition and to one endpoint: what has the same key goes out one after the other, in the
 * order of positions, the next one only when the end of the one before is durable.
 *
 * Of a key, at most one delivery is its head: in its lane or under way, or in storage with a next attempt. The others are behind it:
 * in memory as long as storage holds none of the key, else in storage, where they have no next attempt until they are promoted.
 * With a head that comes from storage some of those behind it come along, claimed; what storage holds then is behind these. What is
 * new goes to storage while that holds anything of its key, what is on its way there included; after a takeover, until it was
 * looked up. A key whose head has ended badly is blocked when its endpoint says so: nothing of it goes out until that
 * delivery is retried with success.
 */
import type { Delivery, SigningEndpoint } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import type {
  DeliveryKey,
  DeliveryOrder,
  DeliveryStore,
  PromotedKeys,
} from '../deliveries/delivery-store.ts';
import type { DueClock } from '../due-clock.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

export interface KeyOrder {
  /** True: it is the head of its key and may go into its lane. False: it has been taken over, behind others. */
  admit(queued: QueuedDelivery): boolean;
  /** A head came from storage. False: it isn't its turn, and it has to go back. */
  fetched(queued: QueuedDelivery): boolean;
  /**
   * These came from storage with their heads, behind them. Answers those that can't stay and have to go back: there is no room for them,
   * or something before them goes back, such as one of these heads.
   */
  follow(
    followers: readonly QueuedDelivery[],
    refusedHeads: readonly QueuedDelivery[],
  ): readonly QueuedDelivery[];
  /** It is about to be written as this; answers what to call when that is durable. */
  leaving(queued: QueuedDelivery, delivery: Delivery, order: DeliveryOrder | null): () => void;
  /** Its record has been handed over: what was behind it may follow. */
  left(queued: QueuedDelivery): void;
  /** What has to be on record before it is, so that nothing stands there without those before it. */
  before(queued: QueuedDelivery): readonly QueuedDelivery[];
  /** It was taken out of our hands without a record. */
  withdrawn(queued: QueuedDelivery): void;
  /** Something was put into storage under this key, or may have left it, by other ways. */
  recheck(holding: Holding, key: Omit<DeliveryKey, 'partition'>): void;
  /** Something was put into storage behind what is there of this key. */
  arrived(holding: Holding, key: Omit<DeliveryKey, 'partition'>): void;
  /** As `recheck`, for all keys of an endpoint. */
  recheckEndpoint(endpointId: string): void;
  /** Puts it into storage behind whatever is there of its key: for one that doesn't go out from here. */
  toStorage(queued: QueuedDelivery): void;
  /** Whether anything of the key is in our hands here, or may be in storage. */
  hasLine(holding: Holding, key: Omit<DeliveryKey, 'partition'>): boolean;
  /** What storage holds of a partition's keys, for a new owner. */
  learn(holding: Holding, known: KnownKeys): void;
  /** How often a head of the partition has come from storage: what was read there before that may be out of date. */
  turns(holding: Holding): number;
  /** Looks some of the keys up whose head storage has, those first that weren't for longest: in case something was missed. */
  recheckSome(): void;
  /** Endpoints may have changed: what they no longer want blocked goes on. */
  refresh(organisationId: string): void;
  /** Sends what is behind heads to storage. */
  parkBehind(holding: Holding): void;
  drop(holding: Holding): void;
}

export interface KnownKeys {
  readonly keys: PromotedKeys['keys'];
  /** Whether nothing is left to be told. */
  readonly isComplete: boolean;
  /** `turns` when they were asked for. */
  readonly turns: number;
}

export interface KeyOrderOptions {
  readonly store: Pick<DeliveryStore, 'promote' | 'holdKey'>;
  readonly endpointOf: (key: Omit<DeliveryKey, 'key' | 'partition'>) => SigningEndpoint | undefined;
  /** Takes a head into its lane, or wherever it has to go. */
  readonly place: (queued: QueuedDelivery) => void;
  /** Keeps one that is behind in memory; false when there is no room. */
  readonly keepInMemory: (queued: QueuedDelivery) => boolean;
  /** Puts it into storage, or holds it, as its endpoint is. */
  readonly setAside: (queued: QueuedDelivery) => void;
  readonly noteStored: (organisationId: string, endpointId: string, dueAt: number) => void;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly logger: Logger;
}

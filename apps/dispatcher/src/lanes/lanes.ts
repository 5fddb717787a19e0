import type { SigningEndpoint } from '@posthorn/models';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import type { Judged } from '../attempt.ts';
import type { Breaker } from './breaker.ts';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { DueReader } from '../due.ts';
import type { DueClock } from '../due-clock.ts';
import type { KeyOrder } from './key-order.ts';
import type { LaneHandOver } from './lane-hand-over.ts';
import type { LaneLimits, MemoryBound } from './lane-limits.ts';
import type { LaneReach } from './lane-reach.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import type { Recorder } from '../record.ts';
import type { Tombstones } from '../erasures/tombstones.ts';

/**
 * Step 4: it waits its turn. One lane per endpoint, served round robin, organisations first. What a lane can't keep in
 * memory is parked in storage and comes back when there is room (refill.ts). Whoever waits longer than 250 ms is put on
 * record, so that the log can move on. Nothing here blocks: a receiver that hangs costs its own lane's places only. Nothing
 * starts of a partition whose lease isn't certain.
 */
export interface Lanes extends Pick<LaneHandOver, 'park' | 'ended' | 'leave' | 'drop'> {
  /** Takes a delivery that isn't on record into its endpoint's lane, into storage, or holds it. */
  offer(queued: QueuedDelivery): void;
  /** Takes a delivery that someone asked for: it goes first, whatever state its endpoint is in. */
  expedite(queued: QueuedDelivery): void;
  /** Tells that something of an endpoint waits in storage, due at `dueAt` (by the due clock); in this partition, if that is known. */
  noteStored(organisationId: string, endpointId: string, dueAt: number, partition?: number): void;
  /** What is known in memory of a delivery that isn't (or not finally) on record. */
  find(deliveryId: string): QueuedDelivery | undefined;
  /** Takes a delivery that isn't under way yet out of its lane; false when it is under way or unknown. */
  withdraw(deliveryId: string): boolean;
  /** The endpoints of an organisation may have changed: holds, ends or wakes what waits for them. */
  refresh(organisationId: string): void;
  /** Sends what waits to storage until about this is left, every lane keeping an equal share: for when nothing else makes room. */
  relieve(bound: MemoryBound): void;
  readonly memory: MemoryBound;
  /** What this dispatcher has seen of an endpoint lately. */
  breakerOf(endpointId: string): Breaker;
  /** Deliveries that wait for others of their key. */
  readonly keys: Pick<
    KeyOrder,
    'arrived' | 'hasLine' | 'recheck' | 'recheckEndpoint' | 'recheckSome' | 'learn' | 'turns'
  >;
  /** Starts the clockwork: recording what waits, noticing what is due and who is slow. */
  start(): void;
  /** Starts nothing new; resolves when nothing is under way, or when `signal` aborts. What waits goes to storage. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface LanesOptions {
  /** Null when it wasn't sent because its partition's lease was no longer certain. */
  readonly attempt: (queued: QueuedDelivery, endpoint: SigningEndpoint) => Promise<Judged | null>;
  readonly recorder: Recorder;
  readonly directory: Directory;
  readonly due: DueReader;
  readonly store: Pick<DeliveryStore, 'promote' | 'holdKey'>;
  /** The partitions that are ours now. */
  readonly holdings: () => readonly Holding[];
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly limits: LaneLimits;
  /** What was erased isn't sent, and leaves no answer; nothing starts while that isn't known. Nothing was erased when absent. */
  readonly tombstones?: Pick<Tombstones, 'isErased' | 'knownAt'>;
  /** What of the endpoints' limits is theirs; all of it when absent. */
  readonly reach?: LaneReach;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A breaker has opened: nothing but what is asked for by hand goes out for so long. */
  readonly onOpened?: (endpointId: string, forMs: number) => void;
  /** A receiver said that it is gone for good (410). */
  readonly onGone: (endpoint: SigningEndpoint, reason: string) => void;
  /** Room was made: called after every delivery that left memory. */
  readonly onRoom: () => void;
}

/**
 * Who owns which partition, and how far each has been read. Adapters: `lease-store.sqlite.ts`; every adapter passes
 * `lease-store.contract.ts`. A lease is one document; every change of its owner counts its epoch up, and every sign of life its
 * beat. No clock is written down: a candidate watches the beat by its own (ownership.ts).
 *
 * The next position is written by `DeliveryStore.record`, after what it counts, and only under the epoch that stands.
 */
export interface LeaseStore {
  /**
   * True when nobody else can have this store open: whatever lease is found there is a dead predecessor's and may be taken
   * at once, and no beat is needed to keep it.
   */
  readonly isExclusive: boolean;
  /** The lease as it stands; of a partition that nobody has ever owned: epoch 0, next position 1. */
  find(partition: number): Promise<Lease>;
  /**
   * Takes the lease if it is still as it was seen (epoch, beat and owner): the epoch and the beat are counted up.
   * Answers the lease as it is now, or null when something has changed. Exactly one of several candidates gets it.
   */
  take(seen: Lease, owner: string): Promise<Lease | null>;
  /** Counts up the beats of those leases whose epoch still stands; answers which partitions those are. */
  renew(leases: readonly HeldEpoch[]): Promise<ReadonlySet<number>>;
  /** Gives the lease back while its epoch stands, so that it can be taken at once. */
  giveBack(request: GiveBackRequest): Promise<void>;
}

export interface Lease {
  readonly partition: number;
  /** Null: it was given back, or never taken. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
  /** The next position to read. */
  readonly next: number;
  /** What former owners had under way when they gave it back. */
  readonly left: readonly LeftClaim[];
}

export interface HeldEpoch {
  readonly partition: number;
  readonly epoch: number;
}

export interface GiveBackRequest extends HeldEpoch {
  /** Replaces what the lease said before. */
  readonly left: readonly LeftClaim[];
}

/** Deliveries that carry this claim may be under way for so long after the lease is taken: nobody else may send them. */
export interface LeftClaim {
  readonly claim: string;
  readonly forMs: number;
  /** Endpoints to which its former owner has more under way than it has places without this partition; absent: none. */
  readonly crowded?: readonly CrowdedEndpoint[];
}

export interface CrowdedEndpoint {
  readonly endpointId: string;
  /** How many more. */
  readonly attempts: number;
}

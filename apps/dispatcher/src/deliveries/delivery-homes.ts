/**
 * What a delivery store does for endpoints whose limits have a home (homes.ts): deliveries that are put, or moved, into a partition by
 * others than its owner, and how that owner learns of them. Part of `DeliveryStore`; its contract is delivery-homes.contract.ts.
 */
export interface DeliveryHomes {
  /**
   * What others than their owner have put or moved into these partitions, or left there to be attempted at once, up to
   * `limit`: each is told once, then no more. Whoever takes a partition up looks at all that waits there anyway.
   */
  takeArrivals(partitions: readonly number[], limit: number): Promise<readonly Arrival[]>;

  /**
   * Moves what waits of an endpoint and is in nobody's hands from these partitions into another one, at most `limit`. What waits under a
   * key moves in its order, and not while anything of the key is claimed: only what moves first, into a partition that
   * has nothing of the key, keeps its next attempt. Answers how many moved.
   */
  moveWaiting(request: MoveRequest): Promise<number>;

  /** Whether anything of the endpoint waits under this key in the partition; with a key of null, under any. */
  hasInOrder(line: OrderedLine): Promise<boolean>;
}

/** Something that waits in a partition, as its owner is told of it. */
export interface Arrival {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly partition: number;
  /** Null: it waits behind others of its key. */
  readonly dueAt: Date | null;
  /** What it waits under; null: nobody. */
  readonly key: string | null;
  /** Whether it is new, and so behind everything of its key; else it was asked for once more. */
  readonly isScheduled: boolean;
}

export interface MoveRequest {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly from: readonly number[];
  readonly to: number;
  /** Only what waits under this key. */
  readonly key?: string;
  readonly limit: number;
}

export interface OrderedLine {
  readonly organisationId: string;
  readonly endpointId: string;
  readonly partition: number;
  readonly key: string | null;
}

import type { Cluster } from 'kafkajs';

/** What a partition holds, in positions: Kafka counts offsets from 0, positions begin with 1. */
export interface PartitionBounds {
  /** The oldest position that is still there; `next` when there is none. */
  readonly first: number;
  /** The position that the next event will have. */
  readonly next: number;
}

/** Asks the leader of a partition what it holds, and nobody else: one that has no leader now keeps no other waiting. */
export type ReadBounds = (partition: number) => Promise<PartitionBounds>;

/** @param cluster the consumer's own connections, which its assigner is given */
export function createReadBounds(cluster: Pick<Cluster, 'fetchTopicsOffset'>, topic: string): ReadBounds {
  async function ask(partition: number, fromBeginning: boolean): Promise<number> {
    const [answer] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning }]);
    const offset = answer?.partitions[0]?.offset;
    if (offset === undefined) throw new Error(`Kafka knows no partition ${partition} of "${topic}".`);
    return positionOf(offset);
  }

  return async (partition) => {
    const [first, next] = await Promise.all([ask(partition, true), ask(partition, false)]);
    return { first, next };
  };
}

export function positionOf(offset: string): number {
  return Number(offset) + 1;
}

export function offsetOf(position: number): string {
  return String(position - 1);
}

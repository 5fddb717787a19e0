import type { Admin, Kafka } from 'kafkajs';
import { kafkaRetry } from './kafka-connection.ts';

/** What a partition holds, in positions: Kafka counts offsets from 0, positions begin with 1. */
export interface PartitionBounds {
  /** The oldest position that is still there; `next` when there is none. */
  readonly first: number;
  /** The position that the next event will have. */
  readonly next: number;
}

/** Asks Kafka what each partition of the topic holds. */
export interface LogBounds {
  /**
   * By partition, as it is after this call. Those who ask while a question is under way share the next one.
   * Rejects when Kafka is away; the next question connects again.
   */
  read(): Promise<ReadonlyMap<number, PartitionBounds>>;
  close(): Promise<void>;
}

export function createLogBounds(kafka: Pick<Kafka, 'admin'>, topic: string): LogBounds {
  let admin: Promise<Admin> | undefined;
  let underWay: Promise<unknown> = Promise.resolve();
  let following: Promise<ReadonlyMap<number, PartitionBounds>> | undefined;

  async function connect(): Promise<Admin> {
    const made = kafka.admin({ retry: { ...kafkaRetry, retries: 2 } });
    await made.connect();
    return made;
  }

  async function read(): Promise<ReadonlyMap<number, PartitionBounds>> {
    admin ??= connect();
    try {
      const offsets = await (await admin).fetchTopicOffsets(topic);
      return new Map(
        offsets.map(({ partition, low, high }) => [
          partition,
          { first: positionOf(low), next: positionOf(high) },
        ]),
      );
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  async function disconnect(): Promise<void> {
    const closing = admin;
    admin = undefined;
    await closing?.then((made) => made.disconnect()).catch(() => undefined);
  }

  function readNext(): Promise<ReadonlyMap<number, PartitionBounds>> {
    if (following !== undefined) return following;
    following = underWay.then(() => {
      following = undefined;
      return read();
    });
    underWay = following.catch(() => undefined);
    return following;
  }

  return {
    read: readNext,
    async close() {
      await underWay;
      await disconnect();
    },
  };
}

export function positionOf(offset: string): number {
  return Number(offset) + 1;
}

export function offsetOf(position: number): string {
  return String(position - 1);
}

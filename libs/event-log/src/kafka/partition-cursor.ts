import type { LogBatch, LogLoss, LoggedEvent, UndecodableRecord } from '../event-log.ts';
import { readMessage } from './kafka-message.ts';
import { positionOf, type PartitionBounds } from './log-bounds.ts';

/**
 * Where reading stands in one partition. Closed at first: nothing is taken before the books have said where to begin and
 * Kafka what it holds. What is fetched has to go on exactly where reading stands; where it doesn't, the cursor closes and
 * asks for another look at what the partition holds, which tells a fetch that came too late from a loss.
 */
export interface PartitionCursor {
  /** The position that comes next, as far as it is known. */
  readonly next: number | undefined;
  /** Open: a batch may be taken. */
  readonly isOpen: boolean;
  /** Opens at `next`, or where what the partition holds begins instead; answers what is missing then. */
  open(next: number, bounds: PartitionBounds): LogLoss | undefined;
  /** Closes, with that position to come next: what was taken from there on wasn't handed over. */
  rewind(position: number): void;
  /** Takes what was fetched, when it fits. `loss` comes before the batch. */
  take(fetched: Fetched): Taken;
}

/** As kafkajs hands it over; offsets are decimals. */
export interface Fetched {
  readonly messages: readonly { readonly offset: string; readonly value: Buffer | null }[];
  firstOffset(): string | null;
  lastOffset(): string;
}

export type Taken =
  | { readonly kind: 'batch'; readonly batch: LogBatch; readonly loss: LogLoss | undefined }
  /** It doesn't go on where reading stands: look at what the partition holds, and `open` again. */
  | { readonly kind: 'unsure' }
  /** Nothing to take now: it is closed, or all of this was taken before. */
  | { readonly kind: 'nothing' };

export function createPartitionCursor(partition: number): PartitionCursor {
  let next: number | undefined;
  let isOpen = false;
  /** What stands before this may have been read before. */
  let newFrom = 1;
  /** The position at which what the partition holds was looked at last, because of a doubt. */
  let lookedAt: number | undefined;

  function lossTo(position: number, reason: LogLoss['reason']): LogLoss {
    const loss = { partition, reason, from: next ?? position, next: position };
    next = position;
    return loss;
  }

  return {
    get next() {
      return next;
    },
    get isOpen() {
      return isOpen;
    },
    open(from, bounds) {
      next = from;
      isOpen = true;
      newFrom = bounds.next;
      if (next < bounds.first) return lossTo(bounds.first, 'expired');
      // The end was cut off, and who knows since when it grows again: everything that is there is looked at.
      if (next > bounds.next) return lossTo(bounds.first, 'truncated');
      return undefined;
    },
    rewind(position) {
      next = position;
      isOpen = false;
    },
    take(fetched) {
      const firstOffset = fetched.firstOffset();
      if (!isOpen || next === undefined || firstOffset === null) return { kind: 'nothing' };
      const first = positionOf(firstOffset);
      if (first !== next && lookedAt !== next) {
        lookedAt = next;
        isOpen = false;
        return { kind: 'unsure' };
      }
      const loss = first > next ? lossTo(first, 'expired') : undefined;
      const batch = batchFrom(fetched, next);
      const end = positionOf(fetched.lastOffset()) + 1;
      if (end <= next) return { kind: 'nothing' };
      next = end;
      return { kind: 'batch', batch, loss };
    },
  };

  function batchFrom({ messages }: Fetched, from: number): LogBatch {
    const events: LoggedEvent[] = [];
    const undecodable: UndecodableRecord[] = [];
    for (const message of messages) {
      const position = positionOf(message.offset);
      if (position < from) continue;
      const read = readMessage(message, position);
      if (read.undecodable === undefined) events.push(read.logged);
      else undecodable.push(read.undecodable);
    }
    return {
      partition,
      events,
      ...(undecodable.length > 0 && { undecodable }),
      mayRepeat: from < newFrom,
    };
  }
}

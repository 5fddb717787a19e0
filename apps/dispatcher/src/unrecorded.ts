import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * Deliveries in memory that aren't on record, in the order in which they came: whoever has been here for 250 ms is to be put
 * on record as pending, so that the log can move on without it (pipeline rule 8).
 */
export interface Unrecorded {
  add(queued: QueuedDelivery): void;
  /** Those that came 250 ms before `monotonicNow` or earlier and still aren't on record; each is given out once. */
  takeOverdue(monotonicNow: number): readonly QueuedDelivery[];
}

const recordAfterMs = 250;

export function createUnrecorded(): Unrecorded {
  let queue: QueuedDelivery[] = [];
  let head = 0;

  return {
    add: (queued) => void queue.push(queued),
    takeOverdue(monotonicNow) {
      const overdue: QueuedDelivery[] = [];
      for (let next = queue[head]; next !== undefined; next = queue[head]) {
        if (next.queuedAt > monotonicNow - recordAfterMs) break;
        head += 1;
        if (!next.done && next.claim === null) overdue.push(next);
      }
      if (head > 4096 || head === queue.length) {
        queue = queue.slice(head);
        head = 0;
      }
      return overdue;
    },
  };
}

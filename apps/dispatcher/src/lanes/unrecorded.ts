import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * Deliveries in memory that aren't on record, in the order in which they came. Whoever has been here for 250 ms is to be put
 * on record as pending, so that the log can move on without it (pipeline rule 8), unless it only waits for its turn in a lane
 * that is moving: it will be on record with its outcome soon, and writing it twice would make a queue longer just
 * when there is one. After five seconds there is no such excuse.
 */
export interface Unrecorded {
  add(queued: QueuedDelivery): void;
  /** Those that are to be put on record now; each is given out once. */
  takeOverdue(monotonicNow: number, isMoving: (queued: QueuedDelivery) => boolean): readonly QueuedDelivery[];
}

const recordAfterMs = 250;
const recordAfterAllMs = 5000;

interface Entry {
  readonly queued: QueuedDelivery;
  readonly lookAgainAt: number;
}

export function createUnrecorded(): Unrecorded {
  /** Those that came lately, and those that were found moving: each in the order of its times. */
  const fresh = createQueue();
  const moving = createQueue();

  return {
    add: (queued) => fresh.push({ queued, lookAgainAt: queued.queuedAt + recordAfterMs }),
    takeOverdue(now, isMoving) {
      const overdue: QueuedDelivery[] = [];
      for (const { queued } of [...fresh.takeUntil(now), ...moving.takeUntil(now)]) {
        if (queued.done || queued.isRecorded) continue;
        const isExcused = now - queued.queuedAt < recordAfterAllMs && isMoving(queued);
        if (isExcused) moving.push({ queued, lookAgainAt: now + recordAfterMs });
        else overdue.push(queued);
      }
      return overdue;
    },
  };
}

function createQueue() {
  let entries: Entry[] = [];
  return {
    push: (entry: Entry) => void entries.push(entry),
    takeUntil(now: number): readonly Entry[] {
      const later = entries.findIndex(({ lookAgainAt }) => lookAgainAt > now);
      const taken = later === -1 ? entries : entries.slice(0, later);
      entries = later === -1 ? [] : entries.slice(later);
      return taken;
    },
  };
}

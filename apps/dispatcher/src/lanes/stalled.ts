import type { QueuedDelivery } from './queued-delivery.ts';

/** Deliveries whose turn came while their partition's lease wasn't certain. */
export interface Stalled {
  add(queued: QueuedDelivery): void;
  /** The lease may have become certain again, or have been lost meanwhile. */
  restart(): void;
}

export function createStalled(options: {
  readonly enter: (queued: QueuedDelivery) => void;
  readonly park: (queued: QueuedDelivery) => void;
}): Stalled {
  let stalled: QueuedDelivery[] = [];

  return {
    add: (queued) => void stalled.push(queued),
    restart() {
      if (stalled.length === 0) return;
      const again = stalled;
      stalled = [];
      for (const queued of again) {
        if (queued.done) continue;
        if (queued.holding.state === 'held') options.enter(queued);
        else options.park(queued);
      }
    },
  };
}

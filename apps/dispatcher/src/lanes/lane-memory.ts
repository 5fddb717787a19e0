import { waitingIn, type Lane } from './lane.ts';
import type { LaneLimits, MemoryBound } from './lane-limits.ts';
import type { Loaded } from './loaded.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** What lanes may keep in memory; the rest waits in storage. */
export interface LaneMemory {
  /** Whether the lane takes no more. */
  isFull(lane: Lane): boolean;
  /** Whether all of them together have as much as they may. */
  readonly isAllFull: boolean;
  /** Sends the newest of what waits to storage, until no more than this is left. */
  parkBeyond(lane: Lane, bound: MemoryBound): void;
  /** Sends what waits to storage until about this is left of all, every lane keeping an equal share. */
  relieve(lanes: Iterable<Lane>, bound: MemoryBound): void;
}

export function createLaneMemory(options: {
  readonly loaded: Loaded;
  readonly limits: LaneLimits;
  readonly park: (queued: QueuedDelivery) => void;
}): LaneMemory {
  const { loaded, limits, park } = options;

  function parkBeyond(lane: Lane, { deliveries, bytes }: MemoryBound): void {
    const parting: QueuedDelivery[] = [];
    while (waitingIn(lane) > deliveries || lane.waitingBytes > bytes) {
      const newest = lane.waiting.pop() ?? lane.returned.pop();
      if (newest === undefined) break;
      lane.waitingBytes -= newest.bytes;
      parting.unshift(newest);
    }
    for (const queued of parting) park(queued);
  }

  return {
    /** What waits for a slow receiver waits in storage, or those that hang would fill the memory of all. */
    isFull(lane) {
      const deliveries =
        lane.pace === 'slow' ? Math.min(lane.window, limits.laneDeliveries) : limits.laneDeliveries;
      return waitingIn(lane) >= deliveries || lane.waitingBytes >= limits.laneBytes;
    },
    get isAllFull() {
      return loaded.deliveries >= limits.totalDeliveries || loaded.bytes >= limits.totalBytes;
    },
    parkBeyond,
    relieve(lanes, { deliveries, bytes }) {
      if (loaded.deliveries <= deliveries && loaded.bytes <= bytes) return;
      const waiting = [...lanes].filter((lane) => waitingIn(lane) > 0);
      const { length } = waiting;
      for (const lane of waiting)
        parkBeyond(lane, { deliveries: deliveries / length, bytes: bytes / length });
    },
  };
}

import type { SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { KeyOrder } from './key-order.ts';
import type { Lane } from './lane.ts';
import type { CrowdedEndpoint } from '../ownership/lease-store.ts';
import type { LaneRecords } from './lane-records.ts';
import type { LaneRegistry } from './lane-registry.ts';
import type { Loaded } from './loaded.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** What lanes do with a partition's deliveries when it is handed over, or lost; with all of them (null) at the end. */
export interface LaneHandOver {
  /** Sends what waits to storage, and puts what is under way on record. */
  park(holding: Holding | null): void;
  /** Resolves when nothing is under way and no place of the partition is used by others of ours, or when `signal` aborts. */
  ended(holding: Holding | null, signal: AbortSignal): Promise<void>;
  /** What is under way, on record under our claim, and what uses places that were the partition's. */
  leave(holding: Holding): Left;
  /** Forgets what waits: it is another's now. */
  drop(holding: Holding): void;
  /** To be called after each attempt. */
  attemptEnded(): void;
}

export interface Left {
  /** For how long it may go on; 0 when there is nothing. */
  readonly forMs: number;
  /** Endpoints that have more under way, of whichever partitions, than they have places here without this one. */
  readonly crowded: readonly CrowdedEndpoint[];
}

const longestTimeoutMs = 60_000;

export function createLaneHandOver(options: {
  readonly lanes: LaneRegistry;
  readonly active: ReadonlySet<Lane>;
  readonly loaded: Loaded;
  readonly records: LaneRecords;
  readonly keys: KeyOrder;
  readonly clock: Clock;
  readonly endpointOf: (lane: Lane) => SigningEndpoint | undefined;
  /** The most that may be under way to an endpoint here. */
  readonly mostOf: (endpoint: SigningEndpoint) => number;
  /** How many of an endpoint's places go with a partition, at most. */
  readonly carriedBy: (partition: number, endpoint: SigningEndpoint) => number;
  readonly takeOut: (lane: Lane | undefined, queued: QueuedDelivery) => void;
  readonly restIfIdle: (lane: Lane) => void;
  readonly onRoom: () => void;
}): LaneHandOver {
  const { lanes, active, loaded, records, keys, clock, endpointOf, takeOut, restIfIdle } = options;
  const waiters = new Set<() => void>();

  function underWay(holding: Holding | null): { queued: QueuedDelivery; lane: Lane; startedAt: number }[] {
    return [...active].flatMap((lane) =>
      [...lane.inFlight]
        .filter(([queued]) => holding === null || queued.holding === holding)
        .map(([queued, startedAt]) => ({ queued, lane, startedAt })),
    );
  }

  /** Lanes with more under way than they have places without the partition, which is being handed over; and how many more. */
  function crowdedWithout({ partition }: Holding): ReadonlyMap<Lane, number> {
    const crowded = new Map<Lane, number>();
    for (const lane of active) {
      const endpoint = endpointOf(lane);
      if (endpoint === undefined) continue;
      // Others that are handed over at the same time say of the rest.
      const carried = options.carriedBy(partition, endpoint);
      const more = Math.min(lane.inFlight.size - options.mostOf(endpoint), carried);
      if (more > 0) crowded.set(lane, more);
    }
    return crowded;
  }

  /** What is in our hands and not under way, in the order in which it came. */
  function waitingOf(holding: Holding | null): QueuedDelivery[] {
    return [...loaded.all()].filter((queued) => {
      if (queued.done || (holding !== null && queued.holding !== holding)) return false;
      return lanes.find(queued.delivery.endpointId)?.inFlight.has(queued) !== true;
    });
  }

  const isUsed = (holding: Holding | null): boolean =>
    underWay(holding).length > 0 || (holding !== null && crowdedWithout(holding).size > 0);

  return {
    park(holding) {
      for (const { queued } of underWay(holding)) records.keep(queued);
      const waiting = waitingOf(holding);
      // Heads first: what is behind them follows by itself, and in order.
      for (const queued of waiting.filter(({ isBehind }) => !isBehind)) {
        const lane = lanes.find(queued.delivery.endpointId);
        takeOut(lane, queued);
        records.park(queued);
        if (lane !== undefined) restIfIdle(lane);
      }
      for (const one of new Set(waiting.map((queued) => queued.holding))) keys.parkBehind(one);
    },

    ended(holding, signal) {
      return new Promise((resolve) => {
        const look = (): void => {
          if (!signal.aborted && isUsed(holding)) return;
          waiters.delete(look);
          signal.removeEventListener('abort', look);
          resolve();
        };
        waiters.add(look);
        signal.addEventListener('abort', look);
        look();
      });
    },

    leave(holding) {
      for (const { queued } of underWay(holding)) records.keep(queued);
      const crowded = crowdedWithout(holding);
      let forMs = 0;
      for (const { queued, lane, startedAt } of underWay(null)) {
        if (queued.holding !== holding && !crowded.has(lane)) continue;
        const timeoutMs = endpointOf(lane)?.endpoint.timeoutMs ?? longestTimeoutMs;
        forMs = Math.max(forMs, startedAt + timeoutMs - clock.monotonic(), 1);
      }
      return { forMs, crowded: [...crowded].map(([{ endpointId }, attempts]) => ({ endpointId, attempts })) };
    },

    drop(holding) {
      for (const queued of waitingOf(holding)) {
        const lane = lanes.find(queued.delivery.endpointId);
        takeOut(lane, queued);
        if (lane !== undefined) restIfIdle(lane);
      }
      keys.drop(holding);
      options.onRoom();
    },

    attemptEnded() {
      if (waiters.size > 0) for (const look of [...waiters]) look();
    },
  };
}

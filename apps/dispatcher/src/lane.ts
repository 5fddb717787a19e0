import type { AttemptOutcome } from '@posthorn/models';
import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * What is known of one endpoint's deliveries in this process: those that wait in memory, those under way, and whether more
 * wait in storage. The window is how many may be under way: it opens by one with every answer up to the endpoint's
 * limit and halves when the receiver doesn't keep up, so a receiver that hangs never holds many places, and one that
 * comes back is led in gently.
 */
export interface Lane {
  readonly organisationId: string;
  readonly endpointId: string;
  /** Oldest first. */
  readonly waiting: QueuedDelivery[];
  /** Asked for by hand: these go first, also while the endpoint is paused or disabled. */
  readonly expedited: QueuedDelivery[];
  /** With the monotonic time at which each was started, oldest first. */
  readonly inFlight: Map<QueuedDelivery, number>;
  waitingBytes: number;
  window: number;
  timeoutsInRow: number;
  /** When an attempt ended last, by the monotonic clock. */
  settledAt: number;
  /** A slow lane shares a quarter of the slots with its like. */
  slow: boolean;
  /** When the first delivery in storage is due (by the due clock); null when none is known to wait there. */
  storedDueAt: number | null;
  /** What became known of storage while a fetch was running. */
  notedDueAt: number | null;
  fetching: boolean;
}

const firstWindow = 4;
/** An attempt without an answer for this long makes its lane slow, before it has timed out. */
const slowAfterMs = 1000;
const slowAfterTimeouts = 2;
/** A lane is moving when an attempt of it ended within this time. */
const movingMs = 250;

export function createLane(organisationId: string, endpointId: string): Lane {
  return {
    organisationId,
    endpointId,
    waiting: [],
    expedited: [],
    inFlight: new Map(),
    waitingBytes: 0,
    window: firstWindow,
    timeoutsInRow: 0,
    settledAt: -Infinity,
    slow: false,
    storedDueAt: null,
    notedDueAt: null,
    fetching: false,
  };
}

export function isIdle(lane: Lane): boolean {
  return (
    lane.waiting.length === 0 &&
    lane.expedited.length === 0 &&
    lane.inFlight.size === 0 &&
    lane.storedDueAt === null &&
    lane.notedDueAt === null &&
    !lane.fetching
  );
}

/** Takes an outcome into account: how many may be under way from now on. */
export function adaptWindow(
  lane: Lane,
  outcome: AttemptOutcome,
  slowsDown: boolean,
  maxInFlight: number,
): void {
  if (outcome === 'timeout') lane.timeoutsInRow += 1;
  else if (outcome !== 'blocked' && outcome !== 'dns') lane.timeoutsInRow = 0;
  const unanswered = outcome === 'timeout' || outcome === 'refused' || outcome === 'dns';
  if (unanswered || slowsDown) lane.window = Math.max(1, lane.window >> 1);
  else lane.window = Math.min(maxInFlight, lane.window + 1);
}

/** Whether the lane's receiver keeps its places for long, by what is under way now and what came of the last attempts. */
export function isSlow(lane: Lane, monotonicNow: number): boolean {
  if (lane.timeoutsInRow >= slowAfterTimeouts) return true;
  for (const startedAt of lane.inFlight.values()) return monotonicNow - startedAt > slowAfterMs;
  return false;
}

/** Whether a delivery only waits for its turn, and turns come. */
export function isMoving(lane: Lane | undefined, queued: QueuedDelivery, monotonicNow: number): boolean {
  if (lane === undefined || lane.slow || lane.inFlight.has(queued)) return false;
  return monotonicNow - lane.settledAt < movingMs;
}

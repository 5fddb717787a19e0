import { slowsDown, type Outcome } from '@posthorn/models';
import { closedBreaker, concluded, evidenceOf, type Breaker } from './breaker.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * What is known of one endpoint's deliveries in this process: those that wait in memory, those under way, and whether more
 * wait in storage. The window is how many may be under way: it opens by one with every answer up to the endpoint's
 * limit and halves when the receiver doesn't keep up, so a receiver that hangs never holds many places, and one that
 * comes back is led in gently. The breaker says whether anything goes out by its schedule at all.
 */
export interface Lane {
  readonly organisationId: string;
  readonly endpointId: string;
  /** What came from the log, oldest first. */
  readonly waiting: QueuedDelivery[];
  /** What came back from storage, the first due first: it and `waiting` take turns. */
  readonly returned: QueuedDelivery[];
  /** Whether the next turn is that of what came back. */
  isTurnOfReturned: boolean;
  /** Asked for by hand: these go first, also while the endpoint is paused or disabled. */
  readonly expedited: QueuedDelivery[];
  /** With the monotonic time at which each was started, oldest first. */
  readonly inFlight: Map<QueuedDelivery, number>;
  /** Of what came from the log and of what came back. */
  waitingBytes: number;
  window: number;
  timeoutsInRow: number;
  breaker: Breaker;
  /** What was sent to see whether the receiver is back, while it is under way. */
  probe: QueuedDelivery | null;
  /** The endpoint's version when something was started last: what is known belongs to that one. */
  endpointVersion: number | null;
  /** When an attempt ended last, by the monotonic clock. */
  settledAt: number;
  /** How long its receiver takes until an attempt ends; null while nothing is known of that, or it timed out last. */
  usualMs: number | null;
  /** With which others it shares places for attempts. */
  pace: Pace;
  /** When the first delivery in storage is due (by the due clock); null when none is known to wait there. */
  storedDueAt: number | null;
  /** What became known of storage while a fetch was running. */
  notedDueAt: number | null;
  fetching: boolean;
}

/**
 * How long a lane keeps its places: `prompt` as far as is known, `slow` when that is long. In between, and while nothing is known,
 * it is `doubtful`.
 */
export type Pace = 'prompt' | 'doubtful' | 'slow';

const firstWindow = 4;
/** An attempt without an answer for this long makes its lane slow, before it has timed out. */
const slowAfterMs = 1000;
const slowAfterTimeouts = 2;
/** One that has taken so many times as long as usual, and no less than this, may be going to hang. */
const unusual = 4;
const doubtfulAfterMs = 100;
/** How much of an attempt's time goes into what is usual. */
const usualShare = 1 / 8;
/** A lane is moving when an attempt of it ended within this time. */
const movingMs = 250;

export function createLane(organisationId: string, endpointId: string): Lane {
  return {
    organisationId,
    endpointId,
    waiting: [],
    returned: [],
    isTurnOfReturned: true,
    expedited: [],
    inFlight: new Map(),
    waitingBytes: 0,
    window: firstWindow,
    timeoutsInRow: 0,
    breaker: closedBreaker,
    probe: null,
    endpointVersion: null,
    settledAt: -Infinity,
    usualMs: null,
    pace: 'doubtful',
    storedDueAt: null,
    notedDueAt: null,
    fetching: false,
  };
}

export function isIdle(lane: Lane): boolean {
  return (
    waitingIn(lane) === 0 &&
    lane.expedited.length === 0 &&
    lane.inFlight.size === 0 &&
    lane.storedDueAt === null &&
    lane.notedDueAt === null &&
    !lane.fetching
  );
}

/** How many wait in memory for their turn by the schedule. */
export function waitingIn(lane: Lane): number {
  return lane.waiting.length + lane.returned.length;
}

/** The one whose turn it is: what came back from storage, being older, and what came from the log alternate. */
export function takeNext(lane: Lane): QueuedDelivery | undefined {
  const { waiting, returned } = lane;
  const isReturned = returned.length > 0 && (lane.isTurnOfReturned || waiting.length === 0);
  const queued = (isReturned ? returned : waiting).shift();
  if (queued === undefined) return undefined;
  lane.waitingBytes -= queued.bytes;
  lane.isTurnOfReturned = !isReturned;
  return queued;
}

/** It waits here no more. */
export function remove(lane: Lane, queued: QueuedDelivery): void {
  for (const list of [lane.expedited, lane.returned, lane.waiting]) {
    const place = list.indexOf(queued);
    if (place === -1) continue;
    list.splice(place, 1);
    if (!queued.expedited) lane.waitingBytes -= queued.bytes;
  }
}

/** What is known of the receiver no longer counts: its owner has changed the endpoint, and may have mended it. */
export function forgetEvidence(lane: Lane): void {
  lane.breaker = closedBreaker;
  lane.probe = null;
  lane.window = firstWindow;
  lane.timeoutsInRow = 0;
}

/**
 * Takes an outcome into account: how many may be under way from now on, and whether anything goes out at all. Answers for how long
 * nothing does when the breaker has opened with it, else null.
 */
export function learn(
  lane: Lane,
  queued: QueuedDelivery,
  outcome: Outcome,
  moment: {
    readonly places: number;
    readonly tookMs: number;
    readonly monotonicNow: number;
    readonly jitter: () => number;
  },
): number | null {
  lane.settledAt = moment.monotonicNow;
  adaptWindow(lane, outcome, moment.places);
  lane.usualMs = outcome.kind === 'timeout' ? null : usualAfter(lane.usualMs, moment.tookMs);
  const isProbe = lane.probe === queued;
  if (isProbe) lane.probe = null;
  const evidence = evidenceOf(outcome);
  const before = lane.breaker;
  const after = concluded(before, { evidence, isProbe, ...moment });
  lane.breaker = after;
  if (after.state === 'ramping' && before.state !== 'ramping') lane.window = 1;
  return after.state === 'open' && after !== before ? after.probeAt - moment.monotonicNow : null;
}

/** The probe wasn't sent after all: another one goes out as soon as one can. */
export function probeLater(lane: Lane, monotonicNow: number): void {
  lane.probe = null;
  const { breaker } = lane;
  if (breaker.state === 'probing') {
    lane.breaker = { state: 'open', waitMs: breaker.waitMs, probeAt: monotonicNow };
  }
}

function adaptWindow(lane: Lane, outcome: Outcome, places: number): void {
  const { kind } = outcome;
  if (kind === 'timeout') lane.timeoutsInRow += 1;
  else if (kind !== 'blocked' && kind !== 'dns') lane.timeoutsInRow = 0;
  const unanswered = kind === 'timeout' || kind === 'refused' || kind === 'dns';
  if (unanswered || slowsDown(outcome)) lane.window = Math.max(1, lane.window >> 1);
  else lane.window = Math.max(1, Math.min(places, lane.window + 1));
}

function usualAfter(usualMs: number | null, tookMs: number): number {
  return usualMs === null ? tookMs : usualMs + (tookMs - usualMs) * usualShare;
}

/** How long the lane's receiver keeps its places, by what is under way now and what came of the last attempts. */
export function paceOf(lane: Lane, monotonicNow: number): Pace {
  if (lane.timeoutsInRow >= slowAfterTimeouts) return 'slow';
  const [oldestAt = monotonicNow] = lane.inFlight.values();
  const ageMs = monotonicNow - oldestAt;
  if (ageMs > slowAfterMs) return 'slow';
  const { usualMs } = lane;
  return usualMs === null || ageMs > Math.max(doubtfulAfterMs, usualMs * unusual) ? 'doubtful' : 'prompt';
}

/** Whether a delivery only waits for its turn, and turns come. */
export function isMoving(lane: Lane | undefined, queued: QueuedDelivery, monotonicNow: number): boolean {
  if (lane === undefined || lane.pace === 'slow' || lane.inFlight.has(queued)) return false;
  return monotonicNow - lane.settledAt < movingMs;
}

import type { SigningEndpoint } from '@posthorn/models';
import { createFairQueue, type FairQueue } from './fair-queue.ts';
import { isOpen } from './gate.ts';
import { waitingIn, type Lane, type Pace } from './lane.ts';
import type { LanePlaces } from './lane-places.ts';

/**
 * The places for attempts, and whose turn it is to have one: organisations first, then their endpoints. Doubtful lanes share half of them
 * at most, and three quarters where one has nothing under way yet, so that many that are new, or begin to hang at once, don't keep those from going on that are known to be prompt; of both, every
 * other place that comes free is theirs. Slow lanes have a quarter as many beside these, for themselves. What a lane has under way when its
 * pace changes stays under way: it may be more than is meant for lanes of that pace, and then nothing is started there.
 */
export interface LaneTurns {
  /** Puts the lane into the queue of turns when something of it may be started. */
  want(lane: Lane, endpoint: SigningEndpoint | undefined): void;
  /** The lane whose turn it is and for which there is a place, as long as `mayStart` says so. */
  next(mayStart: () => boolean): Lane | undefined;
  /** A place is taken (1) or given back (-1). */
  occupy(lane: Lane, change: 1 | -1): void;
  hasRoomFor(lane: Lane): boolean;
  /** Moves the lane, with what it has under way, to the places of that pace. */
  setPace(lane: Lane, pace: Pace): void;
  readonly running: number;
}

export function createLaneTurns(
  slots: number,
  places: Pick<LanePlaces, 'hasOne' | 'hasOneByHand' | 'wakeLater'>,
): LaneTurns {
  const pools = {
    prompt: { places: slots, running: 0, turns: createFairQueue<Lane>() },
    doubtful: { places: slots / 2, running: 0, turns: createFairQueue<Lane>() },
    slow: { places: slots / 4, running: 0, turns: createFairQueue<Lane>() },
  } satisfies Record<Pace, object>;
  const { prompt, doubtful, slow } = pools;
  /** Doubtful lanes that have nothing under way. */
  const untried = createFairQueue<Lane>();
  const placesForUntried = (slots * 3) / 4;
  let isTurnOfDoubtful = false;

  /** Beyond what is meant for them, doubtful lanes take nobody's place. */
  const hasRoomForPrompt = (): boolean =>
    prompt.running + Math.min(doubtful.running, placesForUntried) < slots;
  const hasRoomForSlow = (): boolean => slow.running < slow.places;
  const hasRoomForDoubtful = (isUntried: boolean): boolean =>
    doubtful.running < (isUntried ? placesForUntried : doubtful.places) &&
    prompt.running + doubtful.running < slots;

  const isUntried = (lane: Lane): boolean => lane.pace === 'doubtful' && lane.inFlight.size === 0;

  function nextDoubtful(): FairQueue<Lane> | undefined {
    if (untried.size > 0 && hasRoomForDoubtful(true)) return untried;
    return doubtful.turns.size > 0 && hasRoomForDoubtful(false) ? doubtful.turns : undefined;
  }

  function nextTurns(): FairQueue<Lane> | undefined {
    const first = isTurnOfDoubtful ? nextDoubtful() : undefined;
    if (first !== undefined) return first;
    if (prompt.turns.size > 0 && hasRoomForPrompt()) return prompt.turns;
    return nextDoubtful() ?? (slow.turns.size > 0 && hasRoomForSlow() ? slow.turns : undefined);
  }

  return {
    want(lane, endpoint) {
      const isByHand = lane.expedited.length > 0;
      if (!isByHand && (waitingIn(lane) === 0 || !isOpen(endpoint))) return;
      if (endpoint !== undefined && !(isByHand ? places.hasOneByHand : places.hasOne)(lane, endpoint)) {
        places.wakeLater(lane, endpoint);
        return;
      }
      if (isUntried(lane)) {
        doubtful.turns.remove(lane.organisationId, lane);
        untried.add(lane.organisationId, lane);
      } else pools[lane.pace].turns.add(lane.organisationId, lane);
    },
    next(mayStart) {
      const turns = nextTurns();
      if (turns === undefined || !mayStart()) return undefined;
      if (turns !== slow.turns) isTurnOfDoubtful = turns === prompt.turns;
      return turns.take();
    },
    occupy(lane, change) {
      pools[lane.pace].running += change;
    },
    hasRoomFor(lane) {
      if (lane.pace === 'prompt') return hasRoomForPrompt();
      return lane.pace === 'slow' ? hasRoomForSlow() : hasRoomForDoubtful(isUntried(lane));
    },
    setPace(lane, pace) {
      const before = pools[lane.pace];
      before.running -= lane.inFlight.size;
      before.turns.remove(lane.organisationId, lane);
      untried.remove(lane.organisationId, lane);
      lane.pace = pace;
      pools[pace].running += lane.inFlight.size;
    },
    get running() {
      return prompt.running + doubtful.running + slow.running;
    },
  };
}

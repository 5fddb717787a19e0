import type { SigningEndpoint } from '@posthorn/models';
import { createFairQueue } from './fair-queue.ts';
import { isOpen } from './gate.ts';
import { waitingIn, type Lane } from './lane.ts';
import type { LanePlaces } from './lane-places.ts';

/**
 * The places for attempts, and whose turn it is to have one: organisations first, then their endpoints. Lanes whose receivers keep
 * their places for long have a quarter as many beside these, for themselves.
 */
export interface LaneTurns {
  /** Puts the lane into the queue of turns when something of it may be started. */
  want(lane: Lane, endpoint: SigningEndpoint | undefined): void;
  /** The lane whose turn it is and for which there is a place, as long as `mayStart` says so. */
  next(mayStart: () => boolean): Lane | undefined;
  /** A place is taken (1) or given back (-1). */
  occupy(lane: Lane, change: 1 | -1): void;
  hasRoomFor(lane: Lane): boolean;
  /** Moves the lane, with what it has under way, to the other places. */
  setSlow(lane: Lane, slow: boolean): void;
  readonly running: number;
}

export function createLaneTurns(
  slots: number,
  places: Pick<LanePlaces, 'hasOne' | 'hasOneByHand' | 'wakeLater'>,
): LaneTurns {
  const fast = { places: slots, running: 0, turns: createFairQueue<Lane>() };
  const slow = { places: slots / 4, running: 0, turns: createFairQueue<Lane>() };
  const speedOf = (lane: Lane): typeof fast => (lane.slow ? slow : fast);

  return {
    want(lane, endpoint) {
      const isByHand = lane.expedited.length > 0;
      if (!isByHand && (waitingIn(lane) === 0 || !isOpen(endpoint))) return;
      if (endpoint !== undefined && !(isByHand ? places.hasOneByHand : places.hasOne)(lane, endpoint)) {
        places.wakeLater(lane, endpoint);
        return;
      }
      speedOf(lane).turns.add(lane.organisationId, lane);
    },
    next(mayStart) {
      for (const { turns, running, places } of [fast, slow]) {
        if (turns.size > 0 && running < places && mayStart()) return turns.take();
      }
      return undefined;
    },
    occupy(lane, change) {
      speedOf(lane).running += change;
    },
    hasRoomFor(lane) {
      const { running, places } = speedOf(lane);
      return running < places;
    },
    setSlow(lane, isSlow) {
      const before = speedOf(lane);
      before.running -= lane.inFlight.size;
      before.turns.remove(lane.organisationId, lane);
      lane.slow = isSlow;
      speedOf(lane).running += lane.inFlight.size;
    },
    get running() {
      return fast.running + slow.running;
    },
  };
}

import type { SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { admits, begun } from './breaker.ts';
import { forgetEvidence, type Lane } from './lane.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** How much of a lane may be under way: what its endpoint allows, what its window allows, and what its breaker admits. */
export interface LanePlaces {
  /** Whether anything goes out by its schedule now; while nothing does, what is due waits in storage. */
  admits(lane: Lane, endpoint: SigningEndpoint): boolean;
  /** Whether one more may be under way. */
  hasOne(lane: Lane, endpoint: SigningEndpoint): boolean;
  /** How many a fetch from storage may bring for attempts that can be made now. */
  wanted(lane: Lane): number;
  /** Something goes out, by its schedule or because someone asked for it. */
  taken(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint): void;
  /** The most that the endpoint may have under way here, however well it answers. */
  most(endpoint: SigningEndpoint): number;
}

/** What an endpoint may have under way here, where nothing is shared out. */
export function maxInFlightOf({ endpoint }: SigningEndpoint): number {
  return endpoint.maxInFlight;
}

export function createLanePlaces(options: {
  readonly clock: Clock;
  readonly most: (endpoint: SigningEndpoint) => number;
}): LanePlaces {
  const { clock, most } = options;

  /** What is known is of the endpoint as it was then: as it is now, it has a chance at once. */
  const isOutdated = (lane: Lane, { endpoint }: SigningEndpoint): boolean =>
    lane.endpointVersion !== null && lane.endpointVersion !== endpoint.version;

  const isHeldBack = (lane: Lane): boolean =>
    lane.breaker.state !== 'closed' && !admits(lane.breaker, clock.monotonic());

  return {
    admits: (lane, endpoint) => !isHeldBack(lane) || isOutdated(lane, endpoint),
    hasOne(lane, endpoint) {
      const { size } = lane.inFlight;
      if (size >= most(endpoint)) return false;
      if (lane.breaker.state === 'closed' || lane.breaker.state === 'ramping') return size < lane.window;
      // What is under way was started before it opened, or by hand.
      return !isHeldBack(lane) || isOutdated(lane, endpoint);
    },
    wanted(lane) {
      if (lane.breaker.state === 'open') return 1;
      return lane.slow || lane.breaker.state === 'ramping' ? lane.window : Math.max(4, lane.window * 2);
    },
    taken(lane, queued, endpoint) {
      if (lane.breaker.state !== 'closed' && isOutdated(lane, endpoint)) forgetEvidence(lane);
      lane.endpointVersion = endpoint.endpoint.version;
      if (queued.expedited || lane.breaker.state !== 'open') return;
      lane.breaker = begun(lane.breaker);
      lane.probe = queued;
    },
    most,
  };
}

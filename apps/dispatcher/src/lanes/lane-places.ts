import type { SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { admits, begun } from './breaker.ts';
import { forgetEvidence, type Lane } from './lane.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import type { RateLimiter } from './rate-limiter.ts';

/**
 * How much of a lane may be under way: what its endpoint allows at once and in a time, what its window allows, and what its breaker
 * admits. A lane that has to wait for its rate is woken when it may go on, by one timer.
 */
export interface LanePlaces {
  /** Whether anything goes out by its schedule now; while nothing does, what is due waits in storage. */
  admits(lane: Lane, endpoint: SigningEndpoint): boolean;
  /** Whether one more may be under way. */
  hasOne(lane: Lane, endpoint: SigningEndpoint): boolean;
  /** Whether one that someone asked for may be: window and breaker don't count for it, the endpoint's limits do. */
  hasOneByHand(lane: Lane, endpoint: SigningEndpoint): boolean;
  /** Wakes the lane when it may have a place that no attempt's end will give it. */
  wakeLater(lane: Lane, endpoint: SigningEndpoint): void;
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

/** How often a lane looks whether it has a share of its endpoint's places again. */
const lookAgainMs = 100;

export function createLanePlaces(options: {
  readonly clock: Clock;
  readonly most: (endpoint: SigningEndpoint) => number;
  readonly limiter: RateLimiter;
  readonly wake: (lane: Lane) => void;
}): LanePlaces {
  const { clock, most, limiter } = options;
  const toBeWoken = new Set<Lane>();

  /** What is known is of the endpoint as it was then: as it is now, it has a chance at once. */
  const isOutdated = (lane: Lane, { endpoint }: SigningEndpoint): boolean =>
    lane.endpointVersion !== null && lane.endpointVersion !== endpoint.version;

  const isHeldBack = (lane: Lane): boolean =>
    lane.breaker.state !== 'closed' && !admits(lane.breaker, clock.monotonic());

  const isWithinLimits = (lane: Lane, signing: SigningEndpoint): boolean =>
    lane.inFlight.size < most(signing) && limiter.waitMs(signing.endpoint) === 0;

  return {
    admits: (lane, endpoint) => !isHeldBack(lane) || isOutdated(lane, endpoint),
    hasOne(lane, endpoint) {
      if (!isWithinLimits(lane, endpoint)) return false;
      const isCounted = lane.breaker.state === 'closed' || lane.breaker.state === 'ramping';
      if (isCounted) return lane.inFlight.size < lane.window;
      // What is under way was started before it opened, or by hand.
      return !isHeldBack(lane) || isOutdated(lane, endpoint);
    },
    hasOneByHand: isWithinLimits,
    wakeLater(lane, signing) {
      const isWithoutShare = lane.inFlight.size === 0 && most(signing) === 0;
      const waitMs = isWithoutShare ? lookAgainMs : limiter.waitMs(signing.endpoint);
      if (waitMs === 0 || toBeWoken.has(lane)) return;
      toBeWoken.add(lane);
      clock
        .setTimeout(() => {
          toBeWoken.delete(lane);
          options.wake(lane);
        }, Math.ceil(waitMs))
        .unref();
    },
    wanted(lane) {
      if (lane.breaker.state === 'open') return 1;
      return lane.pace === 'slow' || lane.breaker.state === 'ramping'
        ? lane.window
        : Math.max(4, lane.window * 2);
    },
    taken(lane, queued, endpoint) {
      if (lane.breaker.state !== 'closed' && isOutdated(lane, endpoint)) forgetEvidence(lane);
      lane.endpointVersion = endpoint.endpoint.version;
      limiter.take(endpoint.endpoint);
      if (queued.expedited || lane.breaker.state !== 'open') return;
      lane.breaker = begun(lane.breaker);
      lane.probe = queued;
    },
    most,
  };
}

import type { SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { maxInFlightOf } from './lane-places.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import { createRateLimiter, type RateLimiter } from './rate-limiter.ts';

/** What of an endpoint's limits is these lanes' to use, beside those of other dispatchers (homing.ts). */
export interface LaneReach {
  /** How many attempts at an endpoint may be under way here. */
  readonly placesOf: (endpoint: SigningEndpoint) => number;
  /** How many of them go with a partition when it is handed over, at most. */
  readonly carriedBy: (partition: number, endpoint: SigningEndpoint) => number;
  /** How many may begin in a time. */
  readonly limiter: RateLimiter;
  /** The partition that alone sends to an endpoint; null: each sends what comes under it. */
  readonly homeOf: (endpoint: SigningEndpoint) => number | null;
  /** Something of the endpoint waits in storage outside of its home. */
  readonly onStray: (organisationId: string, endpointId: string) => void;
}

/** Of lanes that are alone. */
export function wholeReach(clock: Clock): LaneReach {
  const startedAt = clock.monotonic();
  return {
    placesOf: maxInFlightOf,
    carriedBy: () => 0,
    limiter: createRateLimiter({ clock, sinceOf: () => startedAt }),
    homeOf: () => null,
    onStray: () => undefined,
  };
}

/** Whether a delivery is in another partition than its endpoint's home: then it doesn't go out from there. */
export function isOutside(
  { homeOf }: Pick<LaneReach, 'homeOf'>,
  { holding }: QueuedDelivery,
  endpoint: SigningEndpoint | undefined,
): boolean {
  const home = endpoint === undefined ? null : homeOf(endpoint);
  return home !== null && home !== holding.partition;
}

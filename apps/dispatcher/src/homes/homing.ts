import type { SigningEndpoint } from '@posthorn/models';
import type { Clock, Logger, Metrics } from '@posthorn/runtime';
import type { DeliveryStore } from '../deliveries/delivery-store.ts';
import type { Directory } from '../directory.ts';
import type { DueClock } from '../due-clock.ts';
import { createHomecoming, type Homecoming } from './homecoming.ts';
import { createHomeLines } from './home-lines.ts';
import { createHomeward, type Homeward } from './homeward.ts';
import { createHomes } from './homes.ts';
import type { LaneReach } from '../lanes/lane-reach.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { createLimitShares } from './limit-shares.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { createRateLimiter } from '../lanes/rate-limiter.ts';
import type { Recorder } from '../record.ts';

/**
 * All that makes an endpoint's limits hold for the whole deployment (pipeline rule 16), put together: who sends (homes.ts), how much
 * (limit-shares.ts, rate-limiter.ts), how deliveries get there (homeward.ts, homecoming.ts) and in which order (home-lines.ts). In one
 * process on one file there is one partition, so everything is at home, and nothing of this writes or looks.
 */
export interface Homing {
  readonly reach: LaneReach;
  readonly homeward: Homeward;
  readonly homecoming: Homecoming;
  /** The part of the store that lanes use: what belongs elsewhere is moved there instead of being promoted. */
  readonly store: Pick<DeliveryStore, 'promote' | 'holdKey'>;
}

export function createHoming(options: {
  readonly partitions: () => number;
  readonly deliveries: DeliveryStore;
  readonly directory: Directory;
  readonly ownership: Ownership;
  readonly recorder: Recorder;
  readonly lanes: () => Lanes;
  readonly onRoom: () => void;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Homing {
  const { deliveries, directory, ownership, lanes, clock } = options;
  const homes = createHomes(options.partitions);
  const endpointOf = (place: {
    readonly organisationId: string;
    readonly endpointId: string;
  }): SigningEndpoint | undefined => directory.endpoint(place.organisationId, place.endpointId);
  const lines = createHomeLines({
    deliveries,
    homes,
    endpointOf,
    epochOf: (partition) => ownership.find(partition)?.epoch,
  });
  const homecoming = createHomecoming({ ...options, homes, lines });
  const homeward = createHomeward({
    ...options,
    homes,
    lines,
    keys: () => lanes().keys,
    onPut: (partition) => {
      if (ownership.find(partition) !== undefined) homecoming.soon();
    },
  });
  return {
    reach: {
      ...createLimitShares({ homes, ownership, partitions: options.partitions }),
      limiter: createRateLimiter({
        clock,
        sinceOf: ({ id }) => ownership.find(homes.place(id))?.since ?? clock.monotonic(),
      }),
      homeOf: ({ endpoint }) => homes.of(endpoint),
      onStray: homecoming.stray,
    },
    homeward,
    homecoming,
    store: { promote: lines.promote, holdKey: (request) => deliveries.holdKey(request) },
  };
}

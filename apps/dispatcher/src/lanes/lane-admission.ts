import type { SigningEndpoint } from '@posthorn/models';
import { delayedDelivery } from './deliver-later.ts';
import type { DueClock } from '../due-clock.ts';
import { isOpen } from './gate.ts';
import type { KeyOrder } from './key-order.ts';
import type { Lane } from './lane.ts';
import type { LaneMemory } from './lane-memory.ts';
import type { LanePlaces } from './lane-places.ts';
import { isOutside, type LaneReach } from './lane-reach.ts';
import type { LaneRecords } from './lane-records.ts';
import type { LaneRegistry } from './lane-registry.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** Where a delivery goes that isn't on record: into its endpoint's lane, behind others of its key, into storage, or on hold. */
export interface LaneAdmission {
  /** It comes from the log. */
  offer(queued: QueuedDelivery): void;
  /** Nothing of its key is before it. */
  place(queued: QueuedDelivery): void;
  /** Whether it stays in memory behind others of its key. */
  keepInMemory(queued: QueuedDelivery): boolean;
  /** It goes to storage, or is held, as its endpoint is. */
  setAside(queued: QueuedDelivery): void;
}

export function createLaneAdmission(options: {
  readonly lanes: LaneRegistry;
  readonly keys: () => KeyOrder;
  readonly records: LaneRecords;
  readonly memory: LaneMemory;
  readonly places: LanePlaces;
  readonly reach: LaneReach;
  readonly dueClock: DueClock;
  readonly endpointOf: (queued: QueuedDelivery) => SigningEndpoint | undefined;
  readonly isStopping: () => boolean;
  readonly startsAtOnce: (lane: Lane, endpoint: SigningEndpoint) => boolean;
  readonly enter: (lane: Lane, queued: QueuedDelivery) => void;
  /** Takes it over, but into no lane. */
  readonly keep: (queued: QueuedDelivery) => void;
  readonly restIfIdle: (lane: Lane) => void;
}): LaneAdmission {
  const { lanes, keys, records, memory, places, reach, endpointOf, isStopping, restIfIdle } = options;

  function place(queued: QueuedDelivery): void {
    const { organisationId, endpointId } = queued.delivery;
    const endpoint = endpointOf(queued);
    const delayed = delayedDelivery(queued, endpoint, options.dueClock);
    if (delayed !== null) {
      records.write(queued, delayed);
      return;
    }
    if (!isOpen(endpoint)) {
      records.hold(queued, endpoint);
      return;
    }
    const lane = lanes.of(organisationId, endpointId);
    const isElsewhere = queued.holding.state === 'ending' || isOutside(reach, queued, endpoint);
    const isHeldBack = isElsewhere || !places.admits(lane, endpoint) || memory.isFull(lane);
    if (isStopping() || isHeldBack || (memory.isAllFull && !options.startsAtOnce(lane, endpoint))) {
      records.park(queued);
      restIfIdle(lane);
      return;
    }
    options.enter(lane, queued);
  }

  return {
    offer(queued) {
      if (queued.holding.state === 'lost') return;
      if (queued.order === null) place(queued);
      else if (isOutside(reach, queued, endpointOf(queued))) keys().toStorage(queued);
      else if (keys().admit(queued)) place(queued);
    },

    place,

    keepInMemory(queued) {
      const lane = lanes.find(queued.delivery.endpointId);
      const endpoint = endpointOf(queued);
      if (isStopping() || !isOpen(endpoint) || memory.isAllFull || lane === undefined) return false;
      if (lane.pace === 'slow' || !places.admits(lane, endpoint) || memory.isFull(lane)) return false;
      options.keep(queued);
      return true;
    },

    setAside(queued) {
      const endpoint = endpointOf(queued);
      if (isOpen(endpoint)) records.park(queued);
      else records.hold(queued, endpoint);
    },
  };
}

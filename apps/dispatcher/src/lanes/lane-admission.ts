import type { SigningEndpoint } from '@posthorn/models';
import { delayedDelivery } from './deliver-later.ts';
import type { LaneKey } from '../due.ts';
import type { DueClock } from '../due-clock.ts';
import { isOpen } from './gate.ts';
import type { KeyOrder } from './key-order.ts';
import type { Lane } from './lane.ts';
import type { LaneMemory } from './lane-memory.ts';
import type { LanePlaces } from './lane-places.ts';
import { isOutside, type LaneReach } from './lane-reach.ts';
import type { LaneRecords } from './lane-records.ts';
import type { LaneRegistry } from './lane-registry.ts';
import type { Loaded } from './loaded.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/** Where a delivery goes that comes to us: into its endpoint's lane, behind others of its key, into storage, or on hold. */
export interface LaneAdmission {
  /** It comes from the log. */
  offer(queued: QueuedDelivery): void;
  /** They come from the lane's backlog in storage, and carry our claim. */
  takeFetched(lane: Lane, fetched: readonly QueuedDelivery[]): void;
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
  readonly loaded: Loaded;
  readonly memory: LaneMemory;
  readonly places: LanePlaces;
  readonly reach: LaneReach;
  readonly dueClock: DueClock;
  readonly endpointOf: (key: LaneKey) => SigningEndpoint | undefined;
  readonly isStopping: () => boolean;
  readonly startsAtOnce: (lane: Lane, endpoint: SigningEndpoint) => boolean;
  /** Puts it among those that wait in the lane, or into this list of the lane's. */
  readonly enter: (lane: Lane, queued: QueuedDelivery, list?: QueuedDelivery[]) => void;
  /** Starts what may be started now. */
  readonly pump: () => void;
  /** Takes it over, but into no lane. */
  readonly keep: (queued: QueuedDelivery) => void;
  readonly restIfIdle: (lane: Lane) => void;
}): LaneAdmission {
  const {
    lanes,
    keys,
    records,
    loaded,
    memory,
    places,
    reach,
    endpointOf,
    isStopping,
    enter,
    pump,
    restIfIdle,
  } = options;

  function place(queued: QueuedDelivery): void {
    const { organisationId, endpointId } = queued.delivery;
    const endpoint = endpointOf(queued.delivery);
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
    enter(lane, queued);
    pump();
  }

  function setAside(queued: QueuedDelivery): void {
    const endpoint = endpointOf(queued.delivery);
    if (isOpen(endpoint)) records.park(queued);
    else records.hold(queued, endpoint);
  }

  return {
    offer(queued) {
      if (queued.holding.state === 'lost') return;
      if (queued.order === null) place(queued);
      else if (isOutside(reach, queued, endpointOf(queued.delivery))) keys().toStorage(queued);
      else if (keys().admit(queued)) place(queued);
    },

    takeFetched(lane, fetched) {
      const endpoint = endpointOf(lane);
      const followers: QueuedDelivery[] = [];
      const refused: QueuedDelivery[] = [];
      for (const queued of fetched) {
        // One that is done was parked a moment ago, or it would carry our claim and wouldn't have come.
        if (loaded.get(queued.delivery.id)?.done === false) continue;
        if (queued.isBehind) followers.push(queued);
        else if (queued.order !== null && !keys().fetched(queued)) {
          queued.isBehind = true;
          refused.push(queued);
          setAside(queued);
        } else if (!isOpen(endpoint) && !queued.expedited) records.hold(queued, endpoint);
        else if (isStopping() || queued.holding.state !== 'held' || isOutside(reach, queued, endpoint))
          records.park(queued);
        else enter(lane, queued, lane.returned);
      }
      for (const queued of keys().follow(followers, refused)) setAside(queued);
      pump();
      restIfIdle(lane);
    },

    place,
    setAside,

    keepInMemory(queued) {
      const lane = lanes.find(queued.delivery.endpointId);
      const endpoint = endpointOf(queued.delivery);
      if (isStopping() || !isOpen(endpoint) || memory.isAllFull || lane === undefined) return false;
      if (lane.pace === 'slow' || !places.admits(lane, endpoint) || memory.isFull(lane)) return false;
      options.keep(queued);
      return true;
    },
  };
}

import type { SigningEndpoint } from '@posthorn/models';
import type { Judged } from '../attempt.ts';
import { closedBreaker } from './breaker.ts';
import { blocksItsKey } from './endpoint-order.ts';
import { isOpen } from './gate.ts';
import { createKeyOrder } from './create-key-order.ts';
import { isMoving, learn, paceOf, probeLater, remove, takeNext, waitingIn, type Lane } from './lane.ts';
import { createLaneAdmission } from './lane-admission.ts';
import { createLaneHandOver } from './lane-hand-over.ts';
import { createLaneMemory } from './lane-memory.ts';
import { registerLaneMetrics } from './lane-metrics.ts';
import { createLanePlaces } from './lane-places.ts';
import { isOutside, wholeReach } from './lane-reach.ts';
import { createLaneRecords } from './lane-records.ts';
import { createLaneRegistry } from './lane-registry.ts';
import { createLaneTurns } from './lane-turns.ts';
import type { Lanes, LanesOptions } from './lanes.ts';
import { createLoaded } from './loaded.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import type { LaneKey } from '../due.ts';
import { createRefill } from './refill.ts';
import { createStalled } from './stalled.ts';
import { createTurnBudget } from './turn-budget.ts';
import { mostBehindMs, noTombstones } from '../erasures/tombstones.ts';
import { createUnrecorded } from './unrecorded.ts';

const tickMs = 50;
/** More records than this waiting to be written: nothing new is started until the store catches up. */
const maxRecordBacklog = 4000;
const nothing = { deliveries: 0, bytes: 0 };

/** The lanes of this process (lanes.ts): what goes where, and when. */
export function createLanes(options: LanesOptions): Lanes {
  const { attempt, recorder, directory, clock, dueClock, limits, tombstones = noTombstones } = options;
  const jitter = (): number => options.random.number();
  const reach = options.reach ?? wholeReach(clock);

  const lanes = createLaneRegistry();
  const active = new Set<Lane>();
  const places = createLanePlaces({ clock, most: reach.placesOf, limiter: reach.limiter, wake });
  const turns = createLaneTurns(limits.slots, places);
  const loaded = createLoaded();
  const unrecorded = createUnrecorded();
  const budget = createTurnBudget(pump);
  const stalled = createStalled({
    enter: (queued) => enter(lanes.of(queued.delivery.organisationId, queued.delivery.endpointId), queued),
    park: (queued) => records.park(queued),
  });
  let stopping = false;
  let pumping = false;

  const refill = createRefill({
    due: options.due,
    clock,
    dueClock,
    holdings: options.holdings,
    homeOf: reach.homeOf,
    loaded,
    limits,
    endpointOf,
    isKnown: ({ organisationId }) => directory.isLoaded(organisationId),
    mayStart,
    startsAtOnce,
    places,
    onFetched: (lane, fetched) => admission.takeFetched(lane, fetched),
    onElsewhere: leaveToOthers,
    onSettled: (lane) => keys.recheckEndpoint(lane.endpointId),
  });
  const parked = registerLaneMetrics(options.metrics, {
    inFlight: () => turns.running,
    queued: () => loaded.deliveries,
    active,
    stored: refill.lanes,
    known: () => lanes.known(),
    isOpen: (lane) => {
      const endpoint = endpointOf(lane);
      return isOpen(endpoint) && places.admits(lane, endpoint);
    },
    now: () => dueClock.now(),
  });
  const records = createLaneRecords({
    recorder,
    keys: () => keys,
    loaded,
    clock,
    dueClock,
    tombstones,
    parked: () => parked,
    endpointOf: ({ delivery }) => endpointOf(delivery),
    noteStored,
    onRoom: options.onRoom,
  });
  const memory = createLaneMemory({ loaded, limits, park: (queued) => records.park(queued) });
  const admission = createLaneAdmission({
    lanes,
    keys: () => keys,
    records,
    loaded,
    memory,
    places,
    reach,
    dueClock,
    endpointOf,
    isStopping: () => stopping,
    startsAtOnce,
    enter,
    pump,
    keep,
    restIfIdle: (lane) => lanes.restIfIdle(lane),
  });
  const keys = createKeyOrder({
    store: options.store,
    endpointOf,
    place: admission.place,
    keepInMemory: admission.keepInMemory,
    setAside: admission.setAside,
    noteStored,
    clock,
    dueClock,
    logger: options.logger,
  });

  const handOver = createLaneHandOver({
    lanes,
    active,
    loaded,
    records,
    keys,
    clock,
    endpointOf,
    mostOf: places.most,
    carriedBy: reach.carriedBy,
    takeOut,
    restIfIdle: (lane) => lanes.restIfIdle(lane),
    onRoom: options.onRoom,
  });

  function endpointOf({ organisationId, endpointId }: LaneKey): SigningEndpoint | undefined {
    return directory.endpoint(organisationId, endpointId);
  }

  function startsAtOnce(lane: Lane, endpoint: SigningEndpoint): boolean {
    return turns.hasRoomFor(lane) && waitingIn(lane) === 0 && places.hasOne(lane, endpoint) && mayStart();
  }

  function mayStart(): boolean {
    if (stopping || recorder.backlog >= maxRecordBacklog) return false;
    return clock.monotonic() - tombstones.knownAt() < mostBehindMs;
  }

  function keep(queued: QueuedDelivery): void {
    loaded.add(queued);
    if (!queued.isRecorded) unrecorded.add(queued);
  }

  function enter(lane: Lane, queued: QueuedDelivery, list = lane.waiting): void {
    const endpoint = endpointOf(lane);
    // Its breaker may have opened since it was asked for.
    if (!queued.expedited && endpoint !== undefined && !places.admits(lane, endpoint)) {
      records.park(queued);
      return;
    }
    keep(queued);
    if (queued.expedited) lane.expedited.push(queued);
    else {
      list.push(queued);
      lane.waitingBytes += queued.bytes;
    }
    turns.want(lane, endpoint);
  }

  function wake(lane: Lane): void {
    turns.want(lane, endpointOf(lane));
    pump();
  }

  function pump(): void {
    if (stopping || pumping) return;
    pumping = true;
    const mayTake = (): boolean => mayStart() && budget.take();
    for (let lane = turns.next(mayTake); lane !== undefined; lane = turns.next(mayTake)) startNext(lane);
    pumping = false;
  }

  function startNext(lane: Lane): void {
    const endpoint = endpointOf(lane);
    const queued = takeByHand(lane, endpoint) ?? takeWaiting(lane, endpoint);
    if (queued === undefined) turns.want(lane, endpoint);
    if (queued === undefined) return;
    if (endpoint === undefined || tombstones.isErased(queued.event)) records.hold(queued, endpoint);
    else if (queued.holding.mayStart()) {
      start(lane, queued, endpoint);
      return;
    } else if (queued.holding.state === 'held') stalled.add(queued);
    else records.park(queued);
    turns.want(lane, endpoint);
  }

  function start(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint): void {
    lane.inFlight.set(queued, clock.monotonic());
    places.taken(lane, queued, endpoint);
    active.add(lane);
    turns.occupy(lane, 1);
    turns.want(lane, endpoint);
    void attempt(queued, endpoint).then((judged) => settle(lane, queued, endpoint, judged));
  }

  function takeByHand(lane: Lane, endpoint: SigningEndpoint | undefined): QueuedDelivery | undefined {
    return endpoint === undefined || places.hasOneByHand(lane, endpoint) ? lane.expedited.shift() : undefined;
  }

  function takeWaiting(lane: Lane, endpoint: SigningEndpoint | undefined): QueuedDelivery | undefined {
    const isReady = endpoint === undefined || (isOpen(endpoint) && places.hasOne(lane, endpoint));
    return isReady ? takeNext(lane) : undefined;
  }

  function settle(
    lane: Lane,
    queued: QueuedDelivery,
    endpoint: SigningEndpoint,
    judged: Judged | null,
  ): void {
    lane.inFlight.delete(queued);
    turns.occupy(lane, -1);
    if (judged === null) notSent(lane, queued);
    else takeIn(lane, queued, endpoint, judged);
    if (lane.inFlight.size === 0) active.delete(lane);
    turns.want(lane, endpointOf(lane));
    refill.fetchMore(lane);
    pump();
    handOver.attemptEnded();
    lanes.restIfIdle(lane);
  }

  function takeIn(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint, judged: Judged): void {
    const { delivery, attempt: made } = judged;
    const tookMs = made.durationMs;
    const moment = { places: places.most(endpoint), tookMs, monotonicNow: clock.monotonic(), jitter };
    const openForMs = learn(lane, queued, judged.outcome, moment);
    if (openForMs !== null) options.onOpened?.(lane.endpointId, openForMs);
    markPace(lane);
    if (!places.admits(lane, endpoint)) memory.parkBeyond(lane, nothing);
    const blocks = queued.order !== null && blocksItsKey(delivery, endpoint.endpoint);
    records.write(queued, delivery, { attempt: made, ...(blocks ? { order: queued.order } : {}) });
    // Noted before it is on record, so that what is known of the receiver isn't forgotten until its next attempt.
    if (delivery.nextAttemptAt !== null) {
      noteStored(lane.organisationId, lane.endpointId, delivery.nextAttemptAt.getTime());
    }
    if (judged.disableEndpoint !== null) options.onGone(endpoint, judged.disableEndpoint);
  }

  /** Its partition's lease was no longer certain; if it was to be a probe, another one is. */
  function notSent(lane: Lane, queued: QueuedDelivery): void {
    if (lane.probe === queued) probeLater(lane, clock.monotonic());
    records.park(queued);
  }

  function noteStored(organisationId: string, endpointId: string, dueAt: number, partition?: number): void {
    const endpoint = endpointOf({ organisationId, endpointId });
    const home = partition === undefined || endpoint === undefined ? null : reach.homeOf(endpoint);
    if (home !== null && home !== partition) {
      reach.onStray(organisationId, endpointId);
      return;
    }
    const lane = lanes.of(organisationId, endpointId);
    refill.note(lane, dueAt);
    lanes.restIfIdle(lane);
  }

  function markPace(lane: Lane): void {
    const pace = paceOf(lane, clock.monotonic());
    if (pace === lane.pace) return;
    turns.setPace(lane, pace);
    if (pace === 'slow') memory.parkBeyond(lane, { deliveries: lane.window, bytes: limits.laneBytes });
    turns.want(lane, endpointOf(lane));
  }

  /** Puts on record, under our claim, what has been in memory for so long that the log shouldn't wait for it. */
  function recordWaiting(): void {
    const now = clock.monotonic();
    const overdue = unrecorded.takeOverdue(now, (queued) =>
      isMoving(lanes.find(queued.delivery.endpointId), queued, now),
    );
    for (const queued of overdue) records.keep(queued);
  }

  function tick(): void {
    recordWaiting();
    stalled.restart();
    for (const lane of active) markPace(lane);
    for (const lane of refill.lanes) refill.fetchMore(lane);
    pump();
    if (!stopping) clock.setTimeout(tick, tickMs).unref();
  }

  function refresh(organisationId: string): void {
    for (const lane of lanes.ofOrganisation(organisationId)) {
      const endpoint = endpointOf(lane);
      if (endpoint !== undefined && reach.homeOf(endpoint) !== null) sendHome(lane, endpoint);
      if (isOpen(endpoint)) {
        turns.want(lane, endpoint);
        refill.fetchMore(lane);
        continue;
      }
      lane.waitingBytes = 0;
      for (const queued of [...lane.returned.splice(0), ...lane.waiting.splice(0)]) {
        records.hold(queued, endpoint);
      }
      refill.settle(lane);
      lanes.restIfIdle(lane);
    }
    keys.refresh(organisationId);
    pump();
  }

  /** What waits here of an endpoint whose home has become another partition goes to storage, and from there home. */
  function sendHome(lane: Lane, endpoint: SigningEndpoint): void {
    for (const queued of [...lane.expedited, ...lane.returned, ...lane.waiting]) {
      if (!isOutside(reach, queued, endpoint)) continue;
      takeOut(lane, queued);
      records.park(queued);
    }
    reach.onStray(lane.organisationId, lane.endpointId);
  }

  function leaveToOthers(lane: Lane): void {
    reach.onStray(lane.organisationId, lane.endpointId);
    lanes.restIfIdle(lane);
  }

  function withdraw(deliveryId: string): boolean {
    const queued = loaded.get(deliveryId);
    const lane = queued && lanes.find(queued.delivery.endpointId);
    if (queued === undefined || lane === undefined || lane.inFlight.has(queued) || queued.done) return false;
    takeOut(lane, queued);
    if (queued.order !== null) keys.withdrawn(queued);
    options.onRoom();
    return true;
  }

  /** Takes it out of our hands without writing anything. */
  function takeOut(lane: Lane | undefined, queued: QueuedDelivery): void {
    if (lane !== undefined) remove(lane, queued);
    queued.done = true;
    loaded.remove(queued);
  }

  return {
    offer: admission.offer,
    expedite(queued) {
      const { id, organisationId, endpointId } = queued.delivery;
      // It may have come from storage, or been asked for twice, while it was being claimed.
      if (loaded.get(id) !== undefined && !withdraw(id)) return;
      enter(lanes.of(organisationId, endpointId), queued);
      pump();
    },
    noteStored,
    find: (deliveryId) => loaded.get(deliveryId),
    withdraw,
    refresh,
    relieve: (bound) => memory.relieve(lanes.all(), bound),
    breakerOf: (endpointId) => lanes.find(endpointId)?.breaker ?? closedBreaker,
    get memory() {
      return { deliveries: loaded.deliveries, bytes: loaded.bytes };
    },
    keys,
    ...handOver,
    start: () => void clock.setTimeout(tick, tickMs).unref(),
    async stop(signal) {
      stopping = true;
      handOver.park(null);
      await handOver.ended(null, signal);
    },
  };
}

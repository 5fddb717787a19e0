import { slowsDown, type SigningEndpoint } from '@posthorn/models';
import type { Judged } from './attempt.ts';
import { blocksItsKey } from './endpoint-order.ts';
import { isOpen } from './gate.ts';
import { createKeyOrder } from './key-order.ts';
import { adaptWindow, isIdle, isMoving, isSlow, type Lane } from './lane.ts';
import { createLaneHandOver } from './lane-hand-over.ts';
import type { MemoryBound } from './lane-limits.ts';
import { registerLaneMetrics } from './lane-metrics.ts';
import { createLaneRecords } from './lane-records.ts';
import { createLaneRegistry } from './lane-registry.ts';
import { createLaneTurns, hasPlace } from './lane-turns.ts';
import type { Lanes, LanesOptions } from './lanes.ts';
import { createLoaded } from './loaded.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import { createRefill } from './refill.ts';
import { createTurnBudget } from './turn-budget.ts';
import { createUnrecorded } from './unrecorded.ts';

const tickMs = 50;
/** More records than this waiting to be written: nothing new is started until the store catches up. */
const maxRecordBacklog = 4000;

/** The lanes of this process (lanes.ts): what goes where, and when. */
export function createLanes(options: LanesOptions): Lanes {
  const { attempt, recorder, directory, clock, dueClock, limits } = options;

  const lanes = createLaneRegistry();
  const active = new Set<Lane>();
  const turns = createLaneTurns(limits.slots);
  const loaded = createLoaded();
  const unrecorded = createUnrecorded();
  const budget = createTurnBudget(pump);
  /** Their turn came while their partition's lease wasn't certain. */
  let stalled: QueuedDelivery[] = [];
  let stopping = false;
  let pumping = false;

  const refill = createRefill({
    due: options.due,
    dueClock,
    holdings: options.holdings,
    loaded,
    limits,
    endpointOf,
    isKnown: ({ organisationId }) => directory.isLoaded(organisationId),
    mayStart,
    startsAtOnce,
    onFetched: takeFetched,
    onSettled: (lane) => keys.recheckEndpoint(lane.endpointId),
  });
  const parked = registerLaneMetrics(options.metrics, {
    inFlight: () => turns.running,
    queued: () => loaded.deliveries,
    active,
    stored: refill.lanes,
    isOpen: (lane) => isOpen(endpointOf(lane)),
    now: () => dueClock.now(),
  });
  const records = createLaneRecords({
    recorder,
    keys: () => keys,
    loaded,
    clock,
    dueClock,
    parked: () => parked,
    endpointOf: ({ delivery }) => endpointOf(delivery),
    noteStored,
    onRoom: options.onRoom,
  });
  const keys = createKeyOrder({
    store: options.store,
    endpointOf,
    place,
    keepInMemory,
    setAside,
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
    takeOut,
    forgetIfIdle,
    onRoom: options.onRoom,
  });

  function forgetIfIdle(lane: Lane): void {
    if (isIdle(lane)) lanes.forget(lane);
  }

  function endpointOf(place: {
    readonly organisationId: string;
    readonly endpointId: string;
  }): SigningEndpoint | undefined {
    return directory.endpoint(place.organisationId, place.endpointId);
  }

  function offer(queued: QueuedDelivery): void {
    if (queued.holding.state === 'lost') return;
    if (queued.order === null || keys.admit(queued)) place(queued);
  }

  function place(queued: QueuedDelivery): void {
    const { organisationId, endpointId } = queued.delivery;
    const endpoint = endpointOf(queued.delivery);
    if (!isOpen(endpoint)) {
      records.hold(queued, endpoint);
      return;
    }
    const lane = lanes.of(organisationId, endpointId);
    const isHandedOver = queued.holding.state === 'ending';
    if (stopping || isHandedOver || isFull(lane) || (isAllFull() && !startsAtOnce(lane, endpoint))) {
      records.park(queued);
      forgetIfIdle(lane);
      return;
    }
    enter(lane, queued);
    pump();
  }

  /** What waits for a slow receiver waits in storage, or those that hang would fill the memory of all. */
  function isFull(lane: Lane): boolean {
    const deliveries = lane.slow ? Math.min(lane.window, limits.laneDeliveries) : limits.laneDeliveries;
    return lane.waiting.length >= deliveries || lane.waitingBytes >= limits.laneBytes;
  }

  function isAllFull(): boolean {
    return loaded.deliveries >= limits.totalDeliveries || loaded.bytes >= limits.totalBytes;
  }

  function keepInMemory(queued: QueuedDelivery): boolean {
    const lane = lanes.find(queued.delivery.endpointId);
    const isEnabled = isOpen(endpointOf(queued.delivery));
    if (stopping || !isEnabled || isAllFull() || lane === undefined || lane.slow || isFull(lane))
      return false;
    loaded.add(queued);
    if (!queued.isRecorded) unrecorded.add(queued);
    return true;
  }

  function setAside(queued: QueuedDelivery): void {
    const endpoint = endpointOf(queued.delivery);
    if (isOpen(endpoint)) records.park(queued);
    else records.hold(queued, endpoint);
  }

  function startsAtOnce(lane: Lane, endpoint: SigningEndpoint): boolean {
    return turns.hasRoomFor(lane) && lane.waiting.length === 0 && hasPlace(lane, endpoint) && mayStart();
  }

  function mayStart(): boolean {
    return !stopping && recorder.backlog < maxRecordBacklog;
  }

  function enter(lane: Lane, queued: QueuedDelivery): void {
    loaded.add(queued);
    if (queued.expedited) lane.expedited.push(queued);
    else {
      lane.waiting.push(queued);
      lane.waitingBytes += queued.bytes;
    }
    if (!queued.isRecorded) unrecorded.add(queued);
    turns.want(lane, endpointOf(lane));
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
    const queued = lane.expedited.shift() ?? takeWaiting(lane, endpoint);
    if (queued === undefined) return;
    if (endpoint === undefined) records.hold(queued, undefined);
    else if (queued.holding.mayStart()) {
      start(lane, queued, endpoint);
      return;
    } else if (queued.holding.state === 'held') stalled.push(queued);
    else records.park(queued);
    turns.want(lane, endpoint);
  }

  function start(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint): void {
    lane.inFlight.set(queued, clock.monotonic());
    active.add(lane);
    turns.occupy(lane, 1);
    turns.want(lane, endpoint);
    void attempt(queued, endpoint).then((judged) => settle(lane, queued, endpoint, judged));
  }

  function takeWaiting(lane: Lane, endpoint: SigningEndpoint | undefined): QueuedDelivery | undefined {
    if (endpoint !== undefined && !(isOpen(endpoint) && hasPlace(lane, endpoint))) {
      return undefined;
    }
    const queued = lane.waiting.shift();
    if (queued !== undefined) lane.waitingBytes -= queued.bytes;
    return queued;
  }

  function settle(
    lane: Lane,
    queued: QueuedDelivery,
    endpoint: SigningEndpoint,
    judged: Judged | null,
  ): void {
    lane.inFlight.delete(queued);
    turns.occupy(lane, -1);
    if (judged === null) records.park(queued);
    else takeIn(lane, queued, endpoint, judged);
    if (lane.inFlight.size === 0) active.delete(lane);
    turns.want(lane, endpointOf(lane));
    refill.fetchMore(lane);
    pump();
    handOver.attemptEnded();
    forgetIfIdle(lane);
  }

  function takeIn(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint, judged: Judged): void {
    const { delivery, attempt: made } = judged;
    lane.settledAt = clock.monotonic();
    adaptWindow(lane, judged.outcome.kind, slowsDown(judged.outcome), endpoint.endpoint.maxInFlight);
    markSpeed(lane);
    const blocks = queued.order !== null && blocksItsKey(delivery, endpoint.endpoint);
    records.write(queued, delivery, { attempt: made, ...(blocks ? { order: queued.order } : {}) });
    // Noted before it is on record, so that what is known of the receiver isn't forgotten until its next attempt.
    if (delivery.nextAttemptAt !== null) {
      noteStored(lane.organisationId, lane.endpointId, delivery.nextAttemptAt.getTime());
    }
    if (judged.disableEndpoint !== null) options.onGone(endpoint, judged.disableEndpoint);
  }

  function noteStored(organisationId: string, endpointId: string, dueAt: number): void {
    const lane = lanes.of(organisationId, endpointId);
    refill.note(lane, dueAt);
    forgetIfIdle(lane);
  }

  function takeFetched(lane: Lane, fetched: readonly QueuedDelivery[]): void {
    const endpoint = endpointOf(lane);
    for (const queued of fetched) {
      // One that is done was parked a moment ago, or it would carry our claim and wouldn't have come.
      if (loaded.get(queued.delivery.id)?.done === false) continue;
      if (queued.order !== null && !keys.fetched(queued)) {
        queued.isBehind = true;
        setAside(queued);
      } else if (!isOpen(endpoint) && !queued.expedited) records.hold(queued, endpoint);
      else if (stopping || queued.holding.state !== 'held') records.park(queued);
      else enter(lane, queued);
    }
    pump();
    forgetIfIdle(lane);
  }

  function markSpeed(lane: Lane): void {
    const becomesSlow = isSlow(lane, clock.monotonic());
    if (becomesSlow === lane.slow) return;
    turns.setSlow(lane, becomesSlow);
    if (becomesSlow) parkBeyond(lane, { deliveries: lane.window, bytes: limits.laneBytes });
    turns.want(lane, endpointOf(lane));
  }

  /** Sends the newest of what waits to storage, until no more than this is left. */
  function parkBeyond(lane: Lane, { deliveries, bytes }: MemoryBound): void {
    const parting: QueuedDelivery[] = [];
    while (lane.waiting.length > deliveries || lane.waitingBytes > bytes) {
      const newest = lane.waiting.pop();
      if (newest === undefined) break;
      lane.waitingBytes -= newest.bytes;
      parting.unshift(newest);
    }
    for (const queued of parting) records.park(queued);
  }

  /** Puts on record, under our claim, what has been in memory for so long that the log shouldn't wait for it. */
  function recordWaiting(): void {
    const now = clock.monotonic();
    const overdue = unrecorded.takeOverdue(now, (queued) =>
      isMoving(lanes.find(queued.delivery.endpointId), queued, now),
    );
    for (const queued of overdue) records.keep(queued);
  }

  /** A lease has become certain again, or has been lost meanwhile. */
  function restart(): void {
    if (stalled.length === 0) return;
    const again = stalled;
    stalled = [];
    for (const queued of again) {
      const { organisationId, endpointId } = queued.delivery;
      if (queued.done) continue;
      if (queued.holding.state === 'held') enter(lanes.of(organisationId, endpointId), queued);
      else records.park(queued);
    }
  }

  function tick(): void {
    recordWaiting();
    restart();
    for (const lane of active) markSpeed(lane);
    for (const lane of refill.lanes) refill.fetchMore(lane);
    pump();
    if (!stopping) clock.setTimeout(tick, tickMs).unref();
  }

  function refresh(organisationId: string): void {
    for (const lane of lanes.ofOrganisation(organisationId)) {
      const endpoint = endpointOf(lane);
      if (isOpen(endpoint)) {
        turns.want(lane, endpoint);
        refill.fetchMore(lane);
        continue;
      }
      for (const queued of lane.waiting.splice(0)) {
        lane.waitingBytes -= queued.bytes;
        records.hold(queued, endpoint);
      }
      refill.settle(lane);
      forgetIfIdle(lane);
    }
    keys.refresh(organisationId);
    pump();
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
    const list = (queued.expedited ? lane?.expedited : lane?.waiting) ?? [];
    const place = list.indexOf(queued);
    if (lane !== undefined && place !== -1) {
      list.splice(place, 1);
      if (!queued.expedited) lane.waitingBytes -= queued.bytes;
    }
    queued.done = true;
    loaded.remove(queued);
  }

  return {
    offer,
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
    relieve({ deliveries, bytes }) {
      if (loaded.deliveries <= deliveries && loaded.bytes <= bytes) return;
      const waiting = [...lanes.all()].filter((lane) => lane.waiting.length > 0);
      const { length } = waiting;
      for (const lane of waiting)
        parkBeyond(lane, { deliveries: deliveries / length, bytes: bytes / length });
    },
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

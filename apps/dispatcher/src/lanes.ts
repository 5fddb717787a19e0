import { slowsDown, type Delivery, type SigningEndpoint } from '@posthorn/models';
import type { Clock, Metrics } from '@posthorn/runtime';
import type { Judged } from './attempt.ts';
import type { Directory } from './directory.ts';
import { claimedUntil, type DueReader } from './due.ts';
import type { DueClock } from './due-clock.ts';
import { createFairQueue } from './fair-queue.ts';
import { heldDelivery } from './hold.ts';
import { adaptWindow, isIdle, isMoving, isSlow, type Lane } from './lane.ts';
import type { LaneLimits, MemoryBound } from './lane-limits.ts';
import { createLaneRegistry } from './lane-registry.ts';
import { createLoaded } from './loaded.ts';
import { registerLaneMetrics } from './lane-metrics.ts';
import { recordOf, takeMark, type QueuedDelivery } from './queued-delivery.ts';
import type { Recorder } from './record.ts';
import { createRefill } from './refill.ts';
import { createTurnBudget } from './turn-budget.ts';
import { createUnrecorded } from './unrecorded.ts';

/**
 * Step 4: it waits its turn. One lane per endpoint, served round robin, organisations first. What a lane can't keep in
 * memory is parked in storage and comes back when there is room (refill.ts). Whoever waits longer than 250 ms is put on
 * record, so that the log can move on. Nothing here blocks: a receiver that hangs costs its own lane's places only.
 */
export interface Lanes {
  /** Takes a delivery that isn't on record into its endpoint's lane, into storage, or holds it. */
  offer(queued: QueuedDelivery): void;
  /** Takes a delivery that someone asked for: it goes first, whatever state its endpoint is in. */
  expedite(queued: QueuedDelivery): void;
  /** Tells that something of an endpoint waits in storage, due at `dueAt` (by the due clock). */
  noteStored(organisationId: string, endpointId: string, dueAt: number): void;
  /** What is known in memory of a delivery that isn't (or not finally) on record. */
  find(deliveryId: string): QueuedDelivery | undefined;
  /** Takes a delivery that isn't under way yet out of its lane; false when it is under way or unknown. */
  withdraw(deliveryId: string): boolean;
  /** The endpoints of an organisation may have changed: holds, ends or wakes what waits for them. */
  refresh(organisationId: string): void;
  /** Sends what waits to storage until about this is left, every lane keeping an equal share: for when nothing else makes room. */
  relieve(bound: MemoryBound): void;
  readonly memory: MemoryBound;
  /** Starts the clockwork: recording what waits, noticing what is due and who is slow. */
  start(): void;
  /** Starts nothing new; resolves when nothing is under way, or when `signal` aborts. What waits goes to storage. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface LanesOptions {
  readonly attempt: (queued: QueuedDelivery, endpoint: SigningEndpoint) => Promise<Judged>;
  readonly recorder: Recorder;
  readonly directory: Directory;
  readonly due: DueReader;
  /** This process's mark on what it works on. */
  readonly claim: string;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly limits: LaneLimits;
  readonly metrics: Metrics;
  /** A receiver said that it is gone for good (410). */
  readonly onGone: (endpoint: SigningEndpoint, reason: string) => void;
  /** Room was made: called after every delivery that left memory. */
  readonly onRoom: () => void;
}

const tickMs = 50;
/** More records than this waiting to be written: nothing new is started until the store catches up. */
const maxRecordBacklog = 4000;

export function createLanes(options: LanesOptions): Lanes {
  const { attempt, recorder, directory, claim, clock, dueClock, limits } = options;

  const lanes = createLaneRegistry();
  const active = new Set<Lane>();
  /** The places for attempts, and whose turn it is to have one: slow lanes have theirs apart. */
  const fast = { places: limits.slots, running: 0, turns: createFairQueue<Lane>() };
  const slow = { places: limits.slots / 4, running: 0, turns: createFairQueue<Lane>() };
  const speedOf = (lane: Lane): typeof fast => (lane.slow ? slow : fast);
  const loaded = createLoaded();
  const unrecorded = createUnrecorded();
  const budget = createTurnBudget(pump);
  let stopping = false;
  let pumping = false;
  const idleWaiters: (() => void)[] = [];

  const refill = createRefill({
    due: options.due,
    dueClock,
    claim,
    loaded,
    limits,
    endpointOf,
    mayStart,
    startsAtOnce,
    onFetched: takeFetched,
  });
  const parked = registerLaneMetrics(options.metrics, {
    inFlight: () => fast.running + slow.running,
    queued: () => loaded.deliveries,
    active,
    stored: refill.lanes,
    isOpen: (lane) => endpointOf(lane)?.endpoint.state === 'enabled',
    now: () => dueClock.now(),
  });

  function forgetIfIdle(lane: Lane): void {
    if (isIdle(lane)) lanes.forget(lane);
  }

  function endpointOf(lane: Lane): SigningEndpoint | undefined {
    return directory.endpoint(lane.organisationId, lane.endpointId);
  }

  function offer(queued: QueuedDelivery): void {
    const { organisationId, endpointId } = queued.delivery;
    const endpoint = directory.endpoint(organisationId, endpointId);
    if (endpoint?.endpoint.state !== 'enabled') {
      hold(queued, endpoint);
      return;
    }
    const lane = lanes.of(organisationId, endpointId);
    const allFull = loaded.deliveries >= limits.totalDeliveries || loaded.bytes >= limits.totalBytes;
    if (stopping || isFull(lane) || (allFull && !startsAtOnce(lane, endpoint))) {
      park(queued);
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

  function startsAtOnce(lane: Lane, endpoint: SigningEndpoint): boolean {
    const { running, places } = speedOf(lane);
    return running < places && lane.waiting.length === 0 && hasPlace(lane, endpoint) && mayStart();
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
    if (queued.claim === null) unrecorded.add(queued);
    takeTurn(lane);
  }

  function hasPlace(lane: Lane, endpoint: SigningEndpoint): boolean {
    return lane.inFlight.size < Math.min(lane.window, endpoint.endpoint.maxInFlight);
  }

  /** Puts the lane into the queue of turns when something of it may be started. */
  function takeTurn(lane: Lane): void {
    if (lane.expedited.length === 0) {
      if (lane.waiting.length === 0) return;
      const endpoint = endpointOf(lane);
      if (endpoint === undefined || endpoint.endpoint.state !== 'enabled' || !hasPlace(lane, endpoint))
        return;
    }
    speedOf(lane).turns.add(lane.organisationId, lane);
  }

  function pump(): void {
    if (stopping || pumping) return;
    pumping = true;
    for (const speed of [fast, slow]) {
      while (speed.turns.size > 0 && speed.running < speed.places && mayStart() && budget.take()) {
        const lane = speed.turns.take();
        if (lane !== undefined) startNext(lane);
      }
    }
    pumping = false;
  }

  function startNext(lane: Lane): void {
    const endpoint = endpointOf(lane);
    const queued = lane.expedited.shift() ?? takeWaiting(lane, endpoint);
    if (queued === undefined) return;
    if (endpoint === undefined) {
      hold(queued, undefined);
      takeTurn(lane);
      return;
    }
    lane.inFlight.set(queued, clock.monotonic());
    active.add(lane);
    speedOf(lane).running += 1;
    takeTurn(lane);
    void attempt(queued, endpoint).then((judged) => settle(lane, queued, endpoint, judged));
  }

  function takeWaiting(lane: Lane, endpoint: SigningEndpoint | undefined): QueuedDelivery | undefined {
    if (endpoint !== undefined && !(endpoint.endpoint.state === 'enabled' && hasPlace(lane, endpoint))) {
      return undefined;
    }
    const queued = lane.waiting.shift();
    if (queued !== undefined) lane.waitingBytes -= queued.bytes;
    return queued;
  }

  function settle(lane: Lane, queued: QueuedDelivery, endpoint: SigningEndpoint, judged: Judged): void {
    const { delivery, attempt: made } = judged;
    lane.inFlight.delete(queued);
    lane.settledAt = clock.monotonic();
    speedOf(lane).running -= 1;
    adaptWindow(lane, judged.outcome.kind, slowsDown(judged.outcome), endpoint.endpoint.maxInFlight);
    markSpeed(lane);
    if (lane.inFlight.size === 0) active.delete(lane);
    write(queued, delivery, { attempt: made });
    // Noted before it is on record, so that what is known of the receiver isn't forgotten until its next attempt.
    if (delivery.nextAttemptAt !== null) {
      noteStored(lane.organisationId, lane.endpointId, delivery.nextAttemptAt.getTime());
    }
    if (judged.disableEndpoint !== null) options.onGone(endpoint, judged.disableEndpoint);
    takeTurn(lane);
    refill.fetchMore(lane);
    pump();
    if (fast.running + slow.running === 0) for (const wake of idleWaiters.splice(0)) wake();
    forgetIfIdle(lane);
  }

  /** Writes what became of a delivery; from then on it is storage's, if anything of it still waits. */
  function write(
    queued: QueuedDelivery,
    delivery: Delivery,
    { attempt: made = null }: { attempt?: Judged['attempt'] | null } = {},
  ): void {
    queued.done = true;
    loaded.add(queued);
    const recorded = (): void => {
      loaded.remove(queued);
      const { nextAttemptAt } = delivery;
      if (nextAttemptAt !== null) {
        noteStored(delivery.organisationId, delivery.endpointId, nextAttemptAt.getTime());
      }
      options.onRoom();
    };
    recorder.add(recordOf(queued, delivery, { claim: null, attempt: made }), takeMark(queued), recorded);
  }

  function park(queued: QueuedDelivery): void {
    parked.inc();
    const nextAttemptAt = queued.delivery.nextAttemptAt ?? new Date(dueClock.now());
    write(queued, { ...queued.delivery, nextAttemptAt });
  }

  function hold(queued: QueuedDelivery, endpoint: SigningEndpoint | undefined): void {
    write(
      queued,
      heldDelivery(queued.delivery, endpoint, {
        now: new Date(clock.now()),
        dueNow: new Date(dueClock.now()),
      }),
    );
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
      if (stopping || endpoint?.endpoint.state !== 'enabled') hold(queued, endpoint);
      else enter(lane, queued);
    }
    pump();
    forgetIfIdle(lane);
  }

  function markSpeed(lane: Lane): void {
    const becomesSlow = isSlow(lane, clock.monotonic());
    if (becomesSlow === lane.slow) return;
    const before = speedOf(lane);
    before.running -= lane.inFlight.size;
    before.turns.remove(lane.organisationId, lane);
    lane.slow = becomesSlow;
    speedOf(lane).running += lane.inFlight.size;
    if (becomesSlow) parkBeyond(lane, { deliveries: lane.window, bytes: limits.laneBytes });
    takeTurn(lane);
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
    for (const queued of parting) park(queued);
  }

  /** Puts on record, under our claim, what has been in memory for so long that the log shouldn't wait for it. */
  function recordWaiting(): void {
    const now = clock.monotonic();
    for (const queued of unrecorded.takeOverdue(now, (queued) =>
      isMoving(lanes.find(queued.delivery.endpointId), queued, now),
    )) {
      const { delivery } = queued;
      const endpoint = directory.endpoint(delivery.organisationId, delivery.endpointId);
      const nextAttemptAt = claimedUntil(dueClock.now(), endpoint);
      const record = recordOf(queued, { ...delivery, nextAttemptAt }, { claim, attempt: null });
      recorder.add(record, takeMark(queued), options.onRoom);
      queued.claim = claim;
    }
  }

  function tick(): void {
    recordWaiting();
    for (const lane of active) markSpeed(lane);
    for (const lane of refill.lanes) refill.fetchMore(lane);
    pump();
    if (!stopping) clock.setTimeout(tick, tickMs).unref();
  }

  function refresh(organisationId: string): void {
    for (const lane of lanes.ofOrganisation(organisationId)) {
      const endpoint = endpointOf(lane);
      if (endpoint?.endpoint.state === 'enabled') {
        takeTurn(lane);
        refill.fetchMore(lane);
        continue;
      }
      for (const queued of lane.waiting.splice(0)) {
        lane.waitingBytes -= queued.bytes;
        hold(queued, endpoint);
      }
      refill.settle(lane);
      forgetIfIdle(lane);
    }
    pump();
  }

  function withdraw(deliveryId: string): boolean {
    const queued = loaded.get(deliveryId);
    const lane = queued && lanes.find(queued.delivery.endpointId);
    if (queued === undefined || lane === undefined || lane.inFlight.has(queued) || queued.done) return false;
    const list = queued.expedited ? lane.expedited : lane.waiting;
    list.splice(list.indexOf(queued), 1);
    if (!queued.expedited) lane.waitingBytes -= queued.bytes;
    queued.done = true;
    loaded.remove(queued);
    options.onRoom();
    return true;
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
    start: () => void clock.setTimeout(tick, tickMs).unref(),
    async stop(signal) {
      stopping = true;
      for (const lane of lanes.all()) {
        for (const queued of [...lane.expedited.splice(0), ...lane.waiting.splice(0)]) park(queued);
        lane.waitingBytes = 0;
      }
      if (fast.running + slow.running > 0) {
        await new Promise<void>((resolve) => {
          idleWaiters.push(resolve);
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
  };
}

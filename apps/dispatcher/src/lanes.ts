import { slowsDown, type Delivery, type SigningEndpoint } from '@posthorn/models';
import type { Clock, Metrics } from '@posthorn/runtime';
import type { Judged } from './attempt.ts';
import type { Directory } from './directory.ts';
import { claimedUntil, type DueReader } from './due.ts';
import type { DueClock } from './due-clock.ts';
import { createFairQueue } from './fair-queue.ts';
import { heldDelivery } from './hold.ts';
import { adaptWindow, isIdle, isMoving, isSlow, type Lane } from './lane.ts';
import { createLaneRegistry } from './lane-registry.ts';
import { registerLaneMetrics } from './lane-metrics.ts';
import { recordOf, takeMark, type QueuedDelivery } from './queued-delivery.ts';
import type { Recorder } from './record.ts';
import { createUnrecorded } from './unrecorded.ts';

/**
 * Step 4: it waits its turn. One lane per endpoint, served round robin, organisations first. What a lane can't keep in
 * memory is parked in storage and comes back when there is room (due.ts). Whoever waits longer than 250 ms is put on
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
  readonly memory: { readonly deliveries: number; readonly bytes: number };
  /** Starts the clockwork: recording what waits, noticing what is due and who is slow. */
  start(): void;
  /** Starts nothing new; resolves when nothing is under way, or when `signal` aborts. What waits goes to storage. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface LaneLimits {
  /** Attempts under way at once; slow lanes have a quarter as many beside these. */
  readonly slots: number;
  /** In the memory of one lane. */
  readonly laneDeliveries: number;
  readonly laneBytes: number;
  /** In the memory of all lanes. */
  readonly totalDeliveries: number;
  readonly totalBytes: number;
}

export const defaultLaneLimits: LaneLimits = {
  slots: 512,
  laneDeliveries: 2000,
  laneBytes: 8 * 1024 * 1024,
  totalDeliveries: 20_000,
  totalBytes: 64 * 1024 * 1024,
};

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
  const { attempt, recorder, directory, due, claim, clock, dueClock, limits } = options;

  const lanes = createLaneRegistry();
  const active = new Set<Lane>();
  const stored = new Set<Lane>();
  const turns = createFairQueue<Lane>();
  const slowTurns = createFairQueue<Lane>();
  const loaded = new Map<string, QueuedDelivery>();
  const unrecorded = createUnrecorded();
  let bytes = 0;
  let running = 0;
  let runningSlow = 0;
  let stopping = false;
  let pumping = false;
  let idleWaiters: (() => void)[] = [];

  const parked = registerLaneMetrics(options.metrics, {
    inFlight: () => running + runningSlow,
    queued: () => loaded.size,
    active,
    stored,
    isOpen: (lane) => endpointOf(lane)?.endpoint.state === 'enabled',
    now: () => dueClock.now(),
  });

  function forgetIfIdle(lane: Lane): void {
    if (!isIdle(lane)) return;
    stored.delete(lane);
    lanes.forget(lane);
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
    const laneFull = lane.waiting.length >= limits.laneDeliveries || lane.waitingBytes >= limits.laneBytes;
    const allFull = loaded.size >= limits.totalDeliveries || bytes >= limits.totalBytes;
    if (stopping || laneFull || (allFull && !hasPlace(lane, endpoint))) {
      park(queued);
      return;
    }
    enter(lane, queued);
    pump();
  }

  function enter(lane: Lane, queued: QueuedDelivery): void {
    loaded.set(queued.delivery.id, queued);
    bytes += queued.bytes;
    if (queued.expedited) lane.expedited.push(queued);
    else {
      lane.waiting.push(queued);
      lane.waitingBytes += queued.bytes;
    }
    if (queued.claim === null) unrecorded.add(queued);
    takeTurn(lane);
  }

  function leave(queued: QueuedDelivery): void {
    queued.done = true;
    if (loaded.get(queued.delivery.id) === queued) {
      loaded.delete(queued.delivery.id);
      bytes -= queued.bytes;
    }
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
    (lane.slow ? slowTurns : turns).add(lane.organisationId, lane);
  }

  function pump(): void {
    if (stopping || pumping) return;
    pumping = true;
    while (running < limits.slots && recorder.backlog < maxRecordBacklog) {
      const lane = turns.take();
      if (lane === undefined) break;
      startNext(lane);
    }
    while (runningSlow < limits.slots / 4 && recorder.backlog < maxRecordBacklog) {
      const lane = slowTurns.take();
      if (lane === undefined) break;
      startNext(lane);
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
    if (lane.slow) runningSlow += 1;
    else running += 1;
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
    lane.inFlight.delete(queued);
    lane.settledAt = clock.monotonic();
    if (lane.slow) runningSlow -= 1;
    else running -= 1;
    adaptWindow(lane, judged.outcome.kind, slowsDown(judged.outcome), endpoint.endpoint.maxInFlight);
    markSpeed(lane);
    if (lane.inFlight.size === 0) active.delete(lane);
    const { delivery, attempt: made } = judged;
    write(queued, delivery, { attempt: made });
    if (judged.disableEndpoint !== null) options.onGone(endpoint, judged.disableEndpoint);
    takeTurn(lane);
    fetchMore(lane);
    pump();
    if (running + runningSlow === 0) {
      for (const wake of idleWaiters) wake();
      idleWaiters = [];
    }
    forgetIfIdle(lane);
  }

  /** Writes what became of a delivery; from then on it is storage's, if anything of it still waits. */
  function write(
    queued: QueuedDelivery,
    delivery: Delivery,
    { attempt: made = null }: { attempt?: Judged['attempt'] | null } = {},
  ): void {
    queued.done = true;
    const recorded = (): void => {
      leave(queued);
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
    stored.add(lane);
    if (lane.fetching) lane.notedDueAt = Math.min(lane.notedDueAt ?? Infinity, dueAt);
    else lane.storedDueAt = Math.min(lane.storedDueAt ?? Infinity, dueAt);
    if (dueAt <= dueClock.now()) fetchMore(lane);
  }

  /** Brings a few due deliveries of the lane back from storage, when there is room for them. */
  function fetchMore(lane: Lane): void {
    if (stopping || lane.fetching || lane.storedDueAt === null || lane.storedDueAt > dueClock.now()) return;
    const endpoint = endpointOf(lane);
    if (endpoint === undefined || endpoint.endpoint.state !== 'enabled') return;
    if (lane.waiting.length >= lane.window || recorder.backlog >= maxRecordBacklog) return;
    lane.fetching = true;
    void due
      .fetch(lane, { endpoint, claim, limit: Math.min(100, Math.max(4, lane.window * 2)) })
      .then(({ queued, nextDueAt }) => {
        lane.fetching = false;
        const noted = Math.min(nextDueAt ?? Infinity, lane.notedDueAt ?? Infinity);
        lane.storedDueAt = noted === Infinity ? null : noted;
        lane.notedDueAt = null;
        if (lane.storedDueAt === null) stored.delete(lane);
        for (const one of queued) {
          if (loaded.has(one.delivery.id)) continue;
          if (stopping || endpointOf(lane)?.endpoint.state !== 'enabled') write(one, one.delivery);
          else enter(lane, one);
        }
        pump();
        forgetIfIdle(lane);
      });
  }

  function markSpeed(lane: Lane): void {
    const slow = isSlow(lane, clock.monotonic());
    if (slow === lane.slow) return;
    lane.slow = slow;
    const moving = lane.inFlight.size;
    running += slow ? -moving : moving;
    runningSlow += slow ? moving : -moving;
    (slow ? turns : slowTurns).remove(lane.organisationId, lane);
    takeTurn(lane);
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
      recorder.add(record, takeMark(queued));
      queued.claim = claim;
    }
  }

  function tick(): void {
    recordWaiting();
    for (const lane of active) markSpeed(lane);
    for (const lane of stored) fetchMore(lane);
    pump();
    if (!stopping) clock.setTimeout(tick, tickMs).unref();
  }

  function refresh(organisationId: string): void {
    for (const lane of lanes.ofOrganisation(organisationId)) {
      const endpoint = endpointOf(lane);
      if (endpoint?.endpoint.state === 'enabled') {
        takeTurn(lane);
        fetchMore(lane);
        continue;
      }
      for (const queued of lane.waiting.splice(0)) {
        lane.waitingBytes -= queued.bytes;
        hold(queued, endpoint);
      }
      if (endpoint?.endpoint.state !== 'paused' && lane.storedDueAt !== null) {
        lane.storedDueAt = null;
        stored.delete(lane);
        void due.settle(lane, endpoint === undefined ? 'deleted' : 'disabled');
      }
      forgetIfIdle(lane);
    }
    pump();
  }

  return {
    offer,
    expedite(queued) {
      enter(lanes.of(queued.delivery.organisationId, queued.delivery.endpointId), queued);
      pump();
    },
    noteStored,
    find: (deliveryId) => loaded.get(deliveryId),
    withdraw(deliveryId) {
      const queued = loaded.get(deliveryId);
      const lane = queued && lanes.find(queued.delivery.endpointId);
      if (queued === undefined || lane === undefined || lane.inFlight.has(queued) || queued.done)
        return false;
      const list = queued.expedited ? lane.expedited : lane.waiting;
      list.splice(list.indexOf(queued), 1);
      if (!queued.expedited) lane.waitingBytes -= queued.bytes;
      leave(queued);
      return true;
    },
    refresh,
    get memory() {
      return { deliveries: loaded.size, bytes };
    },
    start: () => void clock.setTimeout(tick, tickMs).unref(),
    async stop(signal) {
      stopping = true;
      for (const lane of lanes.all()) {
        for (const queued of [...lane.expedited.splice(0), ...lane.waiting.splice(0)]) park(queued);
        lane.waitingBytes = 0;
      }
      if (running + runningSlow > 0) {
        await new Promise<void>((resolve) => {
          idleWaiters.push(resolve);
          if (signal.aborted) resolve();
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    },
  };
}

import type { SigningEndpoint } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { DueReader } from '../due.ts';
import type { DueClock } from '../due-clock.ts';
import { wantsOrder } from './endpoint-order.ts';
import { gateOf } from './gate.ts';
import type { Lane } from './lane.ts';
import type { LaneLimits } from './lane-limits.ts';
import type { LanePlaces } from './lane-places.ts';
import type { Loaded } from './loaded.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * What lanes have waiting in storage: when the first of each is due, and how it comes back, a little at a time, when its lane has
 * room. What is being fetched counts as memory already, so many lanes that ask at once stay within the bounds together.
 */
export interface Refill {
  /** Lanes that are known to have something in storage. */
  readonly lanes: ReadonlySet<Lane>;
  /** Something of the lane waits in storage, due at `dueAt` by the due clock. */
  note(lane: Lane, dueAt: number): void;
  /** Brings a few due deliveries of the lane back, when there is room for them. */
  fetchMore(lane: Lane): void;
  /** Ends or holds what waits in storage for an endpoint that takes nothing any more. */
  settle(lane: Lane): void;
}

export interface RefillOptions {
  readonly due: DueReader;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  /** The partitions that are ours now. */
  readonly holdings: () => readonly Holding[];
  readonly loaded: Loaded;
  readonly limits: Pick<LaneLimits, 'totalDeliveries' | 'totalBytes'>;
  readonly endpointOf: (lane: Lane) => SigningEndpoint | undefined;
  /** The partition that alone sends to the endpoint, if there is one. */
  readonly homeOf: (endpoint: SigningEndpoint) => number | null;
  /** Whether the view of the lane's organisation is there. */
  readonly isKnown: (lane: Lane) => boolean;
  /** Whether attempts may be started at all now. */
  readonly mayStart: () => boolean;
  /** Whether one that comes now would be attempted now. */
  readonly startsAtOnce: (lane: Lane, endpoint: SigningEndpoint) => boolean;
  readonly places: Pick<LanePlaces, 'admits' | 'wanted'>;
  /** Takes over what was fetched for a lane. */
  readonly onFetched: (lane: Lane, queued: readonly QueuedDelivery[]) => void;
  /** What waits in storage is sent from elsewhere. */
  readonly onElsewhere: (lane: Lane) => void;
  /** What waited in storage for an endpoint that takes nothing was ended or held. */
  readonly onSettled: (lane: Lane) => void;
}

interface Room {
  readonly limit: number;
  readonly followers: number;
  readonly maxBytes: number;
}

/** What one fetch may bring into memory. */
const maxFetch = 100;
const maxFetchBytes = 1024 * 1024;
/** Of those that wait behind heads of keys, beyond that. */
const maxFollowers = 50;
/** How often a lane is looked at that lets only some of what waits pass. */
const askAgainMs = 1000;

export function createRefill(options: RefillOptions): Refill {
  const { due, clock, dueClock, holdings, loaded, limits, endpointOf, mayStart, startsAtOnce, places } =
    options;
  const lanes = new Set<Lane>();
  /** What fetches that are under way may bring. */
  const reserved = { deliveries: 0, bytes: 0 };

  function note(lane: Lane, dueAt: number): void {
    lanes.add(lane);
    if (lane.fetching) lane.notedDueAt = Math.min(lane.notedDueAt ?? Infinity, dueAt);
    else lane.storedDueAt = Math.min(lane.storedDueAt ?? Infinity, dueAt);
    if (dueAt <= dueClock.now()) fetchMore(lane);
    settle(lane);
  }

  function settle(lane: Lane): void {
    // What isn't known of an organisation whose view isn't there says nothing.
    if (!options.isKnown(lane)) return;
    const gate = gateOf(endpointOf(lane));
    if (gate.kind === 'open' || gate.kind === 'waits' || lane.storedDueAt === null) return;
    lane.storedDueAt = null;
    lanes.delete(lane);
    void due.settle(lane, gate, holdings()).then(() => options.onSettled(lane));
  }

  /** How much a fetch may bring; null when there is no room for anything. */
  function roomFor(lane: Lane, endpoint: SigningEndpoint): Room | null {
    const deliveries = limits.totalDeliveries - loaded.deliveries - reserved.deliveries;
    const bytes = limits.totalBytes - loaded.bytes - reserved.bytes;
    if (deliveries > 0 && bytes > 0) {
      const limit = Math.min(maxFetch, places.wanted(lane), deliveries);
      const isWell = lane.pace !== 'slow' && lane.breaker.state === 'closed';
      const mayFollow = isWell && wantsOrder(endpoint.endpoint);
      return {
        limit,
        followers: mayFollow ? Math.min(maxFollowers, deliveries - limit) : 0,
        maxBytes: Math.min(maxFetchBytes, bytes),
      };
    }
    // A lane with nothing in memory goes on all the same, one by one, as long as there are places for attempts.
    const isAlone = reserved.deliveries === 0 && startsAtOnce(lane, endpoint);
    return isAlone ? { limit: 1, followers: 0, maxBytes: 0 } : null;
  }

  /** Whether it has enough in memory to go on with. What waits in storage for longer than that isn't kept waiting by it. */
  function hasEnough(lane: Lane, storedDueAt: number): boolean {
    const { returned, waiting, window } = lane;
    if (returned.length >= window) return true;
    const [oldest] = waiting;
    if (waiting.length < window || oldest === undefined) return false;
    return clock.monotonic() - oldest.queuedAt >= dueClock.now() - storedDueAt;
  }

  /** What waits there is another's to send. */
  function leave(lane: Lane): void {
    lane.storedDueAt = null;
    lanes.delete(lane);
    options.onElsewhere(lane);
  }

  function fetchMore(lane: Lane): void {
    if (lane.fetching || lane.storedDueAt === null || lane.storedDueAt > dueClock.now()) return;
    const endpoint = endpointOf(lane);
    const gate = gateOf(endpoint);
    const verificationOnly = gate.kind === 'waits' && gate.admitsVerification;
    if (endpoint === undefined || !(gate.kind === 'open' || verificationOnly)) return;
    if (!verificationOnly && !places.admits(lane, endpoint)) return;
    if (hasEnough(lane, lane.storedDueAt) || !mayStart()) return;
    const room = roomFor(lane, endpoint);
    if (room === null) return;
    const home = options.homeOf(endpoint);
    const sending = home === null ? holdings() : holdings().filter(({ partition }) => partition === home);
    if (sending.length === 0) leave(lane);
    const mine = sending.filter((holding) => holding.mayStart());
    if (mine.length === 0) return;
    lane.fetching = true;
    reserved.deliveries += room.limit + room.followers;
    reserved.bytes += room.maxBytes;
    const request = { endpoint, holdings: mine, verificationOnly, ...room };
    void due.fetch(lane, request).then(({ queued, nextDueAt }) => {
      lane.fetching = false;
      reserved.deliveries -= room.limit + room.followers;
      reserved.bytes -= room.maxBytes;
      // What else waits isn't told of while only some of it may go.
      const others = verificationOnly ? dueClock.now() + askAgainMs : Infinity;
      const noted = Math.min(nextDueAt ?? Infinity, lane.notedDueAt ?? Infinity, others);
      lane.storedDueAt = noted === Infinity ? null : noted;
      lane.notedDueAt = null;
      if (lane.storedDueAt === null) lanes.delete(lane);
      settle(lane);
      options.onFetched(lane, queued);
    });
  }

  return { lanes, note, fetchMore, settle };
}

import { deliveryReasons, isFinal, type Delivery, type SigningEndpoint } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import type { DeliveryStore, SettleRequest, WaitingLane } from './deliveries/delivery-store.ts';
import type { DueClock } from './due-clock.ts';
import type { Gate } from './lanes/gate.ts';
import type { Holding } from './ownership/ownership.ts';
import { queuedDelivery, type QueuedDelivery } from './lanes/queued-delivery.ts';
import type { Recorder } from './record.ts';

/**
 * Step 9: it is tried again. Storage is asked per lane, never "what is due": a few rows for a lane that has room, so the
 * million rows of a dead endpoint stand before nobody else's retries. Nothing here rejects: when the store is away, the
 * lane asks again a second later.
 */
export interface DueReader {
  fetch(lane: LaneKey, request: FetchRequest): Promise<Fetched>;
  /** Ends or holds, in small steps, what waits in storage for an endpoint that was deleted or takes nothing any more. */
  settle(lane: LaneKey, gate: ShutGate, holdings: readonly Holding[]): Promise<void>;
  /** Every lane with something waiting in storage: when a partition is taken up, and each minute in case something was missed. */
  lanes(partitions: readonly number[]): Promise<readonly WaitingLane[]>;
}

export interface LaneKey {
  readonly organisationId: string;
  readonly endpointId: string;
}

export type ShutGate = Extract<Gate, { kind: 'closed' | 'gone' }>;

export interface FetchRequest {
  readonly endpoint: SigningEndpoint;
  /** Brings only what asks the receiver to show that it is one; it goes first, past what waits for that. */
  readonly verificationOnly: boolean;
  readonly holdings: readonly Holding[];
  readonly limit: number;
  /** How many of those that wait behind heads of keys may come with them, beyond `limit`. */
  readonly followers: number;
  /** Payload bytes that it may bring into memory, and one payload more. */
  readonly maxBytes: number;
}

export interface Fetched {
  readonly queued: readonly QueuedDelivery[];
  /** By the due clock; null when nothing more waits. */
  readonly nextDueAt: number | null;
}

export interface DueReaderOptions {
  readonly store: Pick<DeliveryStore, 'claimDue' | 'settleWaiting' | 'waitingLanes'>;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly logger: Logger;
}

const askAgainMs = 1000;
const settleStep = 200;
/** Beyond an attempt's own timeout and the wait for its turn: until then a claim keeps others away. */
const claimMarginMs = 30_000;

export function createDueReader(options: DueReaderOptions): DueReader {
  const { store, recorder, clock, dueClock, logger } = options;

  async function fetch(
    lane: LaneKey,
    { endpoint, verificationOnly, holdings, limit, followers, maxBytes }: FetchRequest,
  ): Promise<Fetched> {
    const now = dueClock.now();
    const { due, nextDueAt } = await store.claimDue({
      organisationId: lane.organisationId,
      endpointId: lane.endpointId,
      buckets: holdings,
      now: new Date(now),
      claimedUntil: claimedUntil(now, endpoint),
      verificationOnly,
      limit,
      followers,
      maxBytes,
    });
    const queued: QueuedDelivery[] = [];
    for (const { delivery, event, partition, order, isBehind = false } of due) {
      const holding = holdings.find((one) => one.partition === partition);
      if (holding === undefined) continue;
      if (event !== null) {
        const queuedAt = clock.monotonic();
        queued.push(
          queuedDelivery({
            delivery,
            event,
            holding,
            isRecorded: true,
            order,
            isBehind,
            mark: null,
            queuedAt,
            expedited: verificationOnly,
          }),
        );
        continue;
      }
      recorder.add(
        {
          kind: 'update',
          expectedClaim: holding.claim,
          claim: null,
          order: null,
          attempt: null,
          delivery: withoutPayload(delivery),
        },
        null,
      );
    }
    return { queued, nextDueAt: nextDueAt === null ? null : nextDueAt.getTime() };
  }

  /** What had ended, and was to be attempted once more on demand, stays as it ended. */
  function withoutPayload(delivery: Delivery): Delivery {
    if (isFinal(delivery.state)) return { ...delivery, nextAttemptAt: null };
    return {
      ...delivery,
      state: 'cancelled',
      reason: deliveryReasons.payloadExpired,
      nextAttemptAt: null,
      finishedAt: new Date(clock.now()),
    };
  }

  async function settle(lane: LaneKey, gate: ShutGate, holdings: readonly Holding[]): Promise<void> {
    const request: Omit<SettleRequest, 'now'> = {
      organisationId: lane.organisationId,
      endpointId: lane.endpointId,
      partitions: holdings.map(({ partition }) => partition),
      limit: settleStep,
      ...(gate.kind === 'gone'
        ? { state: 'cancelled', reason: 'endpoint_deleted' }
        : { state: 'held', reason: gate.reason }),
    };
    while ((await store.settleWaiting({ ...request, now: new Date(clock.now()) })) > 0);
  }

  return {
    fetch: (lane, request) =>
      fetch(lane, request).catch((error: unknown) => {
        logger.error(
          { err: error, endpointId: lane.endpointId },
          'due deliveries could not be read; asking again',
        );
        return { queued: [], nextDueAt: dueClock.now() + askAgainMs };
      }),
    settle: (lane, gate, holdings) =>
      settle(lane, gate, holdings).catch((error: unknown) => {
        // The next look over all lanes finds what is left.
        logger.error({ err: error, endpointId: lane.endpointId }, 'waiting deliveries could not be settled');
      }),
    lanes: (partitions) => store.waitingLanes(partitions),
  };
}

/** Until when, by the due clock, a claim on a delivery of this endpoint keeps others away. */
export function claimedUntil(now: number, endpoint: SigningEndpoint | undefined): Date {
  return new Date(now + (endpoint?.endpoint.timeoutMs ?? 60_000) + claimMarginMs);
}

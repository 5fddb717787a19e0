import { refusalFromMessage, type ingestV1 } from '@posthorn/contracts';
import { DomainError, type Principal } from '@posthorn/models';
import type { ClientStream } from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Timer } from '@posthorn/runtime';
import type { GatewayClients } from '../../clients.ts';

/**
 * Concurrent publishes ride together on a few long-lived streams to event-ingest, acknowledged one by one. After a break
 * what wasn't acknowledged is sent again under the same ids, so that it stays the same event (rule 1 of the pipeline).
 * What has no acknowledgement in time is answered as `unavailable` with its id: not known (rule 3). What waits is bounded
 * in events and in bytes; one more is refused at once.
 */
export interface Publisher {
  /** Never rejects. The event must have an id. */
  publish(event: ingestV1.NewEvent): Promise<PublishOutcome>;
  /** Closes the streams: what still waits is answered as not known, and what comes from now on is refused. */
  stop(): void;
}

export type PublishOutcome =
  | { readonly accepted: ingestV1.Accepted; readonly refused?: undefined }
  | {
      readonly accepted?: undefined;
      readonly refused: DomainError;
      /** Set when it isn't known whether the event was kept: the id to publish it again with. */
      readonly id: string | undefined;
      /** Where a limit has refused it: what is left of all that hold. */
      readonly limits?: ingestV1.LimitStates | undefined;
    };

export interface PublisherOptions {
  readonly ingest: GatewayClients['ingest'];
  readonly principal: Principal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** One in-process; a few over the network, so that they spread over replicas and use more than one connection. */
  readonly streams: number;
  /** Events that may wait for their acknowledgement. */
  readonly maxWaiting?: number;
  /** Bytes of payload that may wait. */
  readonly maxWaitingBytes?: number;
  readonly ackTimeoutMs?: number;
}

const standardMaxWaiting = 20_000;
const standardMaxWaitingBytes = 64 * 1024 * 1024;
const standardAckTimeoutMs = 10_000;
const firstReopenDelayMs = 20;
const longestReopenDelayMs = 1_000;
const retryAfterMs = 1_000;

type Stream = ClientStream<ingestV1.PublishStreamRequest, ingestV1.PublishStreamResponse>;

interface Waiting {
  readonly request: ingestV1.PublishStreamRequest & { readonly event: ingestV1.NewEvent };
  readonly deadlineAt: number;
  /** How often it was sent. */
  sent: number;
  readonly resolve: (outcome: PublishOutcome) => void;
}

/** One stream and what was sent on it; the stream is made when it is needed, and again after a break. */
interface Lane {
  stream: Stream | undefined;
  /** By sequence, in the order of sending, so also in the order of their deadlines. */
  readonly waiting: Map<bigint, Waiting>;
  reopenDelayMs: number;
  reopening: Timer | undefined;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { ingest, principal, clock, logger } = options;
  const maxWaiting = options.maxWaiting ?? standardMaxWaiting;
  const maxWaitingBytes = options.maxWaitingBytes ?? standardMaxWaitingBytes;
  const ackTimeoutMs = options.ackTimeoutMs ?? standardAckTimeoutMs;
  const lanes: Lane[] = Array.from({ length: options.streams }, () => ({
    stream: undefined,
    waiting: new Map<bigint, Waiting>(),
    reopenDelayMs: 0,
    reopening: undefined,
  }));
  let lastSequence = 0n;
  let waitingCount = 0;
  let waitingBytes = 0;
  let nextLane = 0;
  let expiry: Timer | undefined;
  let stopped = false;
  options.metrics.gauge({
    name: 'posthorn_gateway_publishes_waiting',
    help: 'Events that were sent to event-ingest and are not acknowledged yet.',
    collect: (gauge) => gauge.set(waitingCount),
  });

  function publish(event: ingestV1.NewEvent): Promise<PublishOutcome> {
    if (stopped) return Promise.resolve(refusedAtOnce('This server is shutting down.'));
    const isFull =
      waitingCount >= maxWaiting || (waitingCount > 0 && waitingBytes + event.data.length > maxWaitingBytes);
    if (isFull) return Promise.resolve(refusedAtOnce('Too many events are waiting to be accepted.'));
    return new Promise((resolve) => {
      const lane = laneOf(event);
      const request = { sequence: ++lastSequence, event };
      const waiting = { request, deadlineAt: clock.monotonic() + ackTimeoutMs, sent: 0, resolve };
      lane.waiting.set(request.sequence, waiting);
      waitingCount += 1;
      waitingBytes += event.data.length;
      expiry ??= clock.setTimeout(expire, ackTimeoutMs);
      if (lane.stream !== undefined) send(lane.stream, waiting);
      else if (lane.reopening === undefined) open(lane);
    });
  }

  /** What has an ordering key rides with the others of its key, and arrives in the order in which it was published. */
  function laneOf({ orderingKey }: ingestV1.NewEvent): Lane {
    const number = orderingKey === undefined ? nextLane++ : hashOf(orderingKey);
    return lanes[number % lanes.length] as Lane;
  }

  /** Opens a lane's stream and sends on it what is waiting. */
  function open(lane: Lane): void {
    lane.reopening = undefined;
    const stream = ingest.publishStream({ principal });
    lane.stream = stream;
    stream.onMessage((response) => {
      lane.reopenDelayMs = 0;
      acknowledge(lane, response);
    });
    stream.onClose((error) => {
      if (lane.stream === stream) onBreak(lane, error);
    });
    for (const waiting of lane.waiting.values()) send(stream, waiting);
  }

  function send(stream: Stream, waiting: Waiting): void {
    waiting.sent += 1;
    stream.send(waiting.request);
  }

  function onBreak(lane: Lane, error: DomainError | null): void {
    lane.stream = undefined;
    if (lane.waiting.size === 0) return;
    if (error !== null && lane.reopenDelayMs === 0) {
      logger.warn({ err: error, waiting: lane.waiting.size }, 'a publish stream broke: sending again');
    }
    // At once after a stream that did its work (an ingest that was replaced), later after one that didn't.
    lane.reopening = clock.setTimeout(() => open(lane), lane.reopenDelayMs);
    lane.reopenDelayMs = Math.min(Math.max(lane.reopenDelayMs * 2, firstReopenDelayMs), longestReopenDelayMs);
  }

  function acknowledge(lane: Lane, { sequence, result }: ingestV1.PublishStreamResponse): void {
    const waiting = lane.waiting.get(sequence);
    // Too late: it has been answered as not known.
    if (waiting === undefined) return;
    const outcome = outcomeOf(result);
    const isKnown = waiting.sent === 1 || !isPassing(outcome);
    settle(lane, waiting, isKnown ? outcome : notKnown(waiting.request.event.id));
  }

  function settle(lane: Lane, { request, resolve }: Waiting, outcome: PublishOutcome): void {
    lane.waiting.delete(request.sequence);
    waitingCount -= 1;
    waitingBytes -= request.event.data.length;
    resolve(outcome);
  }

  function expire(): void {
    const now = clock.monotonic();
    let earliest = Infinity;
    for (const lane of lanes) {
      for (const waiting of lane.waiting.values()) {
        if (waiting.deadlineAt > now) {
          earliest = Math.min(earliest, waiting.deadlineAt);
          break;
        }
        settle(lane, waiting, notKnown(waiting.request.event.id));
      }
    }
    expiry = earliest === Infinity ? undefined : clock.setTimeout(expire, earliest - now);
  }

  function stop(): void {
    stopped = true;
    clock.clearTimeout(expiry);
    for (const lane of lanes) {
      clock.clearTimeout(lane.reopening);
      const { stream } = lane;
      lane.stream = undefined;
      stream?.end();
      for (const waiting of lane.waiting.values()) settle(lane, waiting, notKnown(waiting.request.event.id));
    }
  }

  return { publish, stop };
}

function hashOf(text: string): number {
  let hash = 0;
  for (let place = 0; place < text.length; place += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(place)) >>> 0;
  }
  return hash;
}

function outcomeOf(result: ingestV1.PublishResult | undefined): PublishOutcome {
  const answer = result?.result;
  if (answer?.$case === 'accepted') return { accepted: answer.value };
  if (answer?.$case === 'refused') {
    const { id, limits } = answer.value;
    return { refused: refusalFromMessage(answer.value), id, limits };
  }
  return { refused: new DomainError('internal', 'Something went wrong on our side.'), id: undefined };
}

/** Whether there was only no room just now: when it was sent before, it may have been kept then. */
function isPassing({ refused }: PublishOutcome): boolean {
  return refused?.code === 'rate_limited' || refused?.code === 'unavailable';
}

function refusedAtOnce(reason: string): PublishOutcome {
  return {
    refused: new DomainError('unavailable', `${reason} Nothing was kept; try again soon.`, { retryAfterMs }),
    id: undefined,
  };
}

function notKnown(id: string): PublishOutcome {
  const message = `The event was not acknowledged in time. It isn't known whether it was kept; publish it again with the id "${id}".`;
  return { refused: new DomainError('unavailable', message, { retryAfterMs }), id };
}

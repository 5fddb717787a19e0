import { refusalFromMessage, type ingestV1 } from '@posthorn/contracts';
import { DomainError, type ErrorCode, type OperationalEvent, type Principal } from '@posthorn/models';
import { sleep, type Clock, type Counter, type Logger, type Metrics } from '@posthorn/runtime';
import type { Client } from './calls/client.ts';

/**
 * Publishes operational events in the background: whoever has something to tell neither waits nor fails. While event-ingest is away
 * they wait in memory, 10,000 of them, and are tried again until they are accepted; what is over that, and what still waits when the
 * process ends, is lost, logged and counted. Their ids make it harmless to publish one again of which it isn't known whether it was kept.
 */
export interface OperationalPublisher {
  publish(event: OperationalEvent): void;
  /** Tries for at most `graceMs` to get rid of what waits, and takes nothing more. */
  stop(graceMs: number): Promise<void>;
}

export interface OperationalPublisherOptions {
  readonly ingest: Pick<Client<typeof ingestV1.IngestServiceService>, 'publishBatch'>;
  /** The service that tells. */
  readonly principal: Principal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly maxWaiting?: number;
}

const standardMaxWaiting = 10_000;
const maxBatch = 100;
const firstRetryMs = 250;
const longestRetryMs = 10_000;
/** Refusals with which it may be accepted later. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'deadline_exceeded',
  'rate_limited',
  'internal',
  // Services that are being updated may not know each other yet.
  'unauthenticated',
  'permission_denied',
]);

export function createOperationalPublisher(options: OperationalPublisherOptions): OperationalPublisher {
  const { ingest, principal, clock, logger, metrics, maxWaiting = standardMaxWaiting } = options;
  const outcomes: Counter<'outcome'> = metrics.counter({
    name: 'posthorn_operational_events_total',
    help: 'Operational events that were published, or lost.',
    labels: ['outcome'],
  });
  let waiting: OperationalEvent[] = [];
  let running: Promise<void> | null = null;
  let stopped = false;
  const ending = new AbortController();

  function lose(events: readonly OperationalEvent[], reason: string): void {
    for (const { id, organisationId, type } of events) {
      outcomes.inc({ outcome: 'lost' });
      logger.error({ eventId: id, organisationId, eventType: type, reason }, 'an operational event is lost');
    }
  }

  async function run(): Promise<void> {
    // What one turn of the loop brings goes together.
    await new Promise(setImmediate);
    let delayMs = firstRetryMs;
    while (waiting.length > 0 && !ending.signal.aborted) {
      const batch = waiting.slice(0, maxBatch);
      const kept = await send(batch);
      waiting = [...kept, ...waiting.slice(batch.length)];
      if (kept.length === 0) {
        delayMs = firstRetryMs;
        continue;
      }
      await sleep(clock, delayMs, ending.signal);
      delayMs = Math.min(delayMs * 2, longestRetryMs);
    }
    running = null;
  }

  /** Answers those that are to be tried again. */
  async function send(batch: readonly OperationalEvent[]): Promise<readonly OperationalEvent[]> {
    let results: readonly ingestV1.PublishResult[];
    try {
      const request = { events: batch.map(toNewEvent) };
      ({ results } = await ingest.publishBatch(request, { principal, signal: ending.signal }));
    } catch (error) {
      logger.warn({ err: error, events: batch.length }, 'operational events wait for event-ingest');
      if (passing.has(DomainError.from(error).code)) return batch;
      lose(batch, DomainError.from(error).message);
      return [];
    }
    return batch.filter((event, index) => {
      const result = results[index]?.result;
      if (result?.$case === 'accepted') {
        outcomes.inc({ outcome: 'published' });
        return false;
      }
      const { code, message } =
        result === undefined
          ? new DomainError('internal', 'It was not answered.')
          : refusalFromMessage(result.value);
      if (passing.has(code)) return true;
      lose([event], message);
      return false;
    });
  }

  return {
    publish(event) {
      if (stopped) lose([event], 'the process is stopping');
      else if (waiting.length >= maxWaiting) lose([event], 'too many are waiting');
      else {
        waiting.push(event);
        running ??= run();
      }
    },
    async stop(graceMs) {
      stopped = true;
      if (running !== null) {
        const timer = clock.setTimeout(() => ending.abort(), graceMs);
        await running;
        clock.clearTimeout(timer);
      }
      lose(waiting, 'the process ended before event-ingest took it');
      waiting = [];
    },
  };
}

function toNewEvent({ id, organisationId, type, data, occurredAt }: OperationalEvent): ingestV1.NewEvent {
  return {
    id,
    organisationId,
    type,
    data: Buffer.from(JSON.stringify(data)),
    labels: {},
    subject: undefined,
    idempotencyKey: undefined,
    orderingKey: undefined,
    routesTo: undefined,
    traceparent: undefined,
    deliverAt: undefined,
    occurredAt,
    idFromProducer: false,
  };
}

import type { configV1, ingestV1 } from '@posthorn/contracts';
import type { EventLogWriter } from '@posthorn/event-log';
import { noPublishLimits, servicePrincipal, type PublishLimits } from '@posthorn/models';
import type { Client, ServiceRegistration } from '@posthorn/rpc';
import type { Clock, Logger, Metrics, Random } from '@posthorn/runtime';
import { createAccept } from './accept.ts';
import { createIngestMetrics } from './ingest-metrics.ts';
import { createOrganisationViews } from './organisation-view.ts';
import { createPayloadSchemas } from './payload-schema.ts';
import { createPublishService, type PublishService } from './publish.ts';
import { createLimiter } from './limits/limiter.ts';
import type { ReservationStore } from './reservations/reservations.ts';
import { createSweeper } from './sweeper.ts';
import type { UsageStore } from './limits/usage-store.ts';

/** What the service needs from outside. */
export interface IngestDeps {
  readonly log: EventLogWriter;
  readonly reservations: ReservationStore;
  readonly usage: UsageStore;
  readonly directory: Client<typeof configV1.DirectoryServiceService>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: IngestLimits;
}

export interface IngestLimits {
  /** Bytes of an event's payload; 256 KiB when absent. */
  readonly maxPayloadBytes?: number;
  /** What organisations may publish that have no limits of their own; any number of events when absent. */
  readonly publishing?: PublishLimits;
  /** How far what is known of organisations and event types may be behind; 1 s when absent, 0 for not at all. */
  readonly maxViewAgeMs?: number;
  /** Events of one stream that may be under way at a time; 4,096 when absent. */
  readonly maxInFlightPerStream?: number;
  /** How long a stream lives before its caller has to open another one; without end when absent. */
  readonly maxStreamAgeMs?: number;
}

export interface IngestService {
  readonly registration: ServiceRegistration<typeof ingestV1.IngestServiceService>;
  /** What `registration` serves, for a listener that adds something of its own. */
  readonly handlers: PublishService['handlers'];
  start(): void;
  /** Reads no more from streams, answers what was read, and waits for the log. */
  stop(): Promise<void>;
}

export const standardMaxPayloadBytes = 256 * 1024;
const standardMaxViewAgeMs = 1000;
const standardMaxInFlightPerStream = 4096;

/** The service on its own behalf: for looking up what it has to know. */
export const ownPrincipal = servicePrincipal('event-ingest');

/** Wires the accept path. Nothing runs in the background before `start`. */
export function createIngestService(deps: IngestDeps): IngestService {
  const { log, reservations, usage, directory, clock, random, logger, limits = {} } = deps;
  const metrics = createIngestMetrics(deps.metrics);
  const limiter = createLimiter({ store: usage, metrics, clock, logger });
  const accept = createAccept({
    log,
    reservations,
    limiter,
    views: createOrganisationViews({
      directory,
      principal: ownPrincipal,
      clock,
      logger,
      maxAgeMs: limits.maxViewAgeMs ?? standardMaxViewAgeMs,
      standardLimits: limits.publishing ?? noPublishLimits,
    }),
    schemas: createPayloadSchemas((error) =>
      logger.error({ err: error }, "an event type's schema is broken"),
    ),
    metrics,
    clock,
    random,
    logger,
    maxPayloadBytes: limits.maxPayloadBytes ?? standardMaxPayloadBytes,
  });
  const publish = createPublishService({
    accept,
    maxInFlightPerStream: limits.maxInFlightPerStream ?? standardMaxInFlightPerStream,
    maxStreamAgeMs: limits.maxStreamAgeMs ?? Infinity,
    clock,
  });
  const sweeper = createSweeper({ stores: [reservations, usage], clock, logger });

  return {
    registration: publish.registration,
    handlers: publish.handlers,
    start: () => sweeper.start(),
    async stop() {
      await publish.closeStreams();
      await limiter.stop();
      await sweeper.stop();
      await log.drain();
    },
  };
}

import type { ErrorCode, PublishLimits } from '@posthorn/models';
import type { Metrics } from '@posthorn/runtime';

/** What an operator sees of the accept path. */
export interface IngestMetrics {
  accepted(durationMs: number, duplicate: boolean): void;
  refused(code: ErrorCode): void;
  /** A payload that broke a schema whose enforcement is `warn`. */
  schemaWarning(): void;
  /** An event that was refused because a limit had no room for it. */
  limited(owner: 'organisation' | 'key', limit: keyof PublishLimits): void;
}

export function createIngestMetrics(metrics: Metrics): IngestMetrics {
  const duration = metrics.histogram({
    name: 'posthorn_ingest_accept_seconds',
    help: 'From the arrival of an event to its being durable in the log.',
  });
  const accepted = metrics.counter({
    name: 'posthorn_ingest_accepted_total',
    help: 'Events that were acknowledged, duplicates included.',
  });
  const duplicates = metrics.counter({
    name: 'posthorn_ingest_duplicates_total',
    help: 'Events that had been accepted before.',
  });
  const refused = metrics.counter({
    name: 'posthorn_ingest_refused_total',
    help: 'Events that were not accepted, by error code.',
    labels: ['code'],
  });
  const schemaWarnings = metrics.counter({
    name: 'posthorn_ingest_schema_warnings_total',
    help: "Events that were accepted although they break their type's schema (enforcement: warn).",
  });
  const limited = metrics.counter({
    name: 'posthorn_ingest_limited_total',
    help: 'Events that were refused for a limit, by whose limit it is and which.',
    labels: ['owner', 'limit'],
  });
  return {
    accepted(durationMs, duplicate) {
      duration.observe(durationMs / 1000);
      accepted.inc();
      if (duplicate) duplicates.inc();
    },
    refused: (code) => refused.inc({ code }),
    schemaWarning: () => schemaWarnings.inc(),
    limited: (owner, limit) => limited.inc({ owner, limit }),
  };
}

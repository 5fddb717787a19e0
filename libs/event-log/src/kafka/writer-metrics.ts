import type { ErrorCode } from '@posthorn/models';
import type { Metrics } from '@posthorn/runtime';

/** What an operator sees of appending. */
export interface WriterMetrics {
  appended(seconds: number): void;
  sent(seconds: number, events: number): void;
  refused(code: ErrorCode): void;
}

/** `waiting` counts the events that have no answer yet. */
export function writerMetrics(metrics: Metrics, waiting: () => number): WriterMetrics {
  const acknowledged = metrics.histogram({
    name: 'posthorn_log_append_seconds',
    help: 'From appending an event to its acknowledgement by the log.',
  });
  const sends = metrics.histogram({
    name: 'posthorn_log_send_seconds',
    help: 'One send of a group of events to one partition.',
  });
  const groups = metrics.histogram({
    name: 'posthorn_log_send_events',
    help: 'Events of one send.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  });
  const refusals = metrics.counter({
    name: 'posthorn_log_append_failures_total',
    help: 'Events that were not acknowledged, by code.',
    labels: ['code'],
  });
  metrics.gauge({
    name: 'posthorn_log_appending_events',
    help: 'Events that wait for their acknowledgement by the log.',
    collect: (gauge) => gauge.set(waiting()),
  });
  return {
    appended: (seconds) => acknowledged.observe(seconds),
    sent(seconds, events) {
      sends.observe(seconds);
      groups.observe(events);
    },
    refused: (code) => refusals.inc({ code }),
  };
}

import type { Clock, Metrics } from '@posthorn/runtime';

/** What is counted of a database: how long operations take, how often they are tried again, whether it is there. */
export interface MongoMetrics {
  /** An operation begins; call what is returned when it has ended. */
  begin(labels: OperationLabels): (result: 'ok' | 'error') => void;
  retried(labels: OperationLabels): void;
}

/** Both are from closed sets: names in our own code. */
export interface OperationLabels {
  readonly collection: string;
  readonly operation: string;
}

export function createMongoMetrics(metrics: Metrics, clock: Clock, isUp: () => boolean): MongoMetrics {
  const duration = metrics.histogram({
    name: 'posthorn_mongo_operation_duration_seconds',
    help: 'How long operations of the database took, with all their tries.',
    labels: ['collection', 'operation', 'result'],
  });
  const retries = metrics.counter({
    name: 'posthorn_mongo_retries_total',
    help: 'Operations of the database that were tried again, because it was away.',
    labels: ['collection', 'operation'],
  });
  metrics.gauge({
    name: 'posthorn_mongo_up',
    help: 'Whether a server that takes writes is known (1) or not (0).',
    collect: (gauge) => gauge.set(isUp() ? 1 : 0),
  });
  return {
    begin(labels) {
      const startedAt = clock.monotonic();
      return (result) => duration.observe({ ...labels, result }, (clock.monotonic() - startedAt) / 1000);
    },
    retried: (labels) => retries.inc({ ...labels }),
  };
}

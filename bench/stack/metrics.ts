/** What is read of a service's metrics, in the text format of Prometheus. */

/** How often MongoDB was asked, by collection and operation. */
export function operationsIn(metrics: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, labels = '', count] of metrics.matchAll(
    /^posthorn_mongo_operation_duration_seconds_count\{(.*)\} (\d+)$/gm,
  )) {
    const label = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const key = `${label('collection')} ${label('operation')}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(count));
  }
  return counts;
}

/** Events that were read from the log and aren't on record whole; NaN when the service doesn't say. */
export function unrecordedIn(metrics: string): number {
  return Number(/^posthorn_log_unrecorded_events (\d+)$/m.exec(metrics)?.[1]);
}

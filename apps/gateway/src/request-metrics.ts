import type { Metrics } from '@posthorn/runtime';

/** Observes the requests of one route: status and how long it took. */
export type ObserveRequest = (status: number, durationMs: number) => void;

/** Makes the observer of a route; `route` is its path template, so that there are as many as routes. */
export type ObserveRoute = (route: string, method: string) => ObserveRequest;

export function createRequestMetrics(metrics: Metrics): ObserveRoute {
  const requests = metrics.counter({
    name: 'posthorn_http_requests_total',
    help: 'Requests answered by the REST API, by route and status.',
    labels: ['route', 'method', 'status'],
  });
  const durations = metrics.histogram({
    name: 'posthorn_http_request_duration_seconds',
    help: 'From the request head to the answer, by route.',
    labels: ['route', 'method'],
  });
  return (route, method) => {
    // Labels are looked up once for each route and status, not for each request.
    const duration = durations.labels(route, method);
    const byStatus = new Map<number, { inc(): void }>();
    return (status, durationMs) => {
      let counter = byStatus.get(status);
      if (counter === undefined)
        byStatus.set(status, (counter = requests.labels(route, method, String(status))));
      counter.inc();
      duration.observe(durationMs / 1_000);
    };
  };
}

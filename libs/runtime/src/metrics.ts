/**
 * Prometheus metrics, a registry per process or per test and never the global one. Asking twice for the same name gives
 * the same metric, so that what is wired several times in one process (clients, services) shares its counters.
 * Labels are from closed sets: never an organisation, an endpoint or an id.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

export interface MetricOptions<L extends string> {
  /** With prefix and unit: `posthorn_rpc_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Called when the metrics are read. */
  readonly collect?: (gauge: Gauge<L>) => void | Promise<void>;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending; `latencyBuckets` by default. */
  readonly buckets?: readonly number[];
}

/** See `createMetrics`. */
export interface Metrics {
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>;
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>;
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>;
  /** All metrics in the text exposition format. */
  render(): Promise<string>;
  /** The content type of `render`. */
  readonly contentType: string;
}

/** Seconds, from 0.5 ms to 60 s. */
export const latencyBuckets = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Makes an empty registry; with `process: true` also those of Node itself (memory, event loop delay, garbage collection). */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry });

  const known = new Map<string, unknown>();
  function once<M>(name: string, make: () => M): M {
    const existing = known.get(name);
    if (existing !== undefined) return existing as M;
    const made = make();
    known.set(name, made);
    return made;
  }

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter: ({ name, help, labels = [] }) =>
      once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: <L extends string>({ name, help, labels = [], collect }: GaugeOptions<L>) =>
      once(name, () => {
        const gauge: Gauge<L> = new Gauge<L>({
          name,
          help,
          labelNames: [...labels],
          registers: [registry],
          ...(collect && { collect: (): void | Promise<void> => collect(gauge) }),
        });
        return gauge;
      }),
    histogram: ({ name, help, labels = [], buckets = latencyBuckets }) =>
      once(
        name,
        () =>
          new Histogram({
            name,
            help,
            labelNames: [...labels],
            buckets: [...buckets],
            registers: [registry],
          }),
      ),
  };
}

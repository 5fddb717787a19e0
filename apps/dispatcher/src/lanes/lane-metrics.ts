import type { Counter, Metrics } from '@posthorn/runtime';
import type { Lane } from './lane.ts';

/** What an operator sees of the lanes; read when the metrics are scraped. */
export interface LaneFigures {
  readonly inFlight: () => number;
  readonly queued: () => number;
  readonly active: ReadonlySet<Lane>;
  readonly stored: ReadonlySet<Lane>;
  /** All that anything is known of. */
  readonly known: () => Iterable<Lane>;
  /** Whether deliveries go out to the lane's endpoint: what is held for a paused one, or waits for a probe, isn't late. */
  readonly isOpen: (lane: Lane) => boolean;
  readonly now: () => number;
}

/** Registers the gauges; answers the counter of parked deliveries. */
export function registerLaneMetrics(metrics: Metrics, figures: LaneFigures): Counter {
  metrics.gauge({
    name: 'posthorn_dispatcher_in_flight',
    help: 'Attempts under way.',
    collect: (gauge) => gauge.set(figures.inFlight()),
  });
  metrics.gauge({
    name: 'posthorn_dispatcher_queued',
    help: 'Deliveries in memory that wait for their turn or are under way.',
    collect: (gauge) => gauge.set(figures.queued()),
  });
  metrics.gauge({
    name: 'posthorn_dispatcher_slow_lanes',
    help: 'Endpoints whose receivers keep their places for long.',
    collect: (gauge) => gauge.set([...figures.active].filter(({ pace }) => pace === 'slow').length),
  });
  metrics.gauge({
    name: 'posthorn_breakers',
    help: 'Endpoints whose breaker is not closed.',
    labels: ['state'],
    collect: (gauge) => {
      const counts = { open: 0, probing: 0, ramping: 0 };
      for (const { breaker } of figures.known()) if (breaker.state !== 'closed') counts[breaker.state] += 1;
      for (const [state, count] of Object.entries(counts)) gauge.set({ state }, count);
    },
  });
  metrics.gauge({
    name: 'posthorn_oldest_due_seconds',
    help: 'How long the delivery in storage that is most overdue has been due.',
    collect: (gauge) => {
      let oldest = 0;
      for (const lane of figures.stored) {
        const { storedDueAt } = lane;
        if (storedDueAt !== null && figures.isOpen(lane))
          oldest = Math.max(oldest, figures.now() - storedDueAt);
      }
      gauge.set(oldest / 1000);
    },
  });
  return metrics.counter({
    name: 'posthorn_parked_total',
    help: 'Deliveries that went to storage because their lane was full.',
  });
}

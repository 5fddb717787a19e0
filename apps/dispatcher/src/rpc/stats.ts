import type { AttemptOutcome } from '@posthorn/models';
import type { AttemptSample } from '../deliveries/delivery-store.ts';

/**
 * Adds attempts up: how many by outcome, and how long they took. Durations are counted in classes that grow by a tenth, so
 * that a percentile costs no memory per attempt and is at most 5 % off.
 */
export interface StatsSum {
  add(sample: AttemptSample): void;
  readonly attempts: number;
  readonly byOutcome: Readonly<Partial<Record<AttemptOutcome, number>>>;
  /** The latency (ms) that the share `q` of the answered attempts stayed under; null when none was answered. */
  percentile(q: number): number | null;
}

const growth = 1.1;

/** Attempts to which the receiver answered: only these say something of its latency. */
const answered: ReadonlySet<AttemptOutcome> = new Set(['success', 'http_error']);

export function createStatsSum(): StatsSum {
  const byOutcome: Partial<Record<AttemptOutcome, number>> = {};
  const classes = new Map<number, number>();
  let attempts = 0;
  let answers = 0;

  return {
    add({ outcome, durationMs }) {
      attempts += 1;
      byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
      if (!answered.has(outcome)) return;
      answers += 1;
      const place = durationMs <= 1 ? 0 : Math.round(Math.log(durationMs) / Math.log(growth));
      classes.set(place, (classes.get(place) ?? 0) + 1);
    },
    get attempts() {
      return attempts;
    },
    byOutcome,
    percentile(q) {
      if (answers === 0) return null;
      let seen = 0;
      for (const place of [...classes.keys()].sort((a, b) => a - b)) {
        seen += classes.get(place) ?? 0;
        if (seen >= q * answers) return Math.round(growth ** place * 10) / 10;
      }
      return null;
    },
  };
}

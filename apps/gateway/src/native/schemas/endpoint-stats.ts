import type { dispatchV1 } from '@posthorn/contracts';
import { described, time, timeOrNull } from './scalars.ts';
import { answerSchema, type PropertiesOf } from '../routing/schema.ts';

export interface StatsSummaryView {
  readonly attempts: number;
  readonly byOutcome: Readonly<Record<string, number>>;
  readonly latencyMs: LatencyView | null;
}

interface LatencyView {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface StatsBucketView extends StatsSummaryView {
  readonly start: Date;
}

/** How an endpoint fared over a span of time, as the API shows it. */
export interface EndpointStatsView {
  readonly after: Date;
  readonly before: Date;
  readonly total: StatsSummaryView;
  readonly bucketMs: number;
  readonly buckets: readonly StatsBucketView[];
  readonly waiting: number;
  readonly oldestWaitingAt: Date | null;
}

const milliseconds = { type: 'number', minimum: 0 } as const;

const latencySchema = answerSchema<LatencyView>('Latency', {
  description: 'In milliseconds.',
  properties: { p50: milliseconds, p95: milliseconds, p99: milliseconds },
});

const summary: PropertiesOf<StatsSummaryView> = {
  attempts: { type: 'integer', minimum: 0 },
  byOutcome: {
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'How many attempts came to each outcome.',
    examples: [{ success: 120, timeout: 3 }],
  },
  latencyMs: {
    oneOf: [latencySchema, { type: 'null' }],
    description: 'Of the attempts that were answered; null when there were none.',
  },
};

export const endpointStatsSchema = answerSchema<EndpointStatsView>('EndpointStats', {
  properties: {
    after: time,
    before: time,
    total: answerSchema<StatsSummaryView>('StatsSummary', { properties: summary }),
    bucketMs: { type: 'integer', description: 'How long a bucket is.' },
    buckets: {
      type: 'array',
      items: answerSchema<StatsBucketView>('StatsBucket', { properties: { ...summary, start: time } }),
      description: 'One after the other, oldest first.',
    },
    waiting: { type: 'integer', minimum: 0, description: 'Deliveries that wait now.' },
    oldestWaitingAt: described(timeOrNull, 'When the oldest of them was created.'),
  },
});

/** `fallback` is the span that was asked for, where the answer doesn't repeat it. */
export function endpointStatsView(message: dispatchV1.GetStatsResponse): EndpointStatsView {
  return {
    after: message.after ?? new Date(0),
    before: message.before ?? new Date(0),
    total: summaryView(message.total),
    bucketMs: Number(message.bucketMs),
    buckets: message.buckets.map((bucket) => ({
      start: bucket.start ?? new Date(0),
      ...summaryView(bucket.summary),
    })),
    waiting: Number(message.waiting),
    oldestWaitingAt: message.oldestWaitingAt ?? null,
  };
}

function summaryView(message: dispatchV1.StatsSummary | undefined): StatsSummaryView {
  if (message === undefined) return { attempts: 0, byOutcome: {}, latencyMs: null };
  const { latencyP50Ms: p50, latencyP95Ms: p95, latencyP99Ms: p99 } = message;
  const isKnown = p50 !== undefined && p95 !== undefined && p99 !== undefined;
  return {
    attempts: Number(message.attempts),
    byOutcome: Object.fromEntries(
      Object.entries(message.byOutcome).map(([name, count]) => [name, Number(count)]),
    ),
    latencyMs: isKnown ? { p50, p95, p99 } : null,
  };
}

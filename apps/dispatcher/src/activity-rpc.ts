import { attemptToMessage, dispatchV1 } from '@posthorn/contracts';
import { DomainError, type Violation } from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { DeliveryStore } from './delivery-store.ts';
import { createStatsSum, type StatsSum } from './stats.ts';
import type { EndpointTest } from './test-endpoint.ts';

const dayMs = 86_400_000;
const longestWindowMs = 90 * dayMs;
/** Lengths that a bucket of time can have: the shortest that gives at most 60 of them is taken. */
const bucketLengthsMs = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, dayMs, 7 * dayMs];
const mostBuckets = 60;

/** What is known of an endpoint's deliveries, and trying it out. */
export function createActivityRpc(options: {
  readonly deliveries: DeliveryStore;
  readonly test: EndpointTest;
  readonly clock: Clock;
}) {
  const { deliveries, test, clock } = options;

  return defineService(dispatchV1.EndpointActivityServiceService, {
    async sendTest(request, ctx) {
      requireOrganisation(ctx.principal, request.organisationId);
      return { attempt: attemptToMessage(await test.send(request)) };
    },

    async getStats({ organisationId, endpointId, ...window }, ctx) {
      requireOrganisation(ctx.principal, organisationId);
      const before = window.before ?? new Date(clock.now());
      const after = window.after ?? new Date(before.getTime() - dayMs);
      checkWindow(after, before);
      const lengthMs = before.getTime() - after.getTime();
      const bucketMs = bucketLengthsMs.find((length) => lengthMs / length <= mostBuckets) ?? 7 * dayMs;
      const total = createStatsSum();
      const sums = Array.from({ length: Math.max(1, Math.ceil(lengthMs / bucketMs)) }, createStatsSum);
      for await (const slice of deliveries.scanAttempts({ organisationId, endpointId, after, before })) {
        for (const sample of slice) {
          total.add(sample);
          sums[Math.floor((sample.startedAt - after.getTime()) / bucketMs)]?.add(sample);
        }
        if (ctx.signal.aborted)
          throw new DomainError(
            'deadline_exceeded',
            'Adding the attempts up took too long; ask for a shorter time.',
          );
      }
      const { waiting, oldestWaitingAt } = await deliveries.health(organisationId, endpointId);
      return {
        after,
        before,
        total: summary(total),
        buckets: sums.map((sum, index) => ({
          start: new Date(after.getTime() + index * bucketMs),
          summary: summary(sum),
        })),
        bucketMs: BigInt(bucketMs),
        oldestWaitingAt: oldestWaitingAt ?? undefined,
        waiting: BigInt(waiting),
      };
    },

    async getHealth({ organisationId, endpointIds }, ctx) {
      requireOrganisation(ctx.principal, organisationId);
      const endpoints = await Promise.all(
        endpointIds.map(async (endpointId) => {
          const health = await deliveries.health(organisationId, endpointId);
          return {
            endpointId,
            state: health.consecutiveFailures === 0 ? 'healthy' : 'failing',
            consecutiveFailures: health.consecutiveFailures,
            failingSince: health.failingSince ?? undefined,
            lastSuccessAt: health.lastSuccessAt ?? undefined,
            waiting: BigInt(health.waiting),
          };
        }),
      );
      return { endpoints };
    },
  });
}

function summary(sum: StatsSum): dispatchV1.StatsSummary {
  return {
    attempts: BigInt(sum.attempts),
    byOutcome: Object.fromEntries(
      Object.entries(sum.byOutcome).map(([outcome, count]) => [outcome, BigInt(count)]),
    ),
    latencyP50Ms: sum.percentile(0.5) ?? undefined,
    latencyP95Ms: sum.percentile(0.95) ?? undefined,
    latencyP99Ms: sum.percentile(0.99) ?? undefined,
  };
}

function checkWindow(after: Date, before: Date): void {
  const violations: Violation[] = [];
  // Also when one of them is none that a Date can hold.
  if (!(after < before)) {
    violations.push({ field: '?after', code: 'out_of_range', message: 'must be earlier than before' });
  } else if (before.getTime() - after.getTime() > longestWindowMs) {
    violations.push({
      field: '?after',
      code: 'out_of_range',
      message: 'must be at most 90 days before before',
    });
  }
  if (violations.length > 0) throw DomainError.invalid(violations);
}

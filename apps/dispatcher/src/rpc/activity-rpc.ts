import { attemptToMessage, deliveryStateTable, dispatchV1, eventToMessage } from '@posthorn/contracts';
import { DomainError, type Violation } from '@posthorn/models';
import { defineService, requireOrganisation } from '@posthorn/rpc';
import type { Clock } from '@posthorn/runtime';
import type { BreakerState } from '../lanes/breaker.ts';
import type { DeliveryStore, RecordedHealth } from '../deliveries/delivery-store.ts';
import type { EndpointTroubles } from '../troubles/endpoint-troubles.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { DeliveryView } from './delivery-view.ts';
import type { Feed } from '../feeds/feed.ts';
import { pageRequest } from './page-request.ts';
import { createStatsSum, type StatsSum } from './stats.ts';
import type { EndpointTest } from '../tasks/test-endpoint.ts';
import type { EndpointTrouble } from '../troubles/trouble-store.ts';

const dayMs = 86_400_000;
const longestWindowMs = 90 * dayMs;
/** Lengths that a bucket of time can have: the shortest that gives at most 60 of them is taken. */
const bucketLengthsMs = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, dayMs, 7 * dayMs];
const mostBuckets = 60;

/** What is known of an endpoint's deliveries, and trying it out. */
export function createActivityRpc(options: {
  readonly deliveries: DeliveryStore;
  readonly troubles: Pick<EndpointTroubles, 'find'>;
  readonly lanes: Pick<Lanes, 'breakerOf'>;
  readonly feed: Feed;
  readonly test: EndpointTest;
  readonly view: DeliveryView;
  readonly clock: Clock;
}) {
  const { deliveries, troubles, lanes, feed, test, view, clock } = options;

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

    async readFeed({ organisationId, endpointId, states, after, ...page }, ctx) {
      requireOrganisation(ctx.principal, organisationId);
      const { entries, nextCursor, hasMore } = await feed.read({
        organisationId,
        endpointId,
        after: after ?? null,
        states: states.map((state) => deliveryStateTable.fromMessage(state, '?state')),
        ...pageRequest(page),
      });
      return {
        entries: entries.map(({ delivery, event }) => ({
          delivery: view(delivery, null),
          event: event === null ? undefined : eventToMessage(event),
        })),
        nextCursor,
        hasMore,
      };
    },

    async getHealth({ organisationId, endpointIds }, ctx) {
      requireOrganisation(ctx.principal, organisationId);
      const found = await troubles.find(organisationId, endpointIds);
      const troubleOf = new Map(found.map((trouble) => [trouble.endpointId, trouble]));
      const endpoints = await Promise.all(
        endpointIds.map(async (endpointId) => {
          const recorded = await deliveries.health(organisationId, endpointId);
          const trouble = troubleOf.get(endpointId);
          const breaker = lanes.breakerOf(endpointId).state;
          return healthMessage(endpointId, { recorded, trouble, breaker, now: clock.now() });
        }),
      );
      return { endpoints };
    },
  });
}

/**
 * The records tell whether the last attempt failed, whoever made it. That a breaker is open is known of our own; of those of the other
 * dispatchers as far as they have put it on record.
 */
function healthMessage(
  endpointId: string,
  known: {
    readonly recorded: RecordedHealth;
    readonly trouble: EndpointTrouble | undefined;
    readonly breaker: BreakerState;
    readonly now: number;
  },
): dispatchV1.EndpointHealth {
  const { recorded, trouble, breaker, now } = known;
  const { consecutiveFailures, lastSuccessAt } = recorded;
  const isFailing = consecutiveFailures > 0;
  const isOpen =
    breaker === 'open' || breaker === 'probing' || (trouble?.openUntil?.getTime() ?? -Infinity) > now;
  // The records are only looked at so far back.
  const since = [recorded.failingSince, trouble?.failingSince].filter(
    (at) => at !== null && at !== undefined,
  );
  const earliest = since.sort((a, b) => a.getTime() - b.getTime())[0];
  return {
    endpointId,
    state: !isFailing ? 'healthy' : isOpen ? 'open' : 'failing',
    consecutiveFailures,
    failingSince: isFailing ? earliest : undefined,
    lastSuccessAt: lastSuccessAt ?? undefined,
    waiting: BigInt(recorded.waiting),
  };
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
    violations.push({ field: '?after', code: 'out_of_range', message: 'This must be earlier than before.' });
  } else if (before.getTime() - after.getTime() > longestWindowMs) {
    violations.push({
      field: '?after',
      code: 'out_of_range',
      message: 'This must be at most 90 days earlier than before.',
    });
  }
  if (violations.length > 0) throw DomainError.invalid(violations);
}

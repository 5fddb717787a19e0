import {
  attemptIdOf,
  dialectRules,
  nextState,
  type Attempt,
  type Delivery,
  type Endpoint,
  type Outcome,
  type SigningEndpoint,
} from '@posthorn/models';
import type { Clock, Counter, Histogram, Logger, Metrics, Random } from '@posthorn/runtime';
import type { Directory } from './directory.ts';
import type { DueClock } from './due-clock.ts';
import type { ComposedRequest, Envelopes } from './envelope/envelope.ts';
import type { QueuedDelivery } from './lanes/queued-delivery.ts';
import type { Exchange, WebhookClient } from './webhook-client.ts';

/**
 * Step 5: it is attempted. An attempt is a value that changes its type from step to step, Planned → Sent → Judged, so no
 * step can be left out or swapped. Nothing here rejects: what goes wrong is an outcome of the attempt.
 */
export interface Planned {
  readonly stage: 'planned';
  readonly queued: QueuedDelivery;
  readonly endpoint: SigningEndpoint;
  readonly request: ComposedRequest;
  readonly startedAt: Date;
}

export interface Sent {
  readonly stage: 'sent';
  readonly planned: Planned;
  readonly exchange: Exchange;
}

export interface Judged {
  readonly stage: 'judged';
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  /** The delivery as it is after the attempt. */
  readonly delivery: Delivery;
  readonly disableEndpoint: string | null;
}

export interface AttemptOptions {
  readonly envelopes: Envelopes;
  readonly directory: Pick<Directory, 'organisation'>;
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Makes the function that attempts one delivery at one endpoint. */
export function createAttempt(options: AttemptOptions) {
  const { envelopes, directory, client, clock, dueClock, random, logger, metrics } = options;
  const attempts: Counter<'outcome' | 'trigger'> = metrics.counter({
    name: 'posthorn_attempts_total',
    help: 'Attempts by outcome and by what they were for.',
    labels: ['outcome', 'trigger'],
  });
  const firstAttempt: Histogram = metrics.histogram({
    name: 'posthorn_time_to_first_attempt_seconds',
    help: 'From the acceptance of an event to the start of its first attempt.',
  });
  const duration: Histogram = metrics.histogram({
    name: 'posthorn_attempt_duration_seconds',
    help: 'How long attempts took, connecting included.',
  });

  function plan(queued: QueuedDelivery, target: SigningEndpoint): Planned {
    const { event, delivery } = queued;
    const startedAt = new Date(clock.now());
    const view = directory.organisation(delivery.organisationId);
    if (view === null) throw new Error(`organisation ${delivery.organisationId} is not known`);
    const { organisation, policies } = view;
    const request = envelopes.compose({ event, delivery, target, organisation, policies, at: startedAt });
    return { stage: 'planned', queued, endpoint: target, request, startedAt };
  }

  async function send(planned: Planned): Promise<Sent | null> {
    const { request } = planned;
    const { endpoint } = planned.endpoint;
    const exchange = await client.send({
      url: request.url,
      organisationId: endpoint.organisationId,
      headers: request.headers,
      ...(request.userAgent !== undefined && { userAgent: request.userAgent }),
      body: request.body,
      timeoutMs: endpoint.timeoutMs,
      mayWrite: () => planned.queued.holding.isCertain(),
    });
    return exchange === null ? null : { stage: 'sent', planned, exchange };
  }

  function judge({ planned, exchange }: Sent): Judged {
    const { queued, startedAt, request } = planned;
    const { signature, remark = null } = request;
    if (remark !== null) {
      const { id: deliveryId, endpointId, organisationId } = queued.delivery;
      logger.warn({ organisationId, endpointId, deliveryId, remark }, 'a request that receivers may refuse');
    }
    return conclude(queued, planned.endpoint, { startedAt, signature, remark, exchange });
  }

  function conclude(
    { delivery }: QueuedDelivery,
    { endpoint }: SigningEndpoint,
    made: {
      readonly startedAt: Date;
      readonly signature: string | null;
      readonly remark: string | null;
      readonly exchange: Exchange;
    },
  ): Judged {
    const { exchange } = made;
    const outcome: Outcome = {
      kind: exchange.outcome,
      status: exchange.status,
      retryAfterMs: exchange.retryAfterMs,
    };
    const { disableEndpoint, ...change } = nextState(delivery, outcome, {
      now: new Date(clock.now()),
      jitter: random.number(),
      retryDelaysMs: endpoint.retryDelaysMs,
      rules: dialectRules[endpoint.dialect],
    });
    const attempt: Attempt = {
      id: attemptIdOf(delivery.id, change.attempts),
      organisationId: delivery.organisationId,
      deliveryId: delivery.id,
      eventId: delivery.eventId,
      eventType: delivery.eventType,
      endpointId: delivery.endpointId,
      number: change.attempts,
      trigger: delivery.trigger,
      startedAt: made.startedAt,
      durationMs: Math.round(exchange.durationMs),
      outcome: exchange.outcome,
      status: exchange.status,
      error: explanation(endpoint, made),
      response: exchange.response,
      address: exchange.address,
      signature: made.signature,
    };
    const nextAttemptAt = change.nextAttemptAt && dueClock.fromWall(change.nextAttemptAt);
    return {
      stage: 'judged',
      attempt,
      outcome,
      delivery: { ...delivery, ...change, nextAttemptAt },
      disableEndpoint,
    };
  }

  /** Our own fault (a secret that can't be decoded, say): an attempt all the same, tried again by the schedule. */
  function failed(queued: QueuedDelivery, endpoint: SigningEndpoint, error: unknown): Judged {
    logger.error({ err: error, deliveryId: queued.delivery.id }, 'an attempt could not be made');
    return conclude(queued, endpoint, {
      startedAt: new Date(clock.now()),
      signature: null,
      remark: null,
      exchange: {
        outcome: 'internal',
        status: null,
        response: null,
        retryAfterMs: null,
        address: null,
        error: 'Posthorn could not build this request.',
        durationMs: 0,
      },
    });
  }

  function observe({ attempt, delivery }: Judged, queued: QueuedDelivery): void {
    attempts.inc({ outcome: attempt.outcome, trigger: attempt.trigger });
    duration.observe(attempt.durationMs / 1000);
    if (attempt.number === 1 && attempt.trigger === 'schedule') {
      const { acceptedAt, deliverAt } = queued.event;
      // The wait that the producer asked for is none of ours.
      const from = Math.max(acceptedAt.getTime(), deliverAt === null ? 0 : deliverAt.getTime());
      const waitedMs = attempt.startedAt.getTime() - from;
      firstAttempt.observe(Math.max(0, waitedMs) / 1000);
    }
    const level = attempt.outcome === 'success' ? 'debug' : 'info';
    if (!logger.isLevelEnabled(level)) return;
    logger[level](
      {
        organisationId: attempt.organisationId,
        endpointId: attempt.endpointId,
        eventId: attempt.eventId,
        eventType: attempt.eventType,
        deliveryId: attempt.deliveryId,
        attempt: attempt.number,
        trigger: attempt.trigger,
        outcome: attempt.outcome,
        status: attempt.status,
        durationMs: attempt.durationMs,
        error: attempt.error,
        state: delivery.state,
        nextAttemptAt: delivery.nextAttemptAt && dueClock.toWall(delivery.nextAttemptAt),
      },
      'attempt',
    );
  }

  /** Null when it wasn't sent, because the partition's lease was no longer certain: that spends no attempt. */
  return async function attempt(queued: QueuedDelivery, endpoint: SigningEndpoint): Promise<Judged | null> {
    let judged: Judged;
    try {
      const sent = await send(plan(queued, endpoint));
      if (sent === null) return null;
      judged = judge(sent);
    } catch (error) {
      judged = failed(queued, endpoint, error);
    }
    observe(judged, queued);
    return judged;
  };
}

/** The one text that rapidly's receivers know for an address that may not be reached, or can't be found. */
const unreachableText = 'URL resolves to a private/internal IP address';

/** What went wrong, and what the owner should know of what was sent. */
function explanation(
  { dialect }: Endpoint,
  { exchange, remark }: { readonly exchange: Exchange; readonly remark: string | null },
): string | null {
  const { outcome, error } = exchange;
  const isUnreachable = outcome === 'blocked' || outcome === 'dns';
  const told = dialect === 'rapidly' && isUnreachable ? unreachableText : error;
  return [told, remark].filter((part) => part !== null).join(' ') || null;
}

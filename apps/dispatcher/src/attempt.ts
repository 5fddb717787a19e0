import {
  attemptIdOf,
  nextState,
  type Attempt,
  type Delivery,
  type Outcome,
  type SigningEndpoint,
} from '@posthorn/models';
import type { Clock, Counter, Histogram, Logger, Metrics, Random } from '@posthorn/runtime';
import { prepareSigner, type Signer } from '@posthorn/signing';
import type { DueClock } from './due-clock.ts';
import { envelopeFor, requestHeaders, type Envelope, type HeaderList } from './envelope/envelope.ts';
import type { QueuedDelivery } from './queued-delivery.ts';
import type { Exchange, WebhookClient } from './webhook-client.ts';

/**
 * Step 5: it is attempted. An attempt is a value that changes its type from step to step, Planned → Sent → Judged, so no
 * step can be left out or swapped. Nothing here rejects: what goes wrong is an outcome of the attempt.
 */
export interface Planned {
  readonly stage: 'planned';
  readonly queued: QueuedDelivery;
  readonly endpoint: SigningEndpoint;
  readonly envelope: Envelope;
  readonly headers: HeaderList;
  readonly signature: string;
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
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Makes the function that attempts one delivery at one endpoint. */
export function createAttempt({ client, clock, dueClock, random, logger, metrics }: AttemptOptions) {
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
  /** Keys are decoded once for each version of an endpoint. */
  const signers = new WeakMap<SigningEndpoint, Signer>();

  function signerOf(endpoint: SigningEndpoint): Signer {
    let signer = signers.get(endpoint);
    if (signer === undefined) {
      signer = prepareSigner(endpoint.secrets, endpoint.endpoint.signing);
      signers.set(endpoint, signer);
    }
    return signer;
  }

  function plan(queued: QueuedDelivery, signing: SigningEndpoint): Planned {
    const { event } = queued;
    const { endpoint } = signing;
    const startedAt = new Date(clock.now());
    const timestampSeconds = Math.floor(startedAt.getTime() / 1000);
    const envelope = envelopeFor(event, endpoint.format);
    const signature = signerOf(signing).sign(event.id, timestampSeconds, [envelope.body]);
    const headers = requestHeaders({ envelope, endpoint, eventId: event.id, timestampSeconds, signature });
    return { stage: 'planned', queued, endpoint: signing, envelope, headers, signature, startedAt };
  }

  async function send(planned: Planned): Promise<Sent> {
    const { endpoint } = planned.endpoint;
    const exchange = await client.send({
      url: endpoint.url,
      organisationId: endpoint.organisationId,
      headers: planned.headers,
      body: planned.envelope.body,
      timeoutMs: endpoint.timeoutMs,
    });
    return { stage: 'sent', planned, exchange };
  }

  function judge({ planned, exchange }: Sent): Judged {
    const { queued, startedAt, signature } = planned;
    return conclude(queued, planned.endpoint, { startedAt, signature, exchange });
  }

  function conclude(
    { delivery }: QueuedDelivery,
    { endpoint }: SigningEndpoint,
    made: { readonly startedAt: Date; readonly signature: string | null; readonly exchange: Exchange },
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
      error: exchange.error,
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
      const waitedMs = attempt.startedAt.getTime() - queued.event.acceptedAt.getTime();
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

  return async function attempt(queued: QueuedDelivery, endpoint: SigningEndpoint): Promise<Judged> {
    let judged: Judged;
    try {
      judged = judge(await send(plan(queued, endpoint)));
    } catch (error) {
      judged = failed(queued, endpoint, error);
    }
    observe(judged, queued);
    return judged;
  };
}

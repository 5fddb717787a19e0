import type { Attempt, AttemptOutcome, AttemptTrigger } from '@posthorn/models';
import { createEnumTable } from './enum-table.ts';
import * as dispatchV1 from './gen/posthorn/dispatch/v1/dispatch.ts';
import { required } from './required.ts';

/** An attempt's `trigger` and its enum. */
export const attemptTriggerTable = createEnumTable({
  schedule: dispatchV1.AttemptTrigger.ATTEMPT_TRIGGER_SCHEDULE,
  manual: dispatchV1.AttemptTrigger.ATTEMPT_TRIGGER_MANUAL,
  replay: dispatchV1.AttemptTrigger.ATTEMPT_TRIGGER_REPLAY,
  test: dispatchV1.AttemptTrigger.ATTEMPT_TRIGGER_TEST,
} satisfies Record<AttemptTrigger, dispatchV1.AttemptTrigger>);

/** An attempt's `outcome` and its enum. */
export const attemptOutcomeTable = createEnumTable({
  success: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_SUCCESS,
  http_error: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_HTTP_ERROR,
  timeout: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_TIMEOUT,
  refused: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_REFUSED,
  reset: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_RESET,
  dns: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_DNS,
  tls: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_TLS,
  blocked: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_BLOCKED,
  too_large: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_TOO_LARGE,
  protocol: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_PROTOCOL,
  internal: dispatchV1.AttemptOutcome.ATTEMPT_OUTCOME_INTERNAL,
} satisfies Record<AttemptOutcome, dispatchV1.AttemptOutcome>);

/** The attempt as a message. */
export function attemptToMessage(attempt: Attempt): dispatchV1.Attempt {
  return {
    id: attempt.id,
    organisationId: attempt.organisationId,
    deliveryId: attempt.deliveryId,
    eventId: attempt.eventId,
    eventType: attempt.eventType,
    endpointId: attempt.endpointId,
    number: attempt.number,
    trigger: attemptTriggerTable.toMessage(attempt.trigger),
    startedAt: attempt.startedAt,
    durationMs: attempt.durationMs,
    outcome: attemptOutcomeTable.toMessage(attempt.outcome),
    status: attempt.status ?? undefined,
    error: attempt.error ?? undefined,
    response:
      attempt.response === null
        ? undefined
        : { ...attempt.response, headers: { ...attempt.response.headers } },
    address: attempt.address ?? undefined,
    signature: attempt.signature ?? undefined,
  };
}

/** The attempt of a message. Throws `invalid_argument` when something is unspecified. */
export function attemptFromMessage(message: dispatchV1.Attempt): Attempt {
  return {
    id: message.id,
    organisationId: message.organisationId,
    deliveryId: message.deliveryId,
    eventId: message.eventId,
    eventType: message.eventType,
    endpointId: message.endpointId,
    number: message.number,
    trigger: attemptTriggerTable.fromMessage(message.trigger, '/trigger'),
    startedAt: required(message.startedAt, '/startedAt'),
    durationMs: message.durationMs,
    outcome: attemptOutcomeTable.fromMessage(message.outcome, '/outcome'),
    status: message.status ?? null,
    error: message.error ?? null,
    response:
      message.response === undefined
        ? null
        : { ...message.response, headers: { ...message.response.headers } },
    address: message.address ?? null,
    signature: message.signature ?? null,
  };
}

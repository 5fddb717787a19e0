import { eventFromNewEvent, type ingestV1 } from '@posthorn/contracts';
import type { EventLogWriter } from '@posthorn/event-log';
import {
  checkDelay,
  checkEvent,
  DomainError,
  isOperationalEventType,
  newId,
  readTraceparent,
  type Principal,
  type Violation,
} from '@posthorn/models';
import { requireOrganisation } from '@posthorn/rpc';
import type { Clock, Logger, Random } from '@posthorn/runtime';
import type { IngestMetrics } from './ingest-metrics.ts';
import type { OrganisationView, OrganisationViews } from './organisation-view.ts';
import { readPayload, type ReadPayload } from './payload.ts';
import type { PayloadSchemas } from './payload-schema.ts';
import type { ReservationStore } from './reservations/reservations.ts';
import { limitedBy } from './limits/limited.ts';
import type { Admission, Admitted, Limiter } from './limits/limiter.ts';
import { findReserved, reserve, type ReservedEvent } from './reservations/reserve.ts';

/**
 * The accept path, the same for every way in: an event is judged by its organisation's rules, reserved when it is keyed,
 * appended to the log, and acknowledged only when it is durable there. Never rejects: a refusal is an answer too.
 * An event that is refused as `unavailable` (or by an accident of ours) may or may not have been kept; it names the id to
 * publish it again with, under which it is the same event. Any other refusal means that nothing was kept.
 *
 * Limits are asked last before anything is written (decision 31). What is refused for another reason, and what had been accepted
 * before, doesn't count; what may have been kept does.
 */
export type Accept = (event: ingestV1.NewEvent, caller: Principal) => Promise<AcceptResult>;

export type AcceptResult = { readonly accepted: ingestV1.Accepted; readonly refused?: undefined } | Refused;

export interface Refused {
  readonly accepted?: undefined;
  readonly refused: DomainError;
  readonly id: string | undefined;
  /** Where a limit has refused it: what is left of all that hold. */
  readonly limits?: ingestV1.LimitStates;
}

export interface AcceptOptions {
  readonly log: EventLogWriter;
  readonly reservations: ReservationStore;
  readonly limiter: Limiter;
  readonly views: OrganisationViews;
  readonly schemas: PayloadSchemas;
  readonly metrics: IngestMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Bytes of `data`. */
  readonly maxPayloadBytes: number;
}

export function createAccept(options: AcceptOptions): Accept {
  const { log, reservations, limiter, views, metrics, clock, random, logger } = options;

  function refusal(error: unknown, id: string | undefined): Refused {
    const refused = DomainError.from(error);
    metrics.refused(refused.code);
    if (refused.code === 'internal')
      logger.error({ err: error, eventId: id }, 'an event could not be accepted');
    return id !== undefined && isUncertain(refused)
      ? { refused: withId(refused, id), id }
      : { refused, id: undefined };
  }

  /** What isn't kept because its names stand for something else doesn't count. */
  async function reserveCounted(
    event: ingestV1.NewEvent,
    organisationId: string,
    draft: ReservedEvent,
    admission: Admitted | undefined,
  ): Promise<ReservedEvent> {
    try {
      return await reserve(reservations, event, organisationId, draft);
    } catch (error) {
      admission?.withdraw();
      throw error;
    }
  }

  return async function accept(event, caller) {
    const startedAt = clock.monotonic();
    let id: string | undefined;
    try {
      const organisationId = organisationOf(event, caller);
      const found = views.get(organisationId);
      const view = found instanceof Promise ? await found : found;
      judge(event, caller, view, options);
      const limited = limitedBy({ organisationId, event, caller }, view);
      const admission = limited && (await limiter.admit(limited, event.data.length));
      const now = clock.now();
      id = event.id === '' ? newId(now, random.bytes) : event.id;
      let kept: ReservedEvent = { id, acceptedAt: new Date(now), duplicate: false };
      if (admission?.refused !== undefined) {
        // It may have been accepted when there was room: then it isn't a new one.
        const twin = isKeyed(event) ? await findReserved(reservations, event, organisationId, kept) : null;
        if (twin === null) return { ...refusal(admission.refused, undefined), limits: admission.states };
        kept = twin;
      } else if (isKeyed(event)) {
        kept = await reserveCounted(event, organisationId, kept, admission);
      }
      id = kept.id;
      const stamped = stamp(event, caller);
      const appended = await log.append(eventFromNewEvent(stamped, { ...kept, organisationId }));
      const duplicate = kept.duplicate || appended.duplicate;
      metrics.accepted(clock.monotonic() - startedAt, duplicate);
      const accepted = { id, type: event.type, acceptedAt: kept.acceptedAt, duplicate };
      return {
        accepted: admission === undefined ? accepted : { ...accepted, limits: left(admission, duplicate) },
      };
    } catch (error) {
      return refusal(error, id);
    }
  };
}

/** What is left when the event is answered. What had been accepted before doesn't count again. */
function left(admission: Admission, duplicate: boolean): ingestV1.LimitStates {
  if (admission.refused !== undefined) return admission.states;
  if (duplicate) admission.withdraw();
  return admission.left();
}

/** The organisation that the event names, or else the caller's own. Another tenant's answers like one that doesn't exist. */
function organisationOf(event: ingestV1.NewEvent, caller: Principal): string {
  const organisationId = event.organisationId === '' ? caller.organisationId : event.organisationId;
  if (organisationId === null) {
    const message = 'Name the organisation: the key belongs to none.';
    throw DomainError.invalid([{ field: '/organisation', code: 'required', message }]);
  }
  requireOrganisation(caller, organisationId);
  return organisationId;
}

/** What an API key publishes goes where that key says; our own services say it in the event. */
function stamp(event: ingestV1.NewEvent, caller: Principal): ingestV1.NewEvent {
  if (caller.kind === 'service') return event;
  const routesTo = caller.routesTo ?? undefined;
  return { ...event, routesTo, traceparent: readTraceparent(event.traceparent) };
}

/** Throws with everything that is wrong with the event at once. */
function judge(
  event: ingestV1.NewEvent,
  caller: Principal,
  view: OrganisationView,
  options: AcceptOptions,
): void {
  const { maxPayloadBytes, schemas, metrics, logger, clock } = options;
  if (event.data.length > maxPayloadBytes) {
    throw new DomainError(
      'payload_too_large',
      `The payload has ${event.data.length} bytes; at most ${maxPayloadBytes} are accepted.`,
    );
  }
  const now = new Date(clock.now());
  const violations: Violation[] = checkEvent(event, now).filter(
    // Operational events come from our own services.
    ({ code }) => code !== 'reserved' || caller.kind !== 'service',
  );
  if (event.idFromProducer && event.id === '') {
    violations.push({
      field: '/id',
      code: 'required',
      message: "This must be given when it is said to be the producer's own.",
    });
  }
  if (event.deliverAt !== undefined) violations.push(...checkDelay(event.deliverAt, view.payloadDays, now));
  const rule = view.types.get(event.type);
  if (rule?.retired === true) {
    violations.push({ field: '/type', code: 'retired', message: 'This event type is retired.' });
  } else if (rule === undefined && view.requireKnownTypes && !isOperationalEventType(event.type)) {
    const message = "This event type isn't in the organisation's catalogue, which it requires.";
    violations.push({ field: '/type', code: 'unknown_type', message });
  }
  const isEnforced = rule !== undefined && rule.enforcement !== 'off';
  // One of our own services has read the whole body that the payload is a part of: what no schema asks for isn't read twice.
  const payload = caller.kind === 'service' && !isEnforced ? notAskedFor : readPayload(event.data);
  if (payload.violation !== undefined) {
    violations.push(payload.violation);
  } else if (isEnforced) {
    const broken = schemas.check(rule.schemaJson, payload.value, event.data.length);
    if (rule.enforcement === 'reject') {
      violations.push(...broken);
    } else if (broken.length > 0) {
      metrics.schemaWarning();
      logger.warn({ eventType: event.type, violations: broken.slice(0, 5) }, 'a payload breaks its schema');
    }
  }
  if (violations.length > 0) throw DomainError.invalid(violations);
}

const notAskedFor: ReadPayload = { value: undefined };

function isKeyed(event: ingestV1.NewEvent): boolean {
  return event.idempotencyKey !== undefined || event.idFromProducer;
}

/** Whether the event may have been kept nevertheless. */
function isUncertain({ code }: DomainError): boolean {
  return code === 'unavailable' || code === 'internal' || code === 'deadline_exceeded';
}

const defaultRetryAfterMs = 1000;

function withId(error: DomainError, id: string): DomainError {
  return new DomainError(
    'unavailable',
    `${error.message} It isn't known whether the event was kept; publish it again with the id "${id}".`,
    { retryAfterMs: error.retryAfterMs ?? defaultRetryAfterMs, cause: error },
  );
}

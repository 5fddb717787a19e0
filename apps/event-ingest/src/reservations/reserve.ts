import type { ingestV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { digestOf } from './publish-digest.ts';
import type { Reservation, ReservationStore } from './reservations.ts';

/** How long an idempotency key, or a producer's id, stands for its event. */
export const reservationTtlMs = 24 * 60 * 60 * 1000;

/** Which event a publish stands for: the one it brings, or one that was there before it. */
export interface ReservedEvent {
  readonly id: string;
  readonly acceptedAt: Date;
  readonly duplicate: boolean;
}

/**
 * Rule 2 of the pipeline: the names of a keyed publish are reserved before its append. Someone else's reservation with
 * the same digest makes this the same event, whose first append may not have happened, so it is appended again.
 * Another digest, or a key that stands for another id than the producer's own: `idempotency_mismatch`, and what was
 * reserved on the way is given back. Store away: `unavailable`.
 */
export async function reserve(
  store: ReservationStore,
  event: ingestV1.NewEvent,
  organisationId: string,
  draft: ReservedEvent,
): Promise<ReservedEvent> {
  const made: Reservation[] = [];
  let first: Reservation | undefined;
  for (const reservation of reservationsOf(event, organisationId, draft)) {
    const held = await store.reserve(reservation);
    if (held.made) {
      made.push(reservation);
      continue;
    }
    if (!isSamePublish(held.reservation, reservation, event)) {
      // Best effort: a reservation that stays behind expires.
      await Promise.allSettled(made.map((each) => store.release(each)));
      throw mismatch(reservation);
    }
    first ??= held.reservation;
  }
  return first === undefined ? draft : duplicateOf(first);
}

/**
 * Which event a keyed publish stands for if it had been published before, without reserving anything: null when one of its names is
 * free, or stands for something else. Store away: `unavailable`.
 */
export async function findReserved(
  store: ReservationStore,
  event: ingestV1.NewEvent,
  organisationId: string,
  draft: ReservedEvent,
): Promise<ReservedEvent | null> {
  let first: Reservation | undefined;
  for (const wanted of reservationsOf(event, organisationId, draft)) {
    const held = await store.find(wanted);
    if (held === null || !isSamePublish(held, wanted, event)) return null;
    first ??= held;
  }
  return first === undefined ? null : duplicateOf(first);
}

/** The names of a keyed publish, each as it would be reserved. */
function reservationsOf(
  event: ingestV1.NewEvent,
  organisationId: string,
  draft: ReservedEvent,
): readonly Reservation[] {
  const template = {
    organisationId,
    eventId: draft.id,
    digest: digestOf(event),
    acceptedAt: draft.acceptedAt,
    expiresAt: new Date(draft.acceptedAt.getTime() + reservationTtlMs),
  };
  const wanted: Reservation[] = [];
  if (event.idempotencyKey !== undefined) {
    wanted.push({ ...template, kind: 'key', name: event.idempotencyKey });
  }
  if (event.idFromProducer) wanted.push({ ...template, kind: 'id', name: event.id });
  return wanted;
}

function duplicateOf({ eventId, acceptedAt }: Reservation): ReservedEvent {
  return { id: eventId, acceptedAt, duplicate: true };
}

function isSamePublish(held: Reservation, wanted: Reservation, event: ingestV1.NewEvent): boolean {
  return (
    Buffer.compare(held.digest, wanted.digest) === 0 &&
    (!event.idFromProducer || held.eventId === wanted.eventId)
  );
}

function mismatch({ kind }: Reservation): DomainError {
  const field = kind === 'key' ? '/idempotencyKey' : '/id';
  const name = kind === 'key' ? 'idempotency key' : 'id';
  const message = `This ${name} was used within the last 24 hours for an event with other content.`;
  return new DomainError('idempotency_mismatch', message, {
    violations: [{ field, code: 'idempotency_mismatch', message }],
  });
}

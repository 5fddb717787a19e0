import type { LogBatch, LoggedEvent } from '@posthorn/event-log';
import { DomainError } from '@posthorn/models';
import { sleep, type Clock } from '@posthorn/runtime';
import type { EventClaim, EventStore } from '../events/event-store.ts';
import { deadRecordId, isTransient, type PutAside } from './put-aside.ts';

const tries = 3;
const retryMs = 100;

/**
 * Claims the events of a batch, by position. An event that the store refuses for good is put aside (it has no claim then), so that it
 * doesn't stop the others. Errors: `unavailable` and the like, when the whole batch has to wait.
 */
export async function claimEvents(
  events: Pick<EventStore, 'claim'>,
  batch: LogBatch,
  { clock, putAside }: { readonly clock: Clock; readonly putAside: PutAside },
): Promise<ReadonlyMap<number, EventClaim>> {
  if (batch.events.length === 0) return new Map();
  try {
    return byPosition(batch.events, await claim(batch));
  } catch (error) {
    if (isTransient(error)) throw error;
  }
  const claims = new Map<number, EventClaim>();
  for (const logged of batch.events) {
    try {
      const [one] = await claim({ ...batch, events: [logged] });
      if (one !== undefined) claims.set(logged.position, one);
    } catch (error) {
      if (isTransient(error)) throw error;
      await bury(logged, error);
    }
  }
  return claims;

  async function claim(part: LogBatch): Promise<readonly EventClaim[]> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await events.claim(part);
      } catch (error) {
        if (isTransient(error) || tried === tries) throw error;
        await sleep(clock, retryMs);
      }
    }
  }

  function bury({ position, event }: LoggedEvent, error: unknown): Promise<void> {
    return putAside({
      id: deadRecordId('unclaimable', batch.partition, position),
      kind: 'unclaimable',
      partition: batch.partition,
      position,
      organisationId: event.organisationId,
      eventId: event.id,
      deliveryId: null,
      reason: DomainError.from(error).message,
      bytes: event.payload,
    });
  }
}

function byPosition(
  events: readonly LoggedEvent[],
  claims: readonly EventClaim[],
): ReadonlyMap<number, EventClaim> {
  const byPosition = new Map<number, EventClaim>();
  for (const [index, { position }] of events.entries()) {
    const claim = claims[index];
    if (claim !== undefined) byPosition.set(position, claim);
  }
  return byPosition;
}

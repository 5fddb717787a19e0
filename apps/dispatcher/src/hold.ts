import { isFinal, type Delivery, type SigningEndpoint } from '@posthorn/models';

/**
 * What becomes of a delivery that can't go out now: kept for when a paused endpoint is resumed, kept for a replay to a disabled
 * one, ended for one that is no more. Nothing is dropped without a reason on record. A delivery that had ended, and that someone
 * asked for again, stays as it ended.
 */
export function heldDelivery(
  delivery: Delivery,
  endpoint: SigningEndpoint | undefined,
  {
    now,
    dueNow,
  }: { /** By the wall clock. */ readonly now: Date; /** By the due clock. */ readonly dueNow: Date },
): Delivery {
  if (isFinal(delivery.state)) return { ...delivery, nextAttemptAt: null };
  switch (endpoint?.endpoint.state) {
    case undefined:
      return {
        ...delivery,
        state: 'cancelled',
        reason: 'endpoint_deleted',
        nextAttemptAt: null,
        finishedAt: now,
      };
    case 'disabled':
      return { ...delivery, state: 'held', reason: 'endpoint_disabled', nextAttemptAt: null };
    case 'paused':
      return { ...delivery, state: 'held', reason: 'endpoint_paused', nextAttemptAt: dueNow };
    case 'enabled':
      return { ...delivery, nextAttemptAt: delivery.nextAttemptAt ?? dueNow };
  }
}

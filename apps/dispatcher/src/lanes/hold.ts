import { isFinal, type Delivery, type SigningEndpoint } from '@posthorn/models';
import { blockedReason } from './endpoint-order.ts';
import { gateOf } from './gate.ts';

/**
 * What becomes of a delivery that can't go out now: kept for when its endpoint takes it again, kept for a replay where that takes
 * somebody's doing, ended for an endpoint that is no more. Nothing is dropped without a reason on record. A delivery that had ended, and
 * that someone asked for again, stays as it ended: its attempt waits for the endpoint too, or isn't made.
 */
export function heldDelivery(
  delivery: Delivery,
  endpoint: SigningEndpoint | undefined,
  {
    now,
    dueNow,
  }: { /** By the wall clock. */ readonly now: Date; /** By the due clock. */ readonly dueNow: Date },
): Delivery {
  const gate = gateOf(endpoint);
  if (isFinal(delivery.state)) return { ...delivery, nextAttemptAt: gate.kind === 'waits' ? dueNow : null };
  switch (gate.kind) {
    case 'gone':
      return {
        ...delivery,
        state: 'cancelled',
        reason: 'endpoint_deleted',
        nextAttemptAt: null,
        finishedAt: now,
      };
    case 'closed':
      return { ...delivery, state: 'held', reason: gate.reason, nextAttemptAt: null };
    case 'waits':
      return {
        ...delivery,
        state: 'held',
        // What its key holds back goes on waiting for that when the endpoint opens.
        reason: delivery.reason === blockedReason ? blockedReason : gate.reason,
        nextAttemptAt: dueNow,
      };
    case 'open':
      return { ...delivery, nextAttemptAt: delivery.nextAttemptAt ?? dueNow };
  }
}

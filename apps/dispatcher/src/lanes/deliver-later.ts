import type { Delivery, SigningEndpoint } from '@posthorn/models';
import type { DueClock } from '../due-clock.ts';
import { gateOf } from './gate.ts';
import type { QueuedDelivery } from './queued-delivery.ts';

/**
 * A delivery whose event isn't to be delivered yet (`deliverAt`): it goes to storage as it is planned, pending until its time, and
 * comes back like a retry, so that it costs no memory and survives a restart. Null: it may go now, or its endpoint takes nothing and
 * it is held, or ended, like any other.
 */
export function delayedDelivery(
  { delivery, event: { deliverAt } }: QueuedDelivery,
  endpoint: SigningEndpoint | undefined,
  dueClock: DueClock,
): Delivery | null {
  if (deliverAt === null || delivery.nextAttemptAt !== null) return null;
  const { kind } = gateOf(endpoint);
  // Whether it may go to an endpoint that is only paused is asked when its time has come.
  if (kind !== 'open' && kind !== 'waits') return null;
  const dueAt = dueClock.fromWall(deliverAt);
  return dueAt.getTime() > dueClock.now() ? { ...delivery, nextAttemptAt: dueAt } : null;
}

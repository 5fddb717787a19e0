import { deliveryToMessage, type dispatchV1 } from '@posthorn/contracts';
import { isWaiting, type Attempt, type Delivery } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import { modifiedAtOf } from '../deliveries/delivery-search.ts';
import type { DueClock } from '../due-clock.ts';
import type { Lanes } from '../lanes/lanes.ts';

export type DeliveryView = (delivery: Delivery, lastAttempt: Attempt | null) => dispatchV1.Delivery;

/**
 * A delivery as its owner is shown it. The next attempt is told by the wall clock; a delivery in this process's hands is due
 * now (on record is only until when nobody else may take it), and a held or ended one has no next attempt.
 */
export function createDeliveryView(options: {
  readonly lanes: Pick<Lanes, 'find'>;
  readonly clock: Clock;
  readonly dueClock: DueClock;
}): DeliveryView {
  const { lanes, clock, dueClock } = options;

  function nextAttemptAt(delivery: Delivery): Date | null {
    if (!isWaiting(delivery.state)) return null;
    if (lanes.find(delivery.id) !== undefined) return new Date(clock.now());
    return delivery.nextAttemptAt && dueClock.toWall(delivery.nextAttemptAt);
  }

  return (delivery, lastAttempt) =>
    deliveryToMessage({
      ...delivery,
      nextAttemptAt: nextAttemptAt(delivery),
      lastAttempt,
      modifiedAt: modifiedAtOf({ delivery, lastAttempt }),
    });
}

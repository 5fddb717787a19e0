import { deliveryReasons, isFinal, type Delivery, type SigningEndpoint } from '@posthorn/models';
import type { Clock, Counter } from '@posthorn/runtime';
import type { Judged } from '../attempt.ts';
import type { DeliveryOrder } from '../deliveries/delivery-store.ts';
import { claimedUntil } from '../due.ts';
import type { DueClock } from '../due-clock.ts';
import { heldDelivery } from './hold.ts';
import type { KeyOrder } from './key-order.ts';
import type { Loaded } from './loaded.ts';
import { recordOf, takeMark, type QueuedDelivery } from './queued-delivery.ts';
import type { Recorder } from '../record.ts';
import type { Tombstones } from '../erasures/tombstones.ts';

/** What lanes write of the deliveries that are in their hands, and what follows when it is durable. */
export interface LaneRecords {
  /** What became of a delivery: from then on it is storage's, if anything of it still waits. */
  write(
    queued: QueuedDelivery,
    delivery: Delivery,
    more?: { readonly attempt?: Judged['attempt']; readonly order?: DeliveryOrder | null },
  ): void;
  /** It goes to storage and is due at once; behind the head of its key, when that is gone. */
  park(queued: QueuedDelivery): void;
  /** It can't go out now: held, or ended, as its endpoint is. */
  hold(queued: QueuedDelivery, endpoint: SigningEndpoint | undefined): void;
  /** It stays in our hands, and is put on record under our claim. */
  keep(queued: QueuedDelivery): void;
}

export function createLaneRecords(options: {
  readonly recorder: Recorder;
  readonly keys: () => KeyOrder;
  readonly loaded: Loaded;
  readonly clock: Clock;
  readonly dueClock: DueClock;
  readonly tombstones: Pick<Tombstones, 'isErased'>;
  readonly parked: () => Counter;
  readonly endpointOf: (queued: QueuedDelivery) => SigningEndpoint | undefined;
  readonly noteStored: (organisationId: string, endpointId: string, dueAt: number, partition: number) => void;
  readonly onRoom: () => void;
}): LaneRecords {
  const { recorder, keys, loaded, clock, dueClock, endpointOf, noteStored, onRoom } = options;

  const write: LaneRecords['write'] = (queued, left, { attempt: made = null, ...more } = {}) => {
    const isErased = options.tombstones.isErased(queued.event);
    const delivery = isErased ? erasedDelivery(left, new Date(clock.now())) : left;
    const attempt = isErased && made !== null ? { ...made, response: null } : made;
    const order = isErased ? { order: null } : more;
    const record = recordOf(queued, delivery, { isKept: false, attempt, ...order });
    queued.done = true;
    loaded.add(queued);
    const isKeyed = queued.order !== null && queued.holding.state !== 'lost';
    if (isKeyed && queued.isBehind) keepBefore(queued);
    const onDurable = isKeyed ? keys().leaving(queued, delivery, record.order) : null;
    const recorded = (): void => {
      loaded.remove(queued);
      const { nextAttemptAt } = delivery;
      if (nextAttemptAt !== null) {
        const { partition } = queued.holding;
        noteStored(delivery.organisationId, delivery.endpointId, nextAttemptAt.getTime(), partition);
      }
      onDurable?.();
      onRoom();
    };
    recorder.add(record, takeMark(queued), recorded);
    if (isKeyed) keys().left(queued);
  };

  /** Those before it in its key go on record first: after a crash, nothing may stand there whose predecessors are read again. */
  function keepBefore(queued: QueuedDelivery): void {
    for (const one of keys().before(queued)) keepOne(one);
  }

  function keepOne(queued: QueuedDelivery): void {
    const nextAttemptAt = queued.isBehind ? null : claimedUntil(dueClock.now(), endpointOf(queued));
    const record = recordOf(queued, { ...queued.delivery, nextAttemptAt }, { isKept: true, attempt: null });
    recorder.add(record, takeMark(queued), onRoom);
    queued.isRecorded = true;
  }

  return {
    write,
    park(queued) {
      options.parked().inc();
      const dueAt = queued.delivery.nextAttemptAt ?? new Date(dueClock.now());
      write(queued, { ...queued.delivery, nextAttemptAt: queued.isBehind ? null : dueAt });
    },
    hold(queued, endpoint) {
      const now = new Date(clock.now());
      const held = heldDelivery(queued.delivery, endpoint, { now, dueNow: new Date(dueClock.now()) });
      const order = held.nextAttemptAt === null ? null : queued.order;
      write(queued, queued.isBehind ? { ...held, nextAttemptAt: null } : held, { order });
    },
    keep(queued) {
      if (queued.isRecorded || queued.done) return;
      if (queued.isBehind) keepBefore(queued);
      keepOne(queued);
    },
  };
}

/** What becomes of a delivery whose event was erased: it doesn't wait any more, whatever for. */
function erasedDelivery(delivery: Delivery, now: Date): Delivery {
  const left = { ...delivery, nextAttemptAt: null, trigger: 'schedule' } as const;
  if (isFinal(delivery.state)) return left;
  return { ...left, state: 'cancelled', reason: deliveryReasons.erased, finishedAt: now };
}

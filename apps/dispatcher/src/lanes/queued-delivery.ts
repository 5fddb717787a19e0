import { isFinal, type Attempt, type Delivery, type Event } from '@posthorn/models';
import type { DeliveryOrder, DeliveryRecord } from '../deliveries/delivery-store.ts';
import type { Holding } from '../ownership/ownership.ts';
import type { PositionMark } from '../intake/progress.ts';

/** A delivery in this dispatcher's memory, from planning (or from storage) until its attempt is on record. */
export interface QueuedDelivery {
  delivery: Delivery;
  readonly event: Event;
  /** The partition that it belongs to, as it was ours when it came. */
  readonly holding: Holding;
  /** Whether it is on record, under the holding's claim. */
  isRecorded: boolean;
  /** What it waits under, to an endpoint that wants order; null: it waits for nobody. */
  readonly order: DeliveryOrder | null;
  /** Whether others of its key go before it. */
  isBehind: boolean;
  /** What it holds back in the log until it is on record; null when it came from storage. */
  mark: PositionMark | null;
  /** Monotonic milliseconds. */
  readonly queuedAt: number;
  /** Bytes that it keeps in memory. */
  readonly bytes: number;
  /** Asked for by hand: goes out first, and whatever state its endpoint is in. */
  readonly expedited: boolean;
  /** Set once it has left this process's hands: recorded with its outcome, parked or cancelled. */
  done: boolean;
}

/** What a delivery costs in memory beside its payload: a bound, not a measurement. */
const overheadBytes = 1024;

export function queuedDelivery(
  fields: Pick<QueuedDelivery, 'delivery' | 'event' | 'holding' | 'isRecorded' | 'mark' | 'queuedAt'> & {
    readonly order?: DeliveryOrder | null;
    readonly isBehind?: boolean;
    readonly expedited?: boolean;
  },
): QueuedDelivery {
  return {
    ...fields,
    order: fields.order ?? null,
    isBehind: fields.isBehind ?? false,
    expedited: fields.expedited ?? false,
    bytes: fields.event.payload.byteLength + overheadBytes,
    done: false,
  };
}

/** What is to be written of a delivery beside its state. */
export interface Written {
  /** Whether it stays in our hands. */
  readonly isKept: boolean;
  readonly attempt: Attempt | null;
  /** What it waits under from now on; by default what it did, until it has ended. */
  readonly order?: DeliveryOrder | null;
}

/**
 * What to write of it: an insert when it isn't on record yet, else an update under the claim that it is on record with. When its
 * partition is another's by now, only what was attempted is written: the other owner makes of the delivery what is to be made.
 */
export function recordOf(
  { event, holding, isRecorded, order: waitsUnder }: QueuedDelivery,
  delivery: Delivery,
  { isKept, attempt, order = hasEnded(delivery) ? null : waitsUnder }: Written,
): DeliveryRecord {
  const { partition, epoch, claim: ownClaim } = holding;
  const claim = isKept ? ownClaim : null;
  return isRecorded || holding.state === 'lost'
    ? { kind: 'update', delivery, expectedClaim: ownClaim, order, claim, attempt, event }
    : { kind: 'insert', delivery, partition, epoch, order, claim, attempt, event };
}

/** What has ended and was asked for again has another trigger than the schedule's until that attempt has been made. */
function hasEnded({ state, nextAttemptAt, trigger }: Delivery): boolean {
  return isFinal(state) && nextAttemptAt === null && trigger === 'schedule';
}

/** Its hold on the log, given up: whoever takes it writes the record that settles it. */
export function takeMark(queued: QueuedDelivery): PositionMark | null {
  const { mark } = queued;
  queued.mark = null;
  return mark;
}

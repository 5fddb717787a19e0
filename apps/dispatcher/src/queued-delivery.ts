import type { Attempt, Delivery, Event } from '@posthorn/models';
import type { DeliveryRecord } from './delivery-store.ts';
import type { PositionMark } from './progress.ts';

/** A delivery in this dispatcher's memory, from planning (or from storage) until its attempt is on record. */
export interface QueuedDelivery {
  delivery: Delivery;
  readonly event: Event;
  /** Under which claim it is on record; null while it isn't on record at all. */
  claim: string | null;
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
  fields: Pick<QueuedDelivery, 'delivery' | 'event' | 'claim' | 'mark' | 'queuedAt'> & {
    readonly expedited?: boolean;
  },
): QueuedDelivery {
  return {
    ...fields,
    expedited: fields.expedited ?? false,
    bytes: fields.event.payload.byteLength + overheadBytes,
    done: false,
  };
}

/** What to write of it: an insert when it isn't on record yet, else an update under the claim that it is on record with. */
export function recordOf(
  { claim: expectedClaim }: QueuedDelivery,
  delivery: Delivery,
  written: { readonly claim: string | null; readonly attempt: Attempt | null },
): DeliveryRecord {
  return expectedClaim === null
    ? { kind: 'insert', delivery, ...written }
    : { kind: 'update', delivery, expectedClaim, ...written };
}

/** Its hold on the log, given up: whoever takes it writes the record that settles it. */
export function takeMark(queued: QueuedDelivery): PositionMark | null {
  const { mark } = queued;
  queued.mark = null;
  return mark;
}

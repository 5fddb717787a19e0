/**
 * Outcomes go on record without what receivers answered about what was erased, however late they are written: by a dispatcher that was
 * suspended, or that tries again since the store was away (decision 36). The eraser looks through the records once:
 *
 *     eraser:  tombstone is durable → waits → looks
 *     writer:  has asked for tombstones → judges → writes; when that took longer than the eraser waits: asks again, and erases
 *
 * Either the judgement knows the tombstone, or what is written is there when the eraser looks, or the writer erases it itself. What
 * has an answer and turns out to be erased is always erased once more after its write: an earlier try may have written it.
 * It stops where a process dies between a write that took that long and what follows it.
 */
import type { Clock } from '@posthorn/runtime';
import type { DeliveryRecord, DeliveryStore } from '../deliveries/delivery-store.ts';
import { eventToErase, type Eraser } from './eraser.ts';
import { withoutAnswer } from '../record.ts';
import { mostBehindMs, type ErasableEvent, type Tombstones } from './tombstones.ts';

/** The rest is for the write itself. */
const askAfterMs = mostBehindMs / 2;

/** The `record` of the store, made so. */
export function createUnerasedRecord({
  store,
  tombstones,
  eraser,
  clock,
}: {
  readonly store: Pick<DeliveryStore, 'record'>;
  readonly tombstones: Pick<Tombstones, 'bringUpToDate' | 'isErased' | 'knownAt'>;
  readonly eraser: Eraser;
  readonly clock: Clock;
}): DeliveryStore['record'] {
  /** The event of a record whose answer is to leave no trace, as far as is known now. */
  function erasedOf({ attempt, event }: DeliveryRecord): ErasableEvent | undefined {
    const mayTell = attempt !== null && attempt.response !== null && event !== undefined;
    return mayTell && tombstones.isErased(event) ? event : undefined;
  }

  const tellsOfErased = (record: DeliveryRecord): boolean => erasedOf(record) !== undefined;

  return async (records, books) => {
    if (clock.monotonic() - tombstones.knownAt() > askAfterMs) await tombstones.bringUpToDate();
    const knownAt = tombstones.knownAt();
    const judged = records.some(tellsOfErased)
      ? records.map((record) => (tellsOfErased(record) ? withoutAnswer(record) : record))
      : records;
    await store.record(judged, books);
    if (clock.monotonic() - knownAt > mostBehindMs) await tombstones.bringUpToDate();
    for (const record of records) {
      const event = erasedOf(record);
      if (event !== undefined) await eraser.erase(event.organisationId, [eventToErase(event)]);
    }
  };
}

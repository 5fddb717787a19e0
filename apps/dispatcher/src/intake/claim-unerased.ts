import type { LogBatch, LoggedEvent } from '@posthorn/event-log';
import { claimEvents } from './claim-events.ts';
import { eventToErase, type Eraser } from '../erasures/eraser.ts';
import type { EventClaim } from '../events/event-store.ts';
import type { Tombstones } from '../erasures/tombstones.ts';

/**
 * Claims the events of a batch, so that what was erased doesn't come back with the log (pipeline rule 20). What is known to be erased isn't
 * put on record at all; what turns out to be so after its claim goes again. Either is planned as what is read again, so that its deliveries
 * are on record, as `erased` (lane-records.ts).
 */
export async function claimUnerased(
  events: Parameters<typeof claimEvents>[0],
  batch: LogBatch,
  options: Parameters<typeof claimEvents>[2] & {
    readonly tombstones: Pick<Tombstones, 'bringUpToDate' | 'isErased'>;
    readonly eraser: Eraser;
  },
): Promise<ReadonlyMap<number, EventClaim>> {
  const { tombstones, eraser } = options;
  const isErased = ({ event }: LoggedEvent): boolean => tombstones.isErased(event);
  const kept = batch.events.some(isErased) ? batch.events.filter((one) => !isErased(one)) : batch.events;
  const claims = await claimEvents(
    events,
    kept === batch.events ? batch : { ...batch, events: kept },
    options,
  );
  // Only now: see tombstones.ts.
  await tombstones.bringUpToDate();
  const erased = batch.events.filter(isErased);
  if (erased.length === 0) return claims;
  const byOrganisation = Map.groupBy(erased, ({ event }) => event.organisationId);
  for (const [organisationId, some] of byOrganisation) {
    await eraser.erase(
      organisationId,
      some.map(({ event }) => eventToErase(event)),
    );
  }
  const judged = new Map(claims);
  for (const { position } of erased) {
    if (judged.get(position) !== 'duplicate') judged.set(position, 'repeat');
  }
  return judged;
}

/** Erases events from storage, and takes what waits of them here out of the lanes. */
import { idTimeMs, isId, type Event } from '@posthorn/models';
import type { Clock } from '@posthorn/runtime';
import type { ErasedContents, ErasureStore, EventToErase } from './erasure-store.ts';
import type { Lanes } from '../lanes/lanes.ts';

export interface Eraser {
  /** Its tombstone has to be there already. */
  erase(organisationId: string, events: readonly EventToErase[]): Promise<ErasedContents>;
}

/** An event is accepted within this time of the moment that its id names, unless its producer chose the id. */
const earlierMs = 60_000;
const laterMs = 600_000;

export function createEraser({
  store,
  lanes,
  clock,
}: {
  readonly store: Pick<ErasureStore, 'erase'>;
  readonly lanes: () => Pick<Lanes, 'withdraw' | 'keys'>;
  readonly clock: Clock;
}): Eraser {
  return {
    async erase(organisationId, events) {
      const erased = await store.erase({ organisationId, events, now: new Date(clock.now()) });
      for (const { id } of erased.cancelled) lanes().withdraw(id);
      const endpoints = new Set(erased.cancelled.map(({ endpointId }) => endpointId));
      for (const endpointId of endpoints) lanes().keys.recheckEndpoint(endpointId);
      return erased;
    },
  };
}

/** An event that is on record, or was read from the log. */
export function eventToErase({ id, acceptedAt }: Pick<Event, 'id' | 'acceptedAt'>): EventToErase {
  return { id, from: acceptedAt, to: acceptedAt };
}

/** An event of which nothing but its id is known; with an id of its producer's own, its deliveries can't be found by it. */
export function unknownEventToErase(id: string): EventToErase {
  const time = isId(id) ? idTimeMs(id) : 0;
  return { id, from: new Date(Math.max(0, time - earlierMs)), to: new Date(isId(id) ? time + laterMs : 0) };
}

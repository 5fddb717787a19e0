import type { EventPlace } from '../events/event-store.ts';
import type { LeaseStore } from './lease-store.ts';

/**
 * Whether everything that came of planning an event is on record. Until then whatever is put on record for it besides could go out
 * twice: the plan that is in memory doesn't know of it. What was never in the log (a test) has nothing to be planned.
 */
export type IsPlanned = (place: EventPlace) => Promise<boolean>;

export function createPlannedCheck(leases: Pick<LeaseStore, 'find'>): IsPlanned {
  return async ({ partition, position }) => {
    if (position === 0) return true;
    return position < (await leases.find(partition)).next;
  };
}

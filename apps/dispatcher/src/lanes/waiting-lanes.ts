import type { Logger } from '@posthorn/runtime';
import type { Directory } from '../directory.ts';
import type { DueReader } from '../due.ts';
import type { Lanes } from './lanes.ts';
import type { LeaseStore } from '../ownership/lease-store.ts';

/**
 * Tells the lanes what waits in storage in these partitions: everything of a former owner when one is taken up, what was missed later
 * on. What waits for an organisation whose view can't be had waits on, and nobody else's with it.
 */
export function createWaitingLanes(options: {
  readonly due: Pick<DueReader, 'lanes'>;
  readonly directory: Pick<Directory, 'loadAvailable'>;
  readonly lanes: Pick<Lanes, 'noteStored' | 'refresh'>;
  readonly logger: Logger;
}): (partitions: readonly number[]) => Promise<void> {
  const { due, directory, lanes, logger } = options;

  return async (partitions) => {
    const waiting = await due.lanes(partitions);
    const organisations = new Set(waiting.map(({ organisationId }) => organisationId));
    const unavailable = await directory.loadAvailable(organisations);
    for (const [organisationId, error] of unavailable) {
      logger.error({ err: error, organisationId }, 'the endpoints of an organisation cannot be had');
    }
    for (const { organisationId, endpointId, dueAt } of waiting) {
      lanes.noteStored(organisationId, endpointId, dueAt.getTime());
    }
    for (const id of organisations) lanes.refresh(id);
  };
}

const lookEveryMs = 60_000;
const lookOftenMs = 3000;
const freeBetweenLooks = 20;

/**
 * When to look again after a look that took so long. Where others write for the lanes of this dispatcher (a retry by hand reaches any of
 * them), it looks more often: as often as leaves it free for 95 % of the time.
 */
export function lookAgainAfter(tookMs: number, { isExclusive }: Pick<LeaseStore, 'isExclusive'>): number {
  if (isExclusive) return lookEveryMs;
  return Math.min(lookEveryMs, Math.max(lookOftenMs, tookMs * freeBetweenLooks));
}

import {
  idCeiling,
  idFloor,
  matchesEventType,
  type Event,
  type Replay,
  type ReplaySelection,
} from '@posthorn/models';
import type { Job } from '../jobs/job-store.ts';
import type { ReplayableDelivery } from './replay-store.ts';

/** What a replay's job is to do. Written as JSON, and read again by whoever takes the job up. */
export interface ReplaySpec extends Pick<Replay, 'trigger' | 'perSecond' | 'dryRun'> {
  readonly selection: ReplaySelection & { readonly until: Date };
  /** When the one event was accepted that the selection names. */
  readonly eventAcceptedAt: Date | null;
}

export function writeReplaySpec(spec: ReplaySpec): string {
  return JSON.stringify(spec);
}

const times = new Set(['since', 'until', 'createdAfter', 'createdBefore', 'eventAcceptedAt']);

export function readReplaySpec({ spec }: Pick<Job, 'spec'>): ReplaySpec {
  return JSON.parse(spec, (key, value: unknown) =>
    times.has(key) && typeof value === 'string' ? new Date(value) : value,
  ) as ReplaySpec;
}

/** The ids between which all its deliveries lie: ids of deliveries begin with the time at which their event was accepted. */
export function idRangeOf({ selection, eventAcceptedAt }: ReplaySpec): {
  readonly after: string;
  readonly to: string;
} {
  const { since, until } = selection;
  const first = Math.max(since?.getTime() ?? 0, eventAcceptedAt?.getTime() ?? 0);
  const last = Math.min(until.getTime() - 1, eventAcceptedAt?.getTime() ?? Infinity);
  // What lies after the highest id of the millisecond before.
  return { after: first === 0 ? '' : idCeiling(first - 1), to: last < 0 ? idFloor(0) : idCeiling(last) };
}

/** Whether a delivery whose id is in range is among those that were selected. */
export function isSelected({ selection }: ReplaySpec, { delivery, lastStatus }: ReplayableDelivery): boolean {
  const { eventId, states, statusClass, createdAfter, createdBefore } = selection;
  return (
    states.includes(delivery.state) &&
    (eventId === null || delivery.eventId === eventId) &&
    hasSelectedType(selection, delivery.eventType) &&
    (statusClass === null || (lastStatus !== null && Math.floor(lastStatus / 100) === statusClass)) &&
    (createdAfter === null || delivery.createdAt > createdAfter) &&
    (createdBefore === null || delivery.createdAt < createdBefore)
  );
}

/** Whether an event without a delivery is among those that were selected, as far as the event itself says. */
export function isSelectedUnmatched({ selection }: ReplaySpec, event: Event): boolean {
  const { eventId, statusClass } = selection;
  return (
    selection.includeUnmatched &&
    statusClass === null &&
    (eventId === null || event.id === eventId) &&
    hasSelectedType(selection, event.type)
  );
}

function hasSelectedType({ eventTypes }: ReplaySelection, type: string): boolean {
  return eventTypes.length === 0 || eventTypes.some((pattern) => matchesEventType(pattern, type));
}

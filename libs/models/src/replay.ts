import type { AttemptTrigger } from './deliveries/attempt.ts';
import type { DeliveryState } from './deliveries/delivery.ts';
import type { JobState } from './job.ts';

/** Many deliveries that are sent again, as a job with progress. */
export interface Replay {
  readonly id: string;
  readonly organisationId: string;
  readonly state: JobState;
  readonly selection: ReplaySelection;
  /** What its attempts are for: `manual` when it is a retry of many deliveries. */
  readonly trigger: Extract<AttemptTrigger, 'replay' | 'manual'>;
  /** How many it sets going in a second at most; null: as many as endpoints take. */
  readonly perSecond: number | null;
  /** It only counts. */
  readonly dryRun: boolean;
  readonly progress: ReplayProgress;
  /** Why it failed, for people. */
  readonly error: string | null;
  /** The id of the key or person that asked for it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** What is sent again: deliveries that are all of this. */
export interface ReplaySelection {
  /** The id of an endpoint; null: of all of them. */
  readonly endpoint: string | null;
  readonly eventId: string | null;
  /** Names or patterns, as endpoints have them; empty: of any type. */
  readonly eventTypes: readonly string[];
  /** Empty together with `includeUnmatched`: of no delivery on record. */
  readonly states: readonly DeliveryState[];
  /** 2 for 2xx, …, of the last attempt. */
  readonly statusClass: number | null;
  /** Of events that were accepted from then on, and before then. */
  readonly since: Date | null;
  readonly until: Date | null;
  /** Created after / before, exclusive. */
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  /** Events too that the endpoint wants as it is now, and has no delivery of. */
  readonly includeUnmatched: boolean;
}

/** What a replay is about when nobody says which states. */
export const replayedStates = ['failed', 'exhausted', 'held'] as const satisfies readonly DeliveryState[];

/** `total` and `remaining` are null until the replay is counted. */
export interface ReplayProgress {
  readonly total: number | null;
  /** Attempts that were set going. */
  readonly done: number;
  /** What could not be sent, and how many for which reason. */
  readonly skipped: number;
  readonly skippedBecause: Readonly<Record<string, number>>;
  /** Of a dry run: what would be sent. */
  readonly remaining: number | null;
  readonly estimatedEndAt: Date | null;
}

import type { JobState } from '@posthorn/models';
import type { Page, PageRequest } from '../deliveries/delivery-store.ts';

/**
 * Long work for an organisation, on record: what is to be done, how far it has come, and who works on it. Adapters:
 * `job-store.sqlite.ts` and `job-store.mongo.ts`; every adapter passes `job-store.contract.ts`.
 *
 *     pending → running → succeeded | failed
 *        └────────┴─────→ cancelled
 *
 * Whoever works on a job holds its lease, as with partitions (lease-store.ts): every change of the owner counts the epoch up, every
 * sign of life the beat, and a candidate watches the beat by its own clock (job-runner.ts). Progress is written only under the epoch
 * that stands, so that what an old owner writes late changes nothing.
 */
export interface JobStore {
  /** True when nobody else can have this store open: the lease of a dead predecessor may be taken at once. */
  readonly isExclusive: boolean;
  /** Puts a job on record, unless there is one with that id; answers the one that is. */
  insert(job: NewJob): Promise<Job>;
  get(organisationId: string, id: string): Promise<Job | null>;
  /** Of one organisation and one kind, newest first. */
  list(filter: JobFilter, page: PageRequest): Promise<Page<Job>>;
  /** How many of an organisation and a kind haven't ended, counted up to `limit`. */
  countOpen(organisationId: string, kind: JobKind, limit: number): Promise<number>;
  /** Organisations with jobs that haven't ended, after `after` in order of id. */
  openOrganisations(after: string, limit: number): Promise<readonly string[]>;
  /** Jobs of an organisation that haven't ended, oldest first. */
  open(organisationId: string, limit: number): Promise<readonly Job[]>;

  /**
   * Takes the lease of a job that hasn't ended, if it is still as it was seen (epoch, beat and owner): it is running from then on.
   * Answers it as it is now, or null when something has changed. Exactly one of several candidates gets it.
   */
  take(seen: Job, owner: string, now: Date): Promise<Job | null>;
  /** Counts up the beats of those whose epoch still stands and that haven't ended; answers their ids. */
  renew(held: readonly JobEpoch[]): Promise<ReadonlySet<string>>;
  /** Gives the lease back while its epoch stands, so that it can be taken at once. */
  giveBack(held: JobEpoch): Promise<void>;
  /**
   * Writes how far a job has come, while its epoch stands, also when it was cancelled meanwhile; answers it as it is now, and null when
   * the epoch stands no longer.
   */
  save(held: JobEpoch, progress: JobProgress): Promise<Job | null>;
  /** Ends a job that is running, while its epoch stands; false when it was cancelled meanwhile or is another's. */
  finish(held: JobEpoch, end: JobEnd): Promise<boolean>;
  /** Cancels a job that hasn't ended; answers it, or null when it has ended or isn't known. Its owner learns it when it saves. */
  cancel(organisationId: string, id: string, now: Date): Promise<Job | null>;

  /** Removes jobs of an organisation and a kind that ended before `before`, at most `limit`; answers how many. */
  sweep(request: JobSweep): Promise<number>;
  /** Organisations that have jobs on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

/** What kinds of work there are; a new one needs its handler in service.ts. */
export const jobKinds = ['replay', 'erasure'] as const;
export type JobKind = (typeof jobKinds)[number];

export interface NewJob {
  /** Begins with its time of creation (ids.ts). */
  readonly id: string;
  readonly organisationId: string;
  readonly kind: JobKind;
  /** What is to be done: JSON text, which only its kind reads. */
  readonly spec: string;
  /** What is known in advance, for example how many there are. */
  readonly counts: JobCounts;
  /** The id of the key or person who asked for it. */
  readonly createdBy: string;
  readonly createdAt: Date;
}

export interface Job extends NewJob, JobLease {
  readonly state: JobState;
  /** From where to go on: the kind's own words; empty at the beginning. */
  readonly cursor: string;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Why it failed, for people. */
  readonly error: string | null;
}

/** What has been counted, by names that the kind gives: `total`, `done`, `skipped`. */
export type JobCounts = Readonly<Record<string, number>>;

export interface JobLease {
  /** Null: nobody has it. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly beat: number;
}

/** A job under the epoch of whoever works on it. */
export interface JobEpoch {
  readonly organisationId: string;
  readonly id: string;
  readonly epoch: number;
}

export interface JobProgress {
  readonly cursor: string;
  readonly counts: JobCounts;
}

export interface JobEnd {
  readonly state: 'succeeded' | 'failed';
  readonly error: string | null;
  readonly at: Date;
}

export interface JobSweep {
  readonly organisationId: string;
  readonly kind: JobKind;
  readonly before: Date;
  readonly limit: number;
}

export interface JobFilter {
  readonly organisationId: string;
  readonly kind: JobKind;
  /** Empty or absent: in any state. */
  readonly states?: readonly JobState[] | undefined;
}

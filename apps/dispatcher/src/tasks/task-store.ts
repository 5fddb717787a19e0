import type { Task, TaskKind } from '@posthorn/models';
import type { SearchPage, SearchResult } from '../deliveries/delivery-search.ts';

/**
 * Tasks on record. Adapters: `task-store.sqlite.ts`; every adapter passes `task-store.contract.ts`. However many processes ask for the
 * same task, one of them begins it.
 */
export interface TaskStore {
  /** Puts a task on record, unless there is one with that id; answers the one that is. */
  insert(task: Task): Promise<Task>;
  /** `pending` → `processing`, for one caller only: true. */
  begin(id: string, begun: { readonly eventId: string; readonly at: Date }): Promise<boolean>;
  /** `processing` → its end; false when it isn't under way (any more). */
  complete(id: string, end: TaskEnd): Promise<boolean>;
  /** Null as organisation: whichever it belongs to. */
  get(organisationId: string | null, id: string): Promise<Task | null>;
  /** Newest first, with the exact total. */
  list(query: TaskQuery): Promise<SearchResult<Task>>;
  /** Tasks that haven't ended, oldest first. */
  unfinished(limit: number): Promise<readonly Task[]>;
  /** Removes tasks of an organisation that are older than `before`, at most `limit`; answers how many. */
  sweep(organisationId: string, before: Date, limit: number): Promise<number>;
  /** Organisations that have tasks on record, after `after` in order of id. */
  organisations(after: string, limit: number): Promise<readonly string[]>;
}

export interface TaskEnd {
  readonly state: 'succeeded' | 'failed';
  /** Why it failed; null when it succeeded. */
  readonly error: string | null;
  readonly at: Date;
}

export interface TaskQuery {
  /** Empty: all organisations. */
  readonly organisationIds: readonly string[];
  /** Empty: any endpoint. */
  readonly endpointIds: readonly string[];
  /** Absent: of any kind. */
  readonly kind?: TaskKind | undefined;
  readonly page: SearchPage;
}

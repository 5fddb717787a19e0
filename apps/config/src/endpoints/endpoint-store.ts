import type { Dialect, Endpoint, EndpointState, Verification } from '@posthorn/models';

/**
 * Endpoints by organisation and id or uid. Every write is in `RevisionStore.changesSince` by the time its promise settles.
 * What is secret comes here sealed: the store sees neither header values nor signing secrets.
 */
export interface EndpointStore {
  /**
   * Gives the endpoint its number, one that no other endpoint of the deployment has or had.
   * `already_exists` when its uid is taken in the organisation, `failed_precondition` when that has `maxPerOrganisation`.
   */
  insert(endpoint: NewEndpoint, maxPerOrganisation: number): Promise<StoredEndpoint>;
  find(organisationId: string, idOrUid: string): Promise<StoredEndpoint | null>;
  /** Newest first: those with a number below `beforeNumber`. */
  list(page: EndpointPage): Promise<readonly StoredEndpoint[]>;
  /** One step through all that match, and how many they are. Read at once, not as of one moment. */
  search(query: EndpointSearch): Promise<FoundEndpoints>;
  /**
   * Endpoints that aren't disabled and whose verification is `pending` and hasn't run out by `now`, in the order of their
   * `verificationId`, which begins with the time at which the round began.
   */
  pendingVerifications(now: Date, limit: number): Promise<readonly StoredEndpoint[]>;
  /**
   * Replaces the endpoint if nobody wrote it since it was read, going by `writes`; answers with what is stored then, or
   * null when somebody did or it is gone. `already_exists` when its uid is taken.
   */
  replace(endpoint: StoredEndpoint): Promise<StoredEndpoint | null>;
  /** Deletes it under the same condition; false when it didn't hold. */
  delete(endpoint: StoredEndpoint): Promise<boolean>;
  /** Whether an endpoint of the organisation, in whatever state, names one of these operational types or patterns. */
  namesAny(organisationId: string, patterns: readonly string[]): Promise<boolean>;
  /** Deletes up to `limit` endpoints of an organisation and says how many. */
  deleteSome(organisationId: string, limit: number): Promise<number>;
}

export interface StoredEndpoint {
  /** With masked header values. */
  readonly endpoint: Endpoint;
  /** Header values and signing secrets, in a box (see endpoint-secrets.ts). */
  readonly sealed: string;
  /** Counts every write, the owner's and our own. */
  readonly writes: number;
}

export interface NewEndpoint {
  readonly endpoint: Omit<Endpoint, 'number'>;
  readonly sealed: string;
}

export interface EndpointPage {
  readonly organisationId: string;
  readonly limit: number;
  readonly beforeNumber: number | null;
  /** Null: in any state. */
  readonly state: EndpointState | null;
  /** Null: of any dialect. */
  readonly dialect: Dialect | null;
}

/** What is searched for: everything that is named must hold; null (or no range) asks for nothing. */
export interface EndpointFilter {
  readonly organisationIds: readonly string[] | null;
  readonly ids: readonly string[] | null;
  readonly dialect: Dialect | null;
  readonly states: readonly EndpointState[] | null;
  readonly verifications: readonly Verification[] | null;
  readonly editionId: string | null;
  readonly createdAfter: TimeBound | null;
  readonly createdBefore: TimeBound | null;
}

export interface TimeBound {
  readonly at: Date;
  /** Whether that very time is in. */
  readonly inclusive: boolean;
}

/**
 * `created`: by id, which begins with the time of creation; `modified`: by `updatedAt`; `name`: by the name's code points. What is
 * equal stands in the order of its id; all of it turned round when `descending`.
 */
export const endpointOrders = ['created', 'modified', 'name'] as const;
export type EndpointOrder = (typeof endpointOrders)[number];

export interface EndpointSearch extends EndpointFilter {
  readonly orderBy: EndpointOrder;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
  /**
   * In the order `created` only: those that stand after this id, or the ones nearest before it (in the order asked for all the
   * same). Nothing needs to have that id (any more).
   */
  readonly beside: { readonly side: 'before' | 'after'; readonly id: string } | null;
}

export interface FoundEndpoints {
  readonly endpoints: readonly StoredEndpoint[];
  /** How many match the filter in all. */
  readonly total: number;
  /** Whether there are more behind these, or further before them when `beside` asks for what is before. */
  readonly hasMore: boolean;
}

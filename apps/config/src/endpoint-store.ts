import type { Endpoint, EndpointState } from '@posthorn/models';

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
  /** The newest endpoint of all organisations. */
  newest(): Promise<StoredEndpoint | null>;
  /** Newest first: those with a number below `beforeNumber`. */
  list(page: EndpointPage): Promise<readonly StoredEndpoint[]>;
  /**
   * Replaces the endpoint if nobody wrote it since it was read, going by `writes`; answers with what is stored then, or
   * null when somebody did or it is gone. `already_exists` when its uid is taken.
   */
  replace(endpoint: StoredEndpoint): Promise<StoredEndpoint | null>;
  /** Deletes it under the same condition; false when it didn't hold. */
  delete(endpoint: StoredEndpoint): Promise<boolean>;
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
}

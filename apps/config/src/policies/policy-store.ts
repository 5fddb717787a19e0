import type { Policy } from '@posthorn/models';

/**
 * Policies by organisation and id or number. Every write is in `RevisionStore.changesSince` by the time its promise settles.
 * The keys that they sign with come here sealed.
 */
export interface PolicyStore {
  /**
   * Gives the policy its number, one that no other policy of the deployment has or had. `already_exists` when its name is
   * taken, by whichever organisation; `failed_precondition` when its own has `maxPerOrganisation`.
   */
  insert(policy: NewPolicy, maxPerOrganisation: number): Promise<StoredPolicy>;
  find(organisationId: string, idOrNumber: string | number): Promise<StoredPolicy | null>;
  /** Whosever it is. */
  findByName(name: string): Promise<StoredPolicy | null>;
  /** Newest first: those with a number below `beforeNumber`. */
  list(page: PolicyPage): Promise<readonly StoredPolicy[]>;
  /**
   * Replaces what may change (algorithm, audience, expiresInMinutes, disabled, updatedAt) if nobody wrote it since it was read,
   * going by `writes`; answers with what is stored then, or null when somebody did or it is gone.
   */
  replace(policy: StoredPolicy): Promise<StoredPolicy | null>;
  /** Deletes up to `limit` policies of an organisation and says how many. */
  deleteSome(organisationId: string, limit: number): Promise<number>;
}

export interface StoredPolicy {
  readonly policy: Policy;
  /** The key that it signs with, in a box (see policy-keys.ts). */
  readonly sealed: string;
  /** Counts every write. */
  readonly writes: number;
}

export interface NewPolicy {
  readonly policy: Omit<Policy, 'number'>;
  readonly sealed: string;
}

export interface PolicyPage {
  readonly organisationId: string;
  readonly limit: number;
  readonly beforeNumber: number | null;
}

import { noUsageLimits, type Organisation } from '@posthorn/models';

/** Organisations by id and by slug. Every write is in `RevisionStore.changesSince` by the time its promise settles. */
export interface OrganisationStore {
  /** `already_exists` when the slug is taken. */
  insert(organisation: Organisation): Promise<void>;
  find(idOrSlug: string): Promise<Organisation | null>;
  /** Newest first: those with an id below `beforeId`. */
  list(page: OrganisationPage): Promise<readonly Organisation[]>;
  /** Replaces the fields that are named, whole; null when there is no such organisation, `already_exists` when the slug is taken. */
  update(id: string, changes: OrganisationChanges): Promise<Organisation | null>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
}

/** Fills in what earlier versions didn't write. */
export function completeOrganisation(stored: Organisation): Organisation {
  return { ...newOrganisationFields, ...stored };
}

const newOrganisationFields = { limits: noUsageLimits } satisfies Partial<Organisation>;

export interface OrganisationPage {
  readonly limit: number;
  readonly beforeId: string | null;
}

export type OrganisationChanges = Partial<Omit<Organisation, 'id' | 'createdAt'>>;

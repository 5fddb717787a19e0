import { DomainError, type Principal } from '@posthorn/models';
import { requireOrganisation } from '@posthorn/rpc';
import type { EndpointStore, StoredEndpoint } from './endpoint-store.ts';

/** Which endpoint a request means, on whose behalf, and which version the caller has seen. */
export interface EndpointTarget {
  readonly principal: Principal;
  readonly organisationId: string;
  /** Its id or its uid. */
  readonly idOrUid: string;
  readonly expectedVersion?: bigint | undefined;
}

/** A change, and who is told of it once it is written; of nothing when nothing had to change. */
export interface EndpointChange extends EndpointTarget {
  readonly onWritten?: (before: StoredEndpoint, after: StoredEndpoint, principal: Principal) => void;
}

/** How often a write is tried again when somebody else wrote in between. */
const maxTries = 10;

/** The endpoint; `not_found` when there is none, or it is another tenant's. */
export async function findEndpoint(store: EndpointStore, target: EndpointTarget): Promise<StoredEndpoint> {
  const { principal, organisationId, idOrUid } = target;
  requireOrganisation(principal, organisationId);
  const stored = await store.find(organisationId, idOrUid);
  if (stored === null) throw new DomainError('not_found', 'There is no such endpoint.');
  requireVersion(stored, target.expectedVersion);
  return stored;
}

/**
 * Reads the endpoint, works out what it should become and writes that; again from the start when somebody else wrote in
 * between, so that no change is lost. `next` answers with the endpoint it got when nothing has to change.
 */
export async function changeEndpoint(
  store: EndpointStore,
  target: EndpointChange,
  next: (stored: StoredEndpoint) => StoredEndpoint | Promise<StoredEndpoint>,
): Promise<StoredEndpoint> {
  for (let tries = 0; tries < maxTries; tries++) {
    const stored = await findEndpoint(store, target);
    const wanted = await next(stored);
    if (wanted === stored) return stored;
    const written = await store.replace(wanted);
    if (written === null) continue;
    target.onWritten?.(stored, written, target.principal);
    return written;
  }
  throw busy();
}

/** Deletes the endpoint in the version that the caller has seen, and answers with what it was. */
export async function deleteEndpoint(store: EndpointStore, target: EndpointTarget): Promise<StoredEndpoint> {
  for (let tries = 0; tries < maxTries; tries++) {
    const stored = await findEndpoint(store, target);
    if (await store.delete(stored)) return stored;
  }
  throw busy();
}

function requireVersion({ endpoint: { version } }: StoredEndpoint, expected: bigint | undefined): void {
  if (expected === undefined || Number(expected) === version) return;
  throw new DomainError('version_conflict', `The endpoint is at version ${version}, not ${expected}.`);
}

function busy(): DomainError {
  return new DomainError('unavailable', 'The endpoint is being changed by many at once; try again.');
}

import { DomainError, holdsScope, type Organisation, type Principal, type Scope } from '@posthorn/models';
import { requireOrganisation } from '@posthorn/rpc';
import type { OrganisationStore } from './organisations/organisation-store.ts';

/**
 * Who may do what, beyond the scopes that the edge has checked already. What belongs to another tenant answers exactly
 * like what doesn't exist.
 */

/** Only operators and our own services: `permission_denied` for keys of an organisation, whatever they ask for. */
export function requireOperator(principal: Principal): void {
  if (principal.organisationId !== null) {
    throw new DomainError('permission_denied', 'Only operators may do this.');
  }
}

/** Only our own services: `permission_denied` for every key. */
export function requireService(principal: Principal): void {
  if (principal.kind !== 'service') {
    throw new DomainError('permission_denied', 'Only services of the platform may do this.');
  }
}

/** The organisation that a request names; `not_found` when it is another tenant's or there is none. */
export async function requireKnownOrganisation(
  organisations: OrganisationStore,
  principal: Principal,
  organisationId: string,
): Promise<Organisation> {
  requireOrganisation(principal, organisationId);
  const organisation = await organisations.find(organisationId);
  if (organisation?.id !== organisationId) throw noSuchOrganisation();
  return organisation;
}

/** The same error for an organisation that isn't there and for one that the caller may not know of. */
export function noSuchOrganisation(): DomainError {
  return new DomainError('not_found', 'There is no such organisation.');
}

/**
 * Nobody gives away what they don't hold: `permission_denied`, naming the scopes that are missing. Nor does a key with limits: its limits
 * would end where another key begins.
 */
export function requireGrantable(principal: Principal, scopes: readonly Scope[]): void {
  const missing = scopes.filter((scope) => !holdsScope(principal.scopes, scope));
  if (missing.length > 0) {
    throw new DomainError(
      'permission_denied',
      `A key can't be given scopes that the caller doesn't hold itself: ${missing.join(', ')}.`,
    );
  }
  if (principal.limits !== undefined && holdsScope(scopes, 'events:write')) {
    throw new DomainError('permission_denied', "A key with limits can't let another key publish.");
  }
}

import { DomainError, type Principal } from '@posthorn/models';
import { requireOrganisation } from '@posthorn/rpc';

/**
 * Lets the principal ask about these organisations; none named means all of them, which only one that belongs to none may ask.
 * Errors: as `requireOrganisation`, and `permission_denied`.
 */
export function requireOrganisations(principal: Principal, organisationIds: readonly string[]): void {
  if (organisationIds.length === 0 && principal.organisationId !== null) {
    throw new DomainError('permission_denied', 'Only an operator may ask about all organisations.');
  }
  for (const organisationId of organisationIds) requireOrganisation(principal, organisationId);
}

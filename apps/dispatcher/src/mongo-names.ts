import { DomainError } from '@posthorn/models';

/**
 * Documents are named after their organisation and their own id: the index of `_id` keeps each tenant's things together
 * and, as ids begin with a time, in order, and nothing can be looked up without its organisation.
 * Ids of organisations have no slash in them, and `0` comes right after it.
 */
export function nameOf(organisationId: string, ...parts: readonly string[]): string {
  return [organisationId, ...parts].join('/');
}

/** All names below one, for example all of an organisation. */
export function namesUnder(name: string): { readonly $gte: string; readonly $lt: string } {
  return { $gte: `${name}/`, $lt: `${name}0` };
}

/** `unavailable`: something was refused because of what can't be read yet. */
export function unavailableYet(what: string): DomainError {
  return new DomainError('unavailable', `${what} can't be read yet.`, { retryAfterMs: 1000 });
}

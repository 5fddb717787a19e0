import { DomainError } from '@posthorn/models';

/** A delivery is in the hands of another partition's owner, from before its endpoint's limits changed. */
export function elsewhere(): DomainError {
  return new DomainError('unavailable', 'The delivery is under way elsewhere; try again.');
}

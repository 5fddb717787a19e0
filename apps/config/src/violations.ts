import { DomainError, type Violation } from '@posthorn/models';

/** Throws `invalid_argument` with all violations; does nothing when there are none. */
export function refuseIfAny(violations: readonly Violation[]): void {
  if (violations.length > 0) throw DomainError.invalid(violations);
}

/** What `read` gives; when it throws `invalid_argument`, its violations are kept for later and `otherwise` is given. */
export function collecting<T>(violations: Violation[], read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'invalid_argument') throw error;
    violations.push(...error.violations);
    return otherwise;
  }
}

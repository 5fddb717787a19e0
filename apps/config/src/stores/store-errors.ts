import { DomainError } from '@posthorn/models';

/** `already_exists`, pointing at the field whose value is in use. */
export function taken(field: string, message: string, cause?: unknown): DomainError {
  return new DomainError('already_exists', message, {
    violations: [{ field, code: 'already_exists', message }],
    cause,
  });
}

/** `failed_precondition`: the organisation has as many of them as it may have. */
export function tooMany(things: string, max: number): DomainError {
  return new DomainError(
    'failed_precondition',
    `The organisation has as many ${things} as it may have (${max}); delete one that isn't needed first.`,
  );
}

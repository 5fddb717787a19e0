import { DomainError } from '@posthorn/models';

/** The field of a message that must be set: throws `invalid_argument` with the field's JSON pointer when it isn't. */
export function required<T>(value: T | undefined, field: string): T {
  if (value === undefined)
    throw DomainError.invalid([{ field, code: 'required', message: 'This must be given.' }]);
  return value;
}

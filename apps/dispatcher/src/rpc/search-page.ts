import { DomainError, type Violation } from '@posthorn/models';

const maxLimit = 1000;

/** The part of a list that a search asks for. Throws `invalid_argument` when a number is out of range. */
export function searchPage<T extends { readonly limit: number; readonly offset: number }>(request: T): T {
  const violations: Violation[] = [];
  const check = (field: string, value: number, max: number): void => {
    if (value >= 0 && value <= max) return;
    violations.push({ field, code: 'out_of_range', message: `This must be from 0 to ${max}.` });
  };
  check('?limit', request.limit, maxLimit);
  check('?offset', request.offset, 2 ** 31 - 1);
  if (violations.length > 0) throw DomainError.invalid(violations);
  return request;
}

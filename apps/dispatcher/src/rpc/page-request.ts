import { DomainError } from '@posthorn/models';
import type { PageRequest } from '../deliveries/delivery-store.ts';

const defaultLimit = 50;
const maxLimit = 250;

/** The page that a list request asks for: 50 by default, 250 at most. Throws `invalid_argument` beyond that. */
export function pageRequest({
  limit,
  cursor,
}: {
  readonly limit: number;
  readonly cursor: string;
}): PageRequest {
  if (limit < 0 || limit > maxLimit) {
    throw DomainError.invalid([
      { field: '?limit', code: 'out_of_range', message: `This must be from 1 to ${maxLimit}.` },
    ]);
  }
  return { limit: limit === 0 ? defaultLimit : limit, cursor };
}

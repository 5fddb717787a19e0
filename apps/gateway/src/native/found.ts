import { DomainError } from '@posthorn/models';

/** The resource of an answer over RPC. A service that has none rejects with `not_found`; an answer without it is a fault. */
export function found<T>(resource: T | undefined): T {
  if (resource === undefined) {
    throw DomainError.from(new Error('An RPC was answered without the resource that it was asked for.'));
  }
  return resource;
}

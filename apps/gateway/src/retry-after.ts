import type { DomainError } from '@posthorn/models';

/** What `unavailable` says when nobody knows better. */
const standardWaitMs = 1_000;

/** Whole seconds that a caller should wait before it tries again; null where trying again isn't a matter of waiting. */
export function retryAfterSeconds(error: DomainError): number | null {
  const waitMs = error.retryAfterMs ?? (error.code === 'unavailable' ? standardWaitMs : undefined);
  return waitMs === undefined ? null : Math.max(1, Math.ceil(waitMs / 1_000));
}

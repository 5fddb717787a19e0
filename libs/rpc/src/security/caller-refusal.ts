/**
 * A service that doesn't know the service that calls it refuses the call. That is a fault of the deployment and never of
 * the one for whom the call is made: an API key isn't wrong because the gateway's certificate is. So the refusal is marked,
 * and arrives at the caller's end as a service that isn't available.
 */
import { DomainError } from '@posthorn/models';

const mark = 'caller_refused';

/** The refusal of a call whose caller isn't a service that may call. */
export function callerRefusal(
  code: 'unauthenticated' | 'permission_denied',
  message: string,
  cause?: unknown,
): DomainError {
  return new DomainError(code, message, {
    violations: [{ field: '', code: mark, message }],
    ...(cause !== undefined && { cause }),
  });
}

/** What a call failed with, as it is handed on at the caller's end. */
export function failureOfCall(error: DomainError): DomainError {
  if (!error.violations.some(({ code }) => code === mark)) return error;
  return new DomainError('unavailable', 'A service that is needed is not available right now.', {
    cause: error,
  });
}

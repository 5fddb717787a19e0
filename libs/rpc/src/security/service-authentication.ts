/**
 * Who may call a service of the platform from within: other services of it, each only those that are meant to. Whoever merely
 * reaches the port may ask for health and nothing else. A service vouches for the principals that it speaks for, but
 * never speaks as another service.
 */
import type { DomainError, Principal } from '@posthorn/models';
import type { Clock, Logger } from '@posthorn/runtime';
import type { CallOrigin } from '../calls/call-origin.ts';
import { callerRefusal } from './caller-refusal.ts';
import { principalFromMetadata } from '../calls/principal.ts';
import type { ServiceName } from '../service-name.ts';
import type { ProvenNames, TransportSecurity } from './transport-security.ts';

/** Tells on whose behalf a call is made; throws or rejects with `unauthenticated` or `permission_denied`. */
export type AuthenticateCall = (origin: CallOrigin) => Principal | Promise<Principal>;

export interface ServiceAuthenticationOptions {
  readonly security: Pick<TransportSecurity, 'isProven' | 'callerOf'>;
  /** The services that may call. */
  readonly callers: readonly ServiceName[];
  /** For calls that prove no service, such as those of producers with an API key; refused when absent. */
  readonly otherwise?: AuthenticateCall;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whoever calls in vain does so again and again: one line in this time is enough. */
const logEveryMs = 10_000;

/** Makes the authentication of a service's server. */
export function createServiceAuthentication(options: ServiceAuthenticationOptions): AuthenticateCall {
  const { security, callers, otherwise, clock, logger } = options;
  let loggedAt = -Infinity;

  /** Says once in a while that somebody calls in vain: a service whose certificate or key isn't ours, most likely. */
  function noted(error: DomainError): DomainError {
    const now = clock.monotonic();
    if (now - loggedAt >= logEveryMs) {
      loggedAt = now;
      logger.warn({ err: error }, 'a call was refused: its caller is no service that may call');
    }
    return error;
  }

  function principalOf(names: ProvenNames, origin: CallOrigin): Principal | Promise<Principal> {
    if (names.length === 0) {
      if (otherwise !== undefined) return otherwise(origin);
      throw noted(callerRefusal('unauthenticated', 'Only services of the platform may call this one.'));
    }
    if (!names.some((name) => callers.includes(name))) {
      throw noted(callerRefusal('permission_denied', `${names.join(', ')} may not call this service.`));
    }
    const principal = principalFromMetadata(origin);
    if (principal.kind === 'service' && !names.some((name) => name === principal.id)) {
      throw noted(
        callerRefusal('permission_denied', `${names.join(', ')} may not speak as ${principal.id}.`),
      );
    }
    return principal;
  }

  if (!security.isProven) return (origin) => believed(origin, otherwise);
  return (origin) => {
    const names = security.callerOf(origin);
    if (!(names instanceof Promise)) return principalOf(names, origin);
    return names.then(
      (proven) => principalOf(proven, origin),
      (error: unknown) => {
        throw noted(
          callerRefusal('unauthenticated', "The proof of the caller's service is not valid.", error),
        );
      },
    );
  };
}

/** Without proof: callers with an API key are held to it, all others are who they say. */
function believed(
  origin: CallOrigin,
  otherwise: AuthenticateCall | undefined,
): Principal | Promise<Principal> {
  return otherwise !== undefined && origin.get('authorization') !== undefined
    ? otherwise(origin)
    : principalFromMetadata(origin);
}

import { dialectRules, type SigningEndpoint } from '@posthorn/models';

/**
 * Whether deliveries may go to an endpoint now, told from the endpoint alone; what someone asks for by hand goes whatever it says.
 * `waits`: they wait as they are, and go on by themselves when it opens. `closed`: they are held until somebody asks for them again.
 * `gone`: there is no such endpoint.
 */
export type Gate =
  | { readonly kind: 'open' }
  | { readonly kind: 'waits'; readonly reason: string; readonly admitsVerification: boolean }
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'gone' };

const open: Gate = { kind: 'open' };
const gone: Gate = { kind: 'gone' };
const disabled: Gate = { kind: 'closed', reason: 'endpoint_disabled' };
const paused: Gate = { kind: 'waits', reason: 'endpoint_paused', admitsVerification: false };
/** It hasn't shown yet that it is a receiver (xurrent): only what asks it to goes out. */
const unverified: Gate = { kind: 'waits', reason: 'endpoint_not_verified', admitsVerification: true };
/** Its test is under way (ricloud), or it has failed it. */
const untested: Gate = { kind: 'waits', reason: 'endpoint_not_valid', admitsVerification: false };
const invalid: Gate = { kind: 'closed', reason: 'endpoint_not_valid' };

export function gateOf(signing: SigningEndpoint | undefined): Gate {
  if (signing === undefined) return gone;
  const { state, verification, dialect } = signing.endpoint;
  if (state === 'disabled') return disabled;
  const { verifiedBy } = dialectRules[dialect];
  if (verifiedBy === 'test' && verification !== 'passed') {
    return verification === 'pending' ? untested : invalid;
  }
  if (state === 'paused') return paused;
  if (verifiedBy === 'callback' && (verification === 'pending' || verification === 'failed')) {
    return unverified;
  }
  return open;
}

export function isOpen(signing: SigningEndpoint | undefined): signing is SigningEndpoint {
  return gateOf(signing).kind === 'open';
}

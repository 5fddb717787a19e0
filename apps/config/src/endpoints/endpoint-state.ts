import { type configV1, endpointStateTable } from '@posthorn/contracts';
import type { Endpoint, EndpointState, Violation } from '@posthorn/models';

/** Whether an endpoint takes deliveries, and why it doesn't. */
export type StateWithReason = Pick<Endpoint, 'state' | 'stateReason'>;

const maxReasonLength = 200;

/** A state that the owner asks for; null when none is named. */
export function stateFrom(state: configV1.EndpointState): StateWithReason | null {
  return state === 0 ? null : stateOf(endpointStateTable.fromMessage(state, '/state'));
}

/** An endpoint that is enabled needs no reason. */
export function stateOf(state: EndpointState, reason = 'manual'): StateWithReason {
  return { state, stateReason: state === 'enabled' ? null : reason };
}

export function checkReason(reason: string): readonly Violation[] {
  if (reason.length <= maxReasonLength) return [];
  const message = `At most ${maxReasonLength} characters are allowed.`;
  return [{ field: '/reason', code: 'too_long', message }];
}

/** Messages as the services answer with them, with something in every field. */
import { attemptToMessage, endpointToMessage, type configV1, type dispatchV1 } from '@posthorn/contracts';
import { defaultEndpointSettings, type Endpoint } from '@posthorn/models';
import { acme } from './fake-services.harness.ts';

export const sampleTime = new Date('2026-01-31T12:00:00.000Z');

const endpoint: Endpoint = {
  ...defaultEndpointSettings,
  id: '01890000-0000-4000-8000-0000000000e1',
  number: 7,
  organisationId: acme.id,
  dialect: 'standard',
  url: 'https://example.com/hooks',
  state: 'enabled',
  stateReason: null,
  verification: 'none',
  verificationId: null,
  verificationExpiresAt: null,
  version: 3,
  createdAt: sampleTime,
  updatedAt: sampleTime,
};

export function sampleEndpoint(changes: Partial<Endpoint> = {}): configV1.Endpoint {
  return endpointToMessage({ ...endpoint, ...changes });
}

export function sampleHealth(changes: Partial<dispatchV1.EndpointHealth> = {}): dispatchV1.EndpointHealth {
  return {
    endpointId: endpoint.id,
    state: 'failing',
    consecutiveFailures: 2,
    failingSince: sampleTime,
    lastSuccessAt: undefined,
    waiting: 5n,
    ...changes,
  };
}

export function sampleAttempt(): dispatchV1.Attempt {
  return attemptToMessage({
    id: '01890000-0000-4000-8000-0000000000a1',
    organisationId: acme.id,
    deliveryId: '01890000-0000-4000-8000-0000000000d1',
    eventId: '01890000-0000-4000-8000-0000000000f1',
    eventType: 'posthorn.test',
    endpointId: endpoint.id,
    number: 1,
    trigger: 'test',
    startedAt: sampleTime,
    durationMs: 12,
    outcome: 'success',
    status: 204,
    error: null,
    response: { headers: { server: 'test' }, body: '', truncated: false },
    address: '192.0.2.1',
    signature: 'v1,xyz',
  });
}

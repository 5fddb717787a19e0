import type { Endpoint } from './endpoint.ts';
import { defaultEndpointSettings } from './endpoint-check.ts';

const at = new Date('2026-01-02T03:04:05.678Z');

/** An endpoint that wants everything, for tests; what a test is about it says itself. */
export function sampleEndpoint(over: Partial<Endpoint> = {}): Endpoint {
  return {
    ...defaultEndpointSettings,
    id: 'e1',
    number: 1,
    organisationId: 'o1',
    dialect: 'standard',
    url: 'https://receiver.example/',
    state: 'enabled',
    stateReason: null,
    verification: 'none',
    verificationId: null,
    verificationExpiresAt: null,
    version: 1,
    createdAt: at,
    updatedAt: at,
    ...over,
  };
}

import {
  defaultEndpointSettings,
  noUsageLimits,
  plainEvent,
  type Endpoint,
  type Event,
  type Organisation,
  type Policy,
  type Secret,
} from '@posthorn/models';
import { sampleDelivery } from '../deliveries/sample-deliveries.ts';
import type { HeaderList, Occasion } from './message.ts';

/** An occasion for tests of what is sent; what a test is about it says itself. */

const at = new Date('2026-01-01T00:00:00.000Z');

export const sampleSecret: Secret = { scheme: 'text', secret: 'top-secret', createdAt: at, expiresAt: null };

export const sampleOrganisation: Organisation = {
  id: '5f0c8a3e-0d4b-4f0e-9d2a-6a3c1b2d4e5f',
  slug: 'wdc',
  name: 'Widget Data Center',
  accountUrl: 'https://wdc.4me.com',
  timeZone: 'UTC',
  branding: { name: null, iconUrl: null, thumbnailUrl: null },
  requireKnownTypes: false,
  defaultRicloudEndpoint: null,
  retention: { payloadDays: 30, metadataDays: 90 },
  limits: noUsageLimits,
  createdAt: at,
  updatedAt: at,
};

export const samplePolicy: Policy = {
  id: 'policy',
  number: 1,
  organisationId: sampleOrganisation.id,
  name: '6f3a5394ff9262be392926386113d684915ed1a956910902c29d0baf',
  algorithm: 'hs256',
  audience: null,
  expiresInMinutes: null,
  publicKeyPem: null,
  disabled: false,
  createdAt: at,
  updatedAt: at,
};

/** Its payload has what parsing and printing would change: white space, an escape, the last digits of a number. */
const event = plainEvent({
  id: '01890a5d-ac96-4774-bcce-b302099a8057',
  organisationId: sampleOrganisation.id,
  type: 'order.paid',
  payload: Buffer.from('{ "id": 12345678901234567890, "total": 12.50, "text": "\\u00e9\\/" }'),
  occurredAt: new Date('2026-03-04T05:06:07.008Z'),
  acceptedAt: new Date('2026-03-04T05:06:08.009Z'),
});

const endpoint: Endpoint = {
  ...defaultEndpointSettings,
  id: 'b4a6b1b0-0000-4000-8000-000000000000',
  number: 7,
  organisationId: sampleOrganisation.id,
  dialect: 'standard',
  url: 'https://receiver.example/hook',
  name: 'My hook',
  state: 'enabled',
  stateReason: null,
  verification: 'none',
  verificationId: null,
  verificationExpiresAt: null,
  signing: [],
  retryDelaysMs: [],
  maxInFlight: 10,
  version: 1,
  createdAt: at,
  updatedAt: at,
};

export interface OccasionChanges extends Partial<Pick<Occasion, 'at' | 'policies'>> {
  readonly event?: Partial<Event>;
  readonly endpoint?: Partial<Endpoint>;
  readonly delivery?: Partial<Occasion['delivery']>;
  readonly organisation?: Partial<Organisation>;
  readonly secrets?: readonly Secret[];
}

export function sampleOccasion(changes: OccasionChanges = {}): Occasion {
  const published = { ...event, ...changes.event };
  return {
    event: published,
    delivery: sampleDelivery(published, endpoint.id, changes.delivery),
    target: {
      endpoint: { ...endpoint, ...changes.endpoint },
      secrets: changes.secrets ?? [sampleSecret],
      verificationCallbackPath: null,
    },
    organisation: { ...sampleOrganisation, ...changes.organisation },
    policies: changes.policies ?? new Map(),
    at: changes.at ?? new Date(1_700_000_000_999),
  };
}

/** Headers by name as they are sent; fails when a name comes twice. */
export function headerRecord(list: HeaderList): Record<string, string> {
  const names = list.filter((_, index) => index % 2 === 0);
  if (new Set(names.map((name) => name.toLowerCase())).size !== names.length) {
    throw new Error(`a header comes twice: ${names.join(', ')}`);
  }
  return Object.fromEntries(names.map((name, index) => [name, list[index * 2 + 1] ?? '']));
}

import { createHash } from 'node:crypto';
import {
  defaultEndpointSettings,
  noPublishLimits,
  noUsageLimits,
  type ApiKey,
  type Endpoint,
  type EventType,
  type Organisation,
  type Policy,
} from '@posthorn/models';
import type { NewEndpoint } from '../endpoints/endpoint-store.ts';
import type { StoredKey } from '../keys/key-store.ts';
import type { NewPolicy } from '../policies/policy-store.ts';

/** Resources for tests: valid, told apart by a number; what a test is about it says itself. */

const sampleTime = new Date('2026-01-01T00:00:00.000Z');

/** Ids that sort by their number. */
export function sampleId(number: number): string {
  return `01900000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

export function sampleOrganisation(number: number, over: Partial<Organisation> = {}): Organisation {
  return {
    id: sampleId(number),
    slug: `organisation-${number}`,
    name: `Organisation ${number}`,
    accountUrl: null,
    timeZone: 'UTC',
    branding: { name: null, iconUrl: null, thumbnailUrl: null },
    requireKnownTypes: false,
    defaultRicloudEndpoint: null,
    retention: { payloadDays: 30, metadataDays: 90 },
    limits: noUsageLimits,
    createdAt: sampleTime,
    updatedAt: sampleTime,
    ...over,
  };
}

export function sampleKey(number: number, over: Partial<ApiKey> = {}): StoredKey {
  const key: ApiKey = {
    id: sampleId(number),
    name: `Key ${number}`,
    prefix: 'phk_abcdef',
    scopes: ['events:write'],
    organisationId: sampleId(1),
    routesTo: null,
    endpointId: null,
    limits: noPublishLimits,
    expiresAt: null,
    lastUsedAt: null,
    createdAt: sampleTime,
    ...over,
  };
  return { key, tokenSha256: createHash('sha256').update(`token ${number}`).digest() };
}

export function sampleEventType(name: string, over: Partial<EventType> = {}): EventType {
  return {
    organisationId: sampleId(1),
    name,
    description: '',
    schemaJson: null,
    enforcement: 'off',
    retired: false,
    createdAt: sampleTime,
    updatedAt: sampleTime,
    ...over,
  };
}

export function sampleEndpoint(number: number, over: Partial<Omit<Endpoint, 'number'>> = {}): NewEndpoint {
  return {
    endpoint: {
      ...defaultEndpointSettings,
      id: sampleId(number),
      organisationId: sampleId(1),
      dialect: 'standard',
      url: `https://receiver.example/${number}`,
      state: 'enabled',
      stateReason: null,
      verification: 'none',
      verificationId: null,
      verificationExpiresAt: null,
      retryDelaysMs: [5000],
      maxInFlight: 10,
      metadata: { createdAt: 'text that reads like a field of ours' },
      version: 1,
      createdAt: sampleTime,
      updatedAt: sampleTime,
      ...over,
    },
    sealed: `sealed ${number}`,
  };
}

export function samplePolicy(number: number, over: Partial<Omit<Policy, 'number'>> = {}): NewPolicy {
  return {
    policy: {
      id: sampleId(number),
      organisationId: sampleId(1),
      name: `policy-${number}`,
      algorithm: 'hs256',
      audience: null,
      expiresInMinutes: null,
      publicKeyPem: null,
      disabled: false,
      createdAt: sampleTime,
      updatedAt: sampleTime,
      ...over,
    },
    sealed: `sealed ${number}`,
  };
}

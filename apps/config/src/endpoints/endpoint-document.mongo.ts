import { isOperationalEventType, type Endpoint } from '@posthorn/models';
import type { IndexDefinition } from '@posthorn/mongo';
import { decodeResource, encodeResource, type ResourceDocument } from '../stores/document.mongo.ts';
import type { StoredEndpoint } from './endpoint-store.ts';
import { placeIndex, type PlacedDocument } from '../stores/places.mongo.ts';

/** An endpoint with what it is looked up and searched by; its times are in `times`. */
export interface EndpointDocument extends ResourceDocument, PlacedDocument {
  readonly organisationId: string;
  readonly number: number;
  /** Absent when it has none, so that it isn't in the index of uids. */
  readonly uid?: string;
  readonly sealed: string;
  readonly name: string;
  readonly dialect: string;
  readonly state: string;
  readonly verification: string;
  readonly verificationId: string | null;
  readonly editionId: string | null;
  /** Its event types and patterns that are those of operational events. */
  readonly operationalTypes: readonly string[];
}

export const endpointIndexes: readonly IndexDefinition[] = [
  {
    name: 'by_uid',
    key: { organisationId: 1, uid: 1 },
    unique: true,
    partialFilterExpression: { uid: { $exists: true } },
  },
  { name: 'by_number', key: { number: -1 }, unique: true },
  { name: 'by_organisation', key: { organisationId: 1, number: -1, state: 1, dialect: 1 } },
  { name: 'by_dialect', key: { organisationId: 1, dialect: 1, _id: 1 } },
  { name: 'by_dialect_anywhere', key: { dialect: 1, _id: 1 } },
  {
    name: 'unverified',
    key: { verificationId: 1 },
    partialFilterExpression: { verification: 'pending' },
  },
  { name: 'operational', key: { organisationId: 1, operationalTypes: 1 } },
  placeIndex,
];

/** All fields that follow the endpoint, whoever wrote it. */
export function toEndpointFields(endpoint: Endpoint) {
  const { name, dialect, state, verification, verificationId, editionId } = endpoint;
  const operationalTypes = endpoint.eventTypes?.filter(isOperationalEventType) ?? [];
  return {
    name,
    dialect,
    state,
    verification,
    verificationId,
    editionId,
    operationalTypes,
    ...encodeResource(endpoint),
  };
}

export function toStoredEndpoint(found: EndpointDocument): StoredEndpoint {
  // What was written before there were rate limits says nothing of one.
  const decoded = decodeResource<Omit<Endpoint, 'rateLimit'> & Partial<Pick<Endpoint, 'rateLimit'>>>(found);
  const endpoint: Endpoint = { ...decoded, rateLimit: decoded.rateLimit ?? null };
  return { endpoint, sealed: found.sealed, writes: found.writes };
}

import type { Violation } from '@posthorn/models';
import type { EndpointStore } from './endpoint-store.ts';

/** A ricloud endpoint that another resource names, by its id or uid, in one of its fields. */
export interface NamedEndpoint {
  /** Its id; null when none is named, or what is named isn't there. */
  readonly id: string | null;
  readonly violations: readonly Violation[];
}

/**
 * Looks up the one ricloud endpoint that is to get an organisation's events. One that is deleted later goes on being named, and is
 * then as good as none.
 */
export async function findRicloudEndpoint(
  endpoints: EndpointStore,
  {
    organisationId,
    idOrUid,
    field,
  }: {
    readonly organisationId: string | null;
    readonly idOrUid: string | null;
    readonly field: string;
  },
): Promise<NamedEndpoint> {
  if (idOrUid === null) return { id: null, violations: [] };
  const stored = organisationId === null ? null : await endpoints.find(organisationId, idOrUid);
  if (stored?.endpoint.dialect === 'ricloud') return { id: stored.endpoint.id, violations: [] };
  const message = 'The organisation has no such endpoint of the dialect ricloud.';
  return { id: null, violations: [{ field, code: 'not_found', message }] };
}

/** Looks up the endpoint whose feed a key is to read. */
export async function findFeedEndpoint(
  endpoints: EndpointStore,
  organisationId: string | null,
  idOrUid: string | null,
): Promise<NamedEndpoint> {
  if (idOrUid === null) return { id: null, violations: [] };
  const stored = organisationId === null ? null : await endpoints.find(organisationId, idOrUid);
  if (stored !== null) return { id: stored.endpoint.id, violations: [] };
  const message = 'The organisation has no such endpoint.';
  return { id: null, violations: [{ field: '/endpoint', code: 'not_found', message }] };
}

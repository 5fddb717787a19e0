import type { PublishLimits } from '../organisations/usage-limits.ts';

/** An API key as it is stored: the token itself is shown once and only its hash is kept. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The first characters of the token, to recognise it by. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** Null for an operator key. */
  readonly organisationId: string | null;
  /** The one ricloud endpoint of the organisation that gets what this key publishes; null: the organisation's default. */
  readonly routesTo: string | null;
  /** The one endpoint of the organisation whose feed it may read, and nothing else: with the scope `feed:read` alone. Null for other keys. */
  readonly endpointId: string | null;
  /** Of what is published with it, beside those of the organisation. */
  readonly limits: PublishLimits;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

export const scopes = [
  'organisations:read',
  'organisations:write',
  'keys:read',
  'keys:write',
  'event-types:read',
  'event-types:write',
  'endpoints:read',
  'endpoints:write',
  'events:read',
  'events:write',
  'deliveries:read',
  'deliveries:write',
  'audit:read',
  'feed:read',
  '*',
] as const;

export type Scope = (typeof scopes)[number];

/** Who is calling: travels with every RPC. */
export interface Principal {
  /**
   * `key`: an API key of a tenant or an operator; `token`: the same with a token of the OIDC issuer; `service`: one of our own
   * services on its own behalf.
   */
  readonly kind: 'key' | 'token' | 'service';
  /** The key's id, the token's subject, or the service's name. */
  readonly id: string;
  /** What the key is called, for people who read of what it did; absent where nobody gave a name. */
  readonly name?: string;
  /** Null for operators and services: they may act for any organisation. */
  readonly organisationId: string | null;
  readonly scopes: readonly Scope[];
  /** `ApiKey.routesTo` of the key; absent like null. */
  readonly routesTo?: string | null;
  /** `ApiKey.endpointId` of the key; absent like null. */
  readonly endpointId?: string | null;
  /** `ApiKey.limits` of the key where it has any. */
  readonly limits?: PublishLimits;
}

/** One of our own services, on its own behalf. */
export function servicePrincipal(id: string): Principal {
  return { kind: 'service', id, organisationId: null, scopes: ['*'] };
}

/**
 * Whether the scopes that are held cover the one that is needed: `*` covers all, `x:write` includes `x:read`, and reading deliveries
 * includes the feeds of endpoints.
 */
export function holdsScope(held: readonly Scope[], needed: Scope): boolean {
  return (
    held.includes('*') ||
    held.includes(needed) ||
    (needed.endsWith(':read') && held.includes(needed.replace(/:read$/, ':write') as Scope)) ||
    (needed === 'feed:read' && holdsScope(held, 'deliveries:read'))
  );
}

/** Whether the caller may read the feed of this endpoint: every one of its organisation, or the one that its key names. */
export function mayReadFeed(principal: Principal, endpointId: string): boolean {
  return holdsScope(principal.scopes, 'deliveries:read') || principal.endpointId === endpointId;
}

import {
  DomainError,
  noPublishLimits,
  scopes,
  type Principal,
  type PublishLimits,
  type Scope,
} from '@posthorn/models';

/** Reads one value of a call's metadata, by lower-case name. */
export type GetMetadata = (name: string) => string | undefined;

/** The metadata entry that carries the principal between services. */
export const principalKey = 'x-posthorn-principal';

/** The principal as a metadata value: JSON as base64url, since names needn't be ASCII. */
export function encodePrincipal(principal: Principal): string {
  return Buffer.from(JSON.stringify(principal)).toString('base64url');
}

/**
 * The principal that the caller states, believed as it is: who the caller is has been proven (service-authentication.ts),
 * or nothing but our own services reaches the listener. Throws `unauthenticated` when it is missing or malformed.
 */
export function principalFromMetadata({ get }: { readonly get: GetMetadata }): Principal {
  const value = get(principalKey);
  if (value === undefined) throw new DomainError('unauthenticated', 'The call names no principal.');
  const principal = parsePrincipal(Buffer.from(value, 'base64url').toString());
  if (principal === undefined) throw new DomainError('unauthenticated', 'The principal is malformed.');
  return principal;
}

/**
 * Lets the principal act for this organisation only if it is its own, or if the principal belongs to none. Throws `not_found`
 * otherwise: another tenant's organisation answers exactly like an unknown one.
 */
export function requireOrganisation(principal: Principal, organisationId: string): void {
  if (principal.organisationId !== null && principal.organisationId !== organisationId)
    throw new DomainError('not_found', 'There is no such organisation.');
}

function parsePrincipal(json: string): Principal | undefined {
  const value = parseJson(json);
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    kind,
    id,
    name,
    organisationId,
    scopes: held,
    routesTo,
    endpointId,
    limits,
  } = value as Partial<Record<keyof Principal, unknown>>;
  if (kind !== 'key' && kind !== 'token' && kind !== 'service') return undefined;
  if (typeof id !== 'string' || !Array.isArray(held)) return undefined;
  if (organisationId !== null && typeof organisationId !== 'string') return undefined;
  if (routesTo !== undefined && routesTo !== null && typeof routesTo !== 'string') return undefined;
  if (endpointId !== undefined && endpointId !== null && typeof endpointId !== 'string') return undefined;
  if (limits !== undefined && !isPublishLimits(limits)) return undefined;
  // A scope of a newer version gives no rights that this version knows of.
  return {
    kind,
    id,
    organisationId,
    scopes: held.filter(isScope),
    ...(typeof name === 'string' && { name }),
    ...(routesTo !== undefined && { routesTo }),
    ...(endpointId !== undefined && { endpointId }),
    ...(limits !== undefined && { limits }),
  };
}

function isPublishLimits(value: unknown): value is PublishLimits {
  if (typeof value !== 'object' || value === null) return false;
  const limits = value as Readonly<Record<string, unknown>>;
  return Object.keys(noPublishLimits).every(
    (name) => limits[name] === null || typeof limits[name] === 'number',
  );
}

function isScope(value: unknown): value is Scope {
  return scopes.some((scope) => scope === value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { DomainError, scopes, type ApiKey, type Scope } from '@posthorn/models';
import type * as configV1 from './config-v1.ts';
import { publishLimitsFromMessage, publishLimitsToMessage } from './limits-message.ts';
import { required } from './required.ts';

/** The key as a message. */
export function apiKeyToMessage(key: ApiKey): configV1.ApiKey {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    organisationId: key.organisationId ?? undefined,
    expiresAt: key.expiresAt ?? undefined,
    lastUsedAt: key.lastUsedAt ?? undefined,
    createdAt: key.createdAt,
    routesTo: key.routesTo ?? undefined,
    endpointId: key.endpointId ?? undefined,
    limits: publishLimitsToMessage(key.limits),
  };
}

/** The key of a message that shows a stored one. Throws `invalid_argument` for an unknown scope or a missing time. */
export function apiKeyFromMessage(message: configV1.ApiKey): ApiKey {
  return {
    id: message.id,
    name: message.name,
    prefix: message.prefix,
    scopes: scopesFromMessage(message.scopes),
    organisationId: message.organisationId ?? null,
    routesTo: message.routesTo ?? null,
    endpointId: message.endpointId ?? null,
    limits: publishLimitsFromMessage(message.limits),
    expiresAt: message.expiresAt ?? null,
    lastUsedAt: message.lastUsedAt ?? null,
    createdAt: required(message.createdAt, '/createdAt'),
  };
}

/** The scopes by their names. Throws `invalid_argument` with every unknown one. */
export function scopesFromMessage(names: readonly string[]): Scope[] {
  const violations = names.flatMap((name, index) =>
    isScope(name)
      ? []
      : [
          {
            field: `/scopes/${index}`,
            code: 'unknown_value',
            message: `This must be one of ${scopes.join(', ')}.`,
          },
        ],
  );
  if (violations.length > 0) throw DomainError.invalid(violations);
  return names.filter(isScope);
}

function isScope(name: string): name is Scope {
  return (scopes as readonly string[]).includes(name);
}

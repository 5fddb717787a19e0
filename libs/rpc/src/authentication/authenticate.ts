/**
 * Who is calling: `Authorization: Bearer <key>`, or a token of the OIDC issuer, to a principal. Only the hash of a key leaves this
 * file. A revoked key is refused within 5 s; while the config service is away, keys and tokens seen in the last 15 minutes
 * keep working, tokens until they expire.
 */
import { hash } from 'node:crypto';
import { publishLimitsFromMessage, type configV1 } from '@posthorn/contracts';
import { DomainError, limitsPublishing, type Principal, type Scope } from '@posthorn/models';
import { createLookupCache, type Clock, type LookupCache } from '@posthorn/runtime';
import type { Client } from '../calls/client.ts';
import {
  foreignToken,
  tokenExpired,
  type TokenAuthentication,
  type VerifiedToken,
} from './token-authentication.ts';

/** Finds the principal of an `Authorization` header; at once for a key that was seen a moment ago. Throws or rejects with `unauthenticated`. */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

/** A key has the same to it as a token. */
type KnownKey = VerifiedToken;

const maxKeyLength = 1_024;
const bearer = /^Bearer +([\x21-\x7e]{1,8192}) *$/i;

/** The timing of the cache: together well under the 5 s in which a revocation must be seen everywhere. */
const refreshAfterMs = 1_500;
const maxAgeMs = 3_000;
const lookupDeadlineMs = 1_500;
const keepMs = 15 * 60_000;
const unknownMs = 1_000;
const maxKeys = 10_000;
/** Fewer than keys: what they are found by is the token itself, of up to 8 KiB. */
const maxTokens = 1_000;

export interface AuthenticateOptions {
  readonly keys: Client<typeof configV1.KeyServiceService>;
  /** On whose behalf keys are looked up: the service at whose edge the caller stands. */
  readonly principal: Principal;
  /** Takes tokens of an OIDC issuer as well. */
  readonly tokens?: TokenAuthentication | undefined;
  readonly clock: Clock;
}

/** Makes the look-up of an edge; it keeps what it found. */
export function createAuthenticate({ keys, principal, tokens, clock }: AuthenticateOptions): Authenticate {
  const timing = {
    clock,
    unknownCode: 'unauthenticated',
    refreshAfterMs,
    maxAgeMs,
    keepMs,
    unknownMs,
  } as const;
  const known = createLookupCache<KnownKey>({
    ...timing,
    maxEntries: maxKeys,
    load: async (digest) => {
      const { key } = await keys.authenticate(
        { tokenSha256: Buffer.from(digest, 'base64') },
        { principal, deadlineMs: lookupDeadlineMs },
      );
      if (key === undefined) throw invalidKey();
      const limits = publishLimitsFromMessage(key.limits);
      return {
        principal: {
          kind: 'key',
          id: key.id,
          ...(key.name !== '' && { name: key.name }),
          organisationId: key.organisationId ?? null,
          scopes: key.scopes as Scope[],
          ...(key.routesTo !== undefined && { routesTo: key.routesTo }),
          ...(key.endpointId !== undefined && { endpointId: key.endpointId }),
          ...(limitsPublishing(limits) && { limits }),
        },
        expiresAtMs: key.expiresAt?.getTime() ?? Infinity,
      };
    },
  });

  const verified: LookupCache<VerifiedToken> | null =
    tokens === undefined
      ? null
      : createLookupCache({ ...timing, maxEntries: maxTokens, load: (token) => tokens.verify(token) });

  function unlessExpired({ principal: found, expiresAtMs }: KnownKey): Principal {
    if (clock.now() < expiresAtMs) return found;
    throw found.kind === 'token'
      ? tokenExpired()
      : new DomainError('unauthenticated', 'The API key has expired.');
  }

  return (authorization) => {
    if (authorization === undefined) {
      throw new DomainError('unauthenticated', 'Send an API key as "Authorization: Bearer <key>".');
    }
    const token = bearer.exec(authorization)?.[1];
    const form = token === undefined ? 'key' : (tokens?.formOf(token) ?? 'key');
    if (token === undefined || (form === 'key' && token.length > maxKeyLength)) {
      throw new DomainError('unauthenticated', 'The Authorization header is not "Bearer <key>".');
    }
    if (verified !== null && form === 'ours') {
      const found = verified.get(token);
      return found instanceof Promise ? found.then(unlessExpired, rethrowOfToken) : unlessExpired(found);
    }
    const key = known.get(hash('sha256', token, 'base64'));
    if (!(key instanceof Promise)) return unlessExpired(key);
    // A customer's own key, set verbatim, may have the form of a token: only what is no key is a foreign token.
    return key.then(unlessExpired, form === 'foreign' ? rethrowOfForeign : rethrow);
  };
}

function rethrowOfToken(error: unknown): never {
  const { code } = DomainError.from(error);
  if (code === 'unauthenticated' || code === 'unavailable') throw error;
  throw new DomainError('unavailable', 'Tokens cannot be checked at the moment; try again soon.', {
    cause: error,
    retryAfterMs: 1_000,
  });
}

function rethrowOfForeign(error: unknown): never {
  if (DomainError.from(error).code === 'unauthenticated') throw foreignToken();
  rethrow(error);
}

function rethrow(error: unknown): never {
  const { code } = DomainError.from(error);
  if (code === 'unauthenticated') throw invalidKey();
  throw new DomainError('unavailable', 'API keys cannot be checked at the moment; try again soon.', {
    cause: error,
    retryAfterMs: 1_000,
  });
}

function invalidKey(): DomainError {
  return new DomainError('unauthenticated', 'The API key is not valid.');
}

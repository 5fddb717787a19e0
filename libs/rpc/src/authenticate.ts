/**
 * Who is calling: `Authorization: Bearer <key>` to a principal. Only the hash of a key leaves this file.
 * A revoked key is refused within 5 s; while the config service is away, keys seen in the last 15 minutes keep working.
 */
import { hash } from 'node:crypto';
import type { configV1 } from '@posthorn/contracts';
import { DomainError, type Principal, type Scope } from '@posthorn/models';
import { createLookupCache, type Clock } from '@posthorn/runtime';
import type { Client } from './client.ts';

/** Finds the principal of an `Authorization` header; at once for a key that was seen a moment ago. Throws or rejects with `unauthenticated`. */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

interface KnownKey {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

const bearer = /^Bearer +([\x21-\x7e]{1,1024}) *$/i;

/** The timing of the cache: together well under the 5 s in which a revocation must be seen everywhere. */
const refreshAfterMs = 1_500;
const maxAgeMs = 3_000;
const lookupDeadlineMs = 1_500;
const keepMs = 15 * 60_000;

export interface AuthenticateOptions {
  readonly keys: Client<typeof configV1.KeyServiceService>;
  /** On whose behalf keys are looked up: the service at whose edge the caller stands. */
  readonly principal: Principal;
  readonly clock: Clock;
}

/** Makes the look-up of an edge; it keeps what it found. */
export function createAuthenticate({ keys, principal, clock }: AuthenticateOptions): Authenticate {
  const cache = createLookupCache<KnownKey>({
    clock,
    unknownCode: 'unauthenticated',
    refreshAfterMs,
    maxAgeMs,
    keepMs,
    unknownMs: 1_000,
    maxEntries: 10_000,
    load: async (digest) => {
      const { key } = await keys.authenticate(
        { tokenSha256: Buffer.from(digest, 'base64') },
        { principal, deadlineMs: lookupDeadlineMs },
      );
      if (key === undefined) throw invalidKey();
      return {
        principal: {
          kind: 'key',
          id: key.id,
          organisationId: key.organisationId ?? null,
          scopes: key.scopes as Scope[],
          ...(key.routesTo !== undefined && { routesTo: key.routesTo }),
        },
        expiresAtMs: key.expiresAt?.getTime() ?? Infinity,
      };
    },
  });

  function unlessExpired(key: KnownKey): Principal {
    if (clock.now() >= key.expiresAtMs) throw new DomainError('unauthenticated', 'The API key has expired.');
    return key.principal;
  }

  return (authorization) => {
    if (authorization === undefined) {
      throw new DomainError('unauthenticated', 'Send an API key as "Authorization: Bearer <key>".');
    }
    const token = bearer.exec(authorization)?.[1];
    if (token === undefined) {
      throw new DomainError('unauthenticated', 'The Authorization header is not "Bearer <key>".');
    }
    const key = cache.get(hash('sha256', token, 'base64'));
    return key instanceof Promise ? key.then(unlessExpired, rethrow) : unlessExpired(key);
  };
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

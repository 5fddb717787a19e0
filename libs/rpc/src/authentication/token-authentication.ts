/**
 * Tokens of an OIDC issuer as principals. A token is ours when it has the form of a JWT and says that our issuer made it; only
 * then is anything verified, and only what could be signed in an allowed way makes us fetch keys. What a refusal says
 * is which of its claims doesn't fit, never what would.
 */
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import { DomainError, scopes, type Principal } from '@posthorn/models';
import type { Clock, OidcSettings } from '@posthorn/runtime';

export interface TokenAuthenticationOptions {
  readonly settings: OidcSettings;
  /** The issuer's keys; see issuer-keys.ts. */
  readonly keys: JWTVerifyGetKey;
  /** The id of the organisation with that id or slug; rejects with `not_found`. */
  readonly findOrganisation: (idOrSlug: string) => Promise<string>;
  readonly clock: Clock;
}

/** Whom a token speaks for, and until when. */
export interface VerifiedToken {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

export interface TokenAuthentication {
  /** How the token wants to be checked: as a JWT of our issuer, as one of somebody else's (most likely), or as an API key. */
  formOf(token: string): 'ours' | 'foreign' | 'key';
  /** Rejects with `unauthenticated`, or with `unavailable` when the keys or the organisation can't be looked up. */
  verify(token: string): Promise<VerifiedToken>;
}

const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const maxSubjectLength = 255;

export function createTokenAuthentication(options: TokenAuthenticationOptions): TokenAuthentication {
  const { settings, keys, findOrganisation, clock } = options;
  const { issuer, audience, organisationClaim, scopesClaim, operatorScope, clockToleranceMs } = settings;
  const algorithms: readonly string[] = settings.algorithms;

  async function principalOf(payload: JWTPayload): Promise<Principal> {
    const id: unknown = payload.sub;
    if (typeof id !== 'string' || id === '' || id.length > maxSubjectLength)
      throw refused('names no subject');
    const named = claimOf(payload, organisationClaim);
    const held = wordsOf(claimOf(payload, scopesClaim));
    const known = scopes.filter((scope) => held.includes(scope));
    if (named !== undefined) {
      if (typeof named !== 'string' || named === '')
        throw refused('names its organisation in no readable way');
      return { kind: 'token', id, organisationId: await organisationOf(named), scopes: known };
    }
    if (operatorScope === null || !held.includes(operatorScope)) throw refused('names no organisation');
    return { kind: 'token', id, organisationId: null, scopes: known };
  }

  async function organisationOf(named: string): Promise<string> {
    try {
      return await findOrganisation(named);
    } catch (error) {
      const { code } = DomainError.from(error);
      if (code === 'not_found' || code === 'invalid_argument')
        throw refused('is for an organisation that is not here');
      throw error;
    }
  }

  return {
    formOf(token) {
      if (!jwtForm.test(token)) return 'key';
      try {
        decodeProtectedHeader(token);
        return decodeJwt(token).iss === issuer ? 'ours' : 'foreign';
      } catch {
        return 'key';
      }
    },

    async verify(token) {
      if (!algorithms.includes(decodeProtectedHeader(token).alg ?? '')) throw algorithmRefused();
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience: [...audience],
          algorithms: [...algorithms],
          clockTolerance: clockToleranceMs / 1_000,
          currentDate: new Date(clock.now()),
          requiredClaims: ['exp'],
        });
        // `exp` is required above.
        const expiresAtMs = (payload.exp ?? 0) * 1_000 + clockToleranceMs;
        return { principal: await principalOf(payload), expiresAtMs };
      } catch (error) {
        throw error instanceof DomainError ? error : refusalOf(error);
      }
    },
  };
}

/** A claim of the token itself, whatever its name: not one that objects have by nature. */
function claimOf(payload: JWTPayload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

function wordsOf(claim: unknown): readonly unknown[] {
  if (Array.isArray(claim)) return claim;
  return typeof claim === 'string' ? claim.split(' ') : [];
}

/** What jose found wrong, in words that are for everyone. */
function refusalOf(error: unknown): DomainError {
  if (error instanceof errors.JWTExpired) return tokenExpired();
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefused(error);
  if (error instanceof errors.JOSEAlgNotAllowed) return algorithmRefused();
  if (error instanceof errors.JWKSNoMatchingKey)
    return refused('is signed with a key that its issuer does not publish', error);
  if (error instanceof errors.JOSEError) return refused('has a signature that cannot be verified', error);
  return DomainError.from(error);
}

function claimRefused(error: errors.JWTClaimValidationFailed): DomainError {
  switch (error.claim) {
    case 'aud':
      return refused('is for another audience', error);
    case 'iss':
      return refused('is of another issuer', error);
    case 'nbf':
      return refused('is not valid yet', error);
    case 'exp':
      return refused('says in no readable way when it expires', error);
    default:
      return refused('has a claim that is not valid', error);
  }
}

function algorithmRefused(): DomainError {
  return refused('is signed with an algorithm that is not accepted');
}

/** The refusal of a token that was good once. */
export function tokenExpired(): DomainError {
  return refused('has expired');
}

/** The refusal of a token that our issuer didn't make. */
export function foreignToken(): DomainError {
  return refused('is of another issuer');
}

function refused(what: string, cause?: unknown): DomainError {
  return new DomainError('unauthenticated', `The token ${what}.`, { cause });
}

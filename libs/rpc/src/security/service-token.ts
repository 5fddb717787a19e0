/**
 * Signed service tokens, for where TLS is somebody else's job (a mesh): a JWT (RFC 7519) that says which service calls
 * (`iss`) and which one is meant (`aud`), signed with HS256 under a key that all services share, good for five minutes.
 * A token may be used again within its time, so its way must not be readable by others; it never says for whom the call is.
 */
import { SignJWT, errors, jwtVerify } from 'jose';
import type { Clock, Logger, Timer } from '@posthorn/runtime';
import { serviceNamed, type ServiceName } from '../service-name.ts';

/** The metadata entry that carries the token. */
export const serviceTokenKey = 'x-posthorn-service-token';

const algorithm = 'HS256';
const lifetimeSeconds = 300;
/** By how much the clocks of two machines may differ. */
const toleranceSeconds = 30;
const renewAfterMs = (lifetimeSeconds * 1000) / 2;
/** Each caller has one token at a time, and two while it renews it. */
const maxRemembered = 256;

/** A token that is always good: it is renewed at half its life. */
export interface TokenSource {
  readonly current: string;
  close(): void;
}

export interface TokenSourceOptions {
  /** 32 bytes or more. */
  readonly key: Uint8Array;
  readonly issuer: ServiceName;
  readonly audience: ServiceName;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes tokens for calls from one service to another. */
export async function createTokenSource(options: TokenSourceOptions): Promise<TokenSource> {
  const { key, issuer, audience, clock, logger } = options;
  let timer: Timer | undefined;
  let closed = false;

  function sign(): Promise<string> {
    const now = Math.floor(clock.now() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: algorithm })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(key);
  }

  async function renew(): Promise<void> {
    try {
      current = await sign();
    } catch (error) {
      logger.error({ err: error, audience }, 'a service token could not be signed');
    }
    schedule();
  }

  function schedule(): void {
    if (closed) return;
    timer = clock.setTimeout(() => void renew(), renewAfterMs);
    timer.unref();
  }

  let current = await sign();
  schedule();
  return {
    get current() {
      return current;
    },
    close() {
      closed = true;
      clock.clearTimeout(timer);
    },
  };
}

/** Tells which service a token is from; at once for one that was seen before. Throws or rejects when it isn't valid. */
export type VerifyToken = (token: string) => ServiceName | Promise<ServiceName>;

export interface TokenVerifierOptions {
  /** Any of them may have signed. */
  readonly keys: readonly Uint8Array[];
  readonly audience: ServiceName;
  readonly clock: Clock;
}

/** Makes the check of a service for the tokens that it is called with. */
export function createTokenVerifier({ keys, audience, clock }: TokenVerifierOptions): VerifyToken {
  const verified = new Map<string, { readonly issuer: ServiceName; readonly expiresAtMs: number }>();

  async function verify(token: string): Promise<ServiceName> {
    let failure: unknown;
    for (const key of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          audience,
          clockTolerance: toleranceSeconds,
          currentDate: new Date(clock.now()),
          requiredClaims: ['iss', 'aud', 'iat', 'exp'],
          maxTokenAge: lifetimeSeconds,
        });
        const issuer = serviceNamed(payload.iss);
        if (issuer === undefined) throw new Error(`${payload.iss} is no service of the platform`);
        remember(token, issuer, Number(payload.exp));
        return issuer;
      } catch (error) {
        failure = error;
        // Only another key could make a difference.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw new Error('the service token is not valid', { cause: failure });
  }

  function remember(token: string, issuer: ServiceName, expiresAtSeconds: number): void {
    const [oldest] = verified.keys();
    if (verified.size >= maxRemembered && oldest !== undefined) verified.delete(oldest);
    verified.set(token, { issuer, expiresAtMs: (expiresAtSeconds + toleranceSeconds) * 1000 });
  }

  return (token) => {
    const known = verified.get(token);
    if (known !== undefined && clock.now() < known.expiresAtMs) return known.issuer;
    verified.delete(token);
    return verify(token);
  };
}

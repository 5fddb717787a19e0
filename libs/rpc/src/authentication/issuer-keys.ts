/**
 * The public keys of an OIDC issuer. They are fetched when the first token wants one, again in the background when they are ten
 * minutes old, and again for a key that isn't among them, so that a rotation is noticed with the first token that it
 * signs. Ids that are made up cause one fetch in ten seconds. While the issuer is away what is known goes on working, for a day.
 *
 * Not `createRemoteJWKSet` of jose, which has a clock of its own and forgets its keys when it can't renew them.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { DomainError } from '@posthorn/models';
import { isTrustworthyUrl, type Clock, type Logger, type OidcSettings } from '@posthorn/runtime';

export interface IssuerKeysOptions {
  readonly settings: Pick<OidcSettings, 'issuer' | 'jwksUrl'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const refreshAfterMs = 10 * 60_000;
const keepMs = 24 * 3_600_000;
const cooldownMs = 10_000;
const fetchTimeoutMs = 5_000;
const maxBytes = 512 * 1024;

/** Makes the look-up that jose asks for a key. It rejects with `unavailable` when no keys can be had, else as jose does. */
export function createIssuerKeys({ settings, clock, logger }: IssuerKeysOptions): JWTVerifyGetKey {
  let known: { readonly find: JWTVerifyGetKey; readonly fetchedAt: number } | null = null;
  let askedAt = -Infinity;
  let loading: Promise<void> | null = null;

  async function load(): Promise<void> {
    try {
      const url = settings.jwksUrl ?? (await discover(settings.issuer));
      const keys = (await fetchJson(url)) as Partial<JSONWebKeySet>;
      // Throws for anything that isn't a set of keys.
      known = { find: createLocalJWKSet(keys as JSONWebKeySet), fetchedAt: clock.monotonic() };
    } catch (error) {
      logger.warn({ err: error, issuer: settings.issuer }, "the OIDC issuer's keys can't be fetched");
      throw error;
    } finally {
      loading = null;
    }
  }

  /** One fetch at a time, which all who ask meanwhile share; none within the cooldown. */
  function refresh(): Promise<void> | null {
    if (loading !== null) return loading;
    const now = clock.monotonic();
    if (now - askedAt < cooldownMs) return null;
    askedAt = now;
    return (loading = load());
  }

  async function current(): Promise<JWTVerifyGetKey> {
    const age = known === null ? Infinity : clock.monotonic() - known.fetchedAt;
    if (known !== null && age < keepMs) {
      if (age >= refreshAfterMs) refresh()?.catch(() => undefined);
      return known.find;
    }
    try {
      await refresh();
    } catch (error) {
      throw keysAway(error);
    }
    if (known === null || clock.monotonic() - known.fetchedAt >= keepMs) throw keysAway();
    return known.find;
  }

  return async (header, token) => {
    const find = await current();
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const renewed = refresh();
      if (renewed === null) throw error;
      // An issuer that is away says nothing new about its keys.
      await renewed.catch(() => undefined);
      return (await current())(header, token);
    }
  };
}

function keysAway(cause?: unknown): DomainError {
  return new DomainError('unavailable', "The issuer's keys cannot be had at the moment; try again soon.", {
    cause,
    retryAfterMs: 1_000,
  });
}

/** OpenID Connect Discovery 1.0, section 4: the document has to be the issuer's own. */
async function discover(issuer: string): Promise<string> {
  const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: named, jwks_uri: url } = document as { readonly issuer?: unknown; jwks_uri?: unknown };
  if (named !== issuer) throw new Error(`The discovery document is of another issuer: ${String(named)}`);
  if (typeof url !== 'string' || !isTrustworthyUrl(url)) {
    throw new Error(`The discovery document names no place for keys that can be trusted: ${String(url)}`);
  }
  return url;
}

async function fetchJson(url: string): Promise<object> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}.`);
  }
  const parsed: unknown = JSON.parse(await boundedText(response));
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${url} answers with no JSON object.`);
  return parsed;
}

async function boundedText({ body, url }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`${url} answers with more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

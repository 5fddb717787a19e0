import {
  DomainError,
  type Secret,
  type SecretScheme,
  type SignatureScheme,
  type Violation,
} from '@posthorn/models';
import { checkSecret, generateSecret } from '@posthorn/signing';

/**
 * The rules for an endpoint's signing secrets. Each scheme that signs has exactly one current secret (no expiry) and,
 * during rotations, older ones that sign beside it until they expire. Secrets of a scheme that was switched off are
 * kept, sign nothing and aren't shown: switching it on again doesn't break the receivers. Newest first throughout.
 */

export const defaultOverlapMs = 24 * 60 * 60 * 1000;
export const maxOverlapMs = 30 * 24 * 60 * 60 * 1000;
/** Secrets of one scheme that sign side by side; each adds a signature to every request. */
export const maxLiveSecrets = 10;

export interface SecretSource {
  readonly now: Date;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface Rotation {
  /** The owner's own secret; null: a new one is made for each scheme that signs. */
  readonly given: string | null;
  /** No older secret of a scheme that gets a new one signs for longer than this. */
  readonly overlapMs: number;
}

/** The scheme that a secret is for, by its prefix. */
function schemeOf(secret: string): SignatureScheme {
  return secret.startsWith('whsk_') ? 'v1a' : 'v1';
}

/** Adds a secret for each scheme that signs and has none, `given` for its own scheme, and drops what has expired. */
export function completeSecrets(
  secrets: readonly Secret[],
  signing: readonly SignatureScheme[],
  { now, randomBytes }: SecretSource,
  given: string | null = null,
): readonly Secret[] {
  const kept = unexpired(secrets, now);
  const missing = signing.filter((scheme) => !kept.some((secret) => secret.scheme === scheme));
  const added = missing.map((scheme) =>
    newSecret(
      scheme,
      given !== null && schemeOf(given) === scheme ? given : generateSecret(scheme, randomBytes),
      now,
    ),
  );
  return [...added, ...kept];
}

/**
 * Puts new secrets in front. Older ones of the same scheme go on signing for the overlap, or for what is left of theirs
 * if that is less; an overlap of 0 ends them at once. `failed_precondition` when too many would sign side by side.
 */
export function rotateSecrets(
  secrets: readonly Secret[],
  signing: readonly SignatureScheme[],
  { given, overlapMs }: Rotation,
  { now, randomBytes }: SecretSource,
): readonly Secret[] {
  const schemes: readonly SignatureScheme[] = given === null ? signing : [schemeOf(given)];
  const latestEnd = new Date(now.getTime() + overlapMs);
  const older = secrets.map((secret) =>
    includes(schemes, secret.scheme) && (secret.expiresAt === null || secret.expiresAt > latestEnd)
      ? { ...secret, expiresAt: latestEnd }
      : secret,
  );
  const added = schemes.map((scheme) => newSecret(scheme, given ?? generateSecret(scheme, randomBytes), now));
  const next = [...added, ...unexpired(older, now)];
  if (schemes.some((scheme) => countOf(next, scheme) > maxLiveSecrets)) {
    throw new DomainError(
      'failed_precondition',
      `${maxLiveSecrets} secrets are signing side by side already; rotate with a shorter overlap, or wait until one has expired.`,
    );
  }
  return next;
}

/** The secrets that sign now. */
export function liveSecrets(
  secrets: readonly Secret[],
  signing: readonly SignatureScheme[],
  now: Date,
): readonly Secret[] {
  return unexpired(secrets, now).filter(({ scheme }) => includes(signing, scheme));
}

/** What is wrong with a rotation. */
export function checkRotation(
  { given, overlapMs }: Rotation,
  secrets: readonly Secret[],
  signing: readonly SignatureScheme[],
): readonly Violation[] {
  const violations: Violation[] = [];
  if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > maxOverlapMs) {
    const message = `must be an integer from 0 to ${maxOverlapMs} (30 days)`;
    violations.push({ field: '/overlapMs', code: 'out_of_range', message });
  }
  if (given !== null) violations.push(...checkGivenSecret(given, signing));
  if (secrets.some(({ secret }) => secret === given)) {
    const message = 'must be new: it is one of the present secrets';
    violations.push({ field: '/secret', code: 'not_new', message });
  }
  return violations;
}

/** What is wrong with a secret that an owner brings along. */
export function checkGivenSecret(given: string, signing: readonly SignatureScheme[]): readonly Violation[] {
  const scheme = schemeOf(given);
  const violations = checkSecret(given, scheme);
  if (violations.length > 0 || signing.includes(scheme)) return violations;
  const message = `is for ${scheme}, but the endpoint signs with ${signing.join(' and ')} only`;
  return [{ field: '/secret', code: 'scheme_off', message }];
}

function unexpired(secrets: readonly Secret[], now: Date): Secret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

function includes(schemes: readonly SecretScheme[], scheme: SecretScheme): boolean {
  return schemes.includes(scheme);
}

function countOf(secrets: readonly Secret[], scheme: SignatureScheme): number {
  return secrets.filter((secret) => secret.scheme === scheme).length;
}

function newSecret(scheme: SignatureScheme, secret: string, now: Date): Secret {
  return { scheme, secret, createdAt: now, expiresAt: null };
}

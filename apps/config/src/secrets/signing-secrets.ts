import {
  dialectRules,
  DomainError,
  type Dialect,
  type Endpoint,
  type Secret,
  type SecretScheme,
  type Violation,
} from '@posthorn/models';
import { checkSecret, generateSecret } from '@posthorn/signing';
import { checkTextSecret, generateTextSecret } from './text-secrets.ts';

/**
 * The rules for an endpoint's signing secrets. Each scheme that signs has exactly one current secret (no expiry) and,
 * during rotations, older ones that sign beside it until they expire, where the dialect can have that. Secrets of a scheme that was switched off are
 * kept, sign nothing and aren't shown: switching it on again doesn't break the receivers. Newest first throughout.
 */

/** Of the secrets of Standard Webhooks; a secret of another form is replaced at once unless its owner says otherwise. */
export const defaultOverlapMs = 24 * 60 * 60 * 1000;
export const maxOverlapMs = 30 * 24 * 60 * 60 * 1000;
/** Secrets of one scheme that sign side by side; each adds a signature to every request. */
export const maxLiveSecrets = 10;

export interface SecretSource {
  readonly dialect: Dialect;
  readonly now: Date;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface Rotation {
  /** The owner's own secret; null: a new one is made for each scheme that signs. */
  readonly given: string | null;
  /** No older secret of a scheme that gets a new one signs for longer than this. */
  readonly overlapMs: number;
}

/** The schemes that sign for an endpoint by a secret of its own. */
export function secretSchemesOf({
  dialect,
  signing,
}: Pick<Endpoint, 'dialect' | 'signing'>): readonly SecretScheme[] {
  switch (dialectRules[dialect].signedWith) {
    case 'standard_secrets':
      return signing;
    case 'text_secret':
      return ['text'];
    case 'policy':
      return [];
  }
}

/** How long older secrets sign beside a new one when nobody says. */
export function defaultOverlapOf(dialect: Dialect): number {
  return dialectRules[dialect].signedWith === 'standard_secrets' ? defaultOverlapMs : 0;
}

/** The scheme that a secret is for: what a text is where texts sign, else by its prefix. */
function schemeOf(secret: string, signing: readonly SecretScheme[]): SecretScheme {
  if (signing.includes('text')) return 'text';
  return secret.startsWith('whsk_') ? 'v1a' : 'v1';
}

function generate(scheme: SecretScheme, { dialect, randomBytes }: SecretSource): string {
  return scheme === 'text' ? generateTextSecret(dialect, randomBytes) : generateSecret(scheme, randomBytes);
}

/** Adds a secret for each scheme that signs and has none, `given` for its own scheme, and drops what has expired. */
export function completeSecrets(
  secrets: readonly Secret[],
  signing: readonly SecretScheme[],
  source: SecretSource,
  given: string | null = null,
): readonly Secret[] {
  const { now } = source;
  const kept = unexpired(secrets, now);
  const missing = signing.filter((scheme) => !kept.some((secret) => secret.scheme === scheme));
  const added = missing.map((scheme) =>
    newSecret(
      scheme,
      given !== null && schemeOf(given, signing) === scheme ? given : generate(scheme, source),
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
  signing: readonly SecretScheme[],
  { given, overlapMs }: Rotation,
  source: SecretSource,
): readonly Secret[] {
  const { now } = source;
  const schemes = given === null ? signing : [schemeOf(given, signing)];
  const latestEnd = new Date(now.getTime() + overlapMs);
  const older = secrets.map((secret) =>
    schemes.includes(secret.scheme) && (secret.expiresAt === null || secret.expiresAt > latestEnd)
      ? { ...secret, expiresAt: latestEnd }
      : secret,
  );
  const added = schemes.map((scheme) => newSecret(scheme, given ?? generate(scheme, source), now));
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
  signing: readonly SecretScheme[],
  now: Date,
): readonly Secret[] {
  return unexpired(secrets, now).filter(({ scheme }) => signing.includes(scheme));
}

/** What is wrong with a rotation. */
export function checkRotation(
  { given, overlapMs }: Rotation,
  secrets: readonly Secret[],
  { dialect, signing }: Pick<Endpoint, 'dialect' | 'signing'>,
): readonly Violation[] {
  const violations: Violation[] = [];
  const schemes = secretSchemesOf({ dialect, signing });
  if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > maxOverlapMs) {
    const message = `This must be a whole number from 0 to ${maxOverlapMs} (30 days).`;
    violations.push({ field: '/overlapMs', code: 'out_of_range', message });
  } else if (overlapMs > 0 && !dialectRules[dialect].canSecretsOverlap) {
    const message = `This must be 0: an endpoint of the dialect ${dialect} signs with one secret at a time.`;
    violations.push({ field: '/overlapMs', code: 'out_of_range', message });
  }
  if (given !== null) violations.push(...checkGivenSecret(given, schemes));
  if (secrets.some(({ secret }) => secret === given)) {
    const message = 'This must be new: it is one of the present secrets.';
    violations.push({ field: '/secret', code: 'not_new', message });
  }
  return violations;
}

/** What is wrong with a secret that an owner brings along. */
export function checkGivenSecret(given: string, signing: readonly SecretScheme[]): readonly Violation[] {
  if (signing.length === 0) {
    return [
      {
        field: '/secret',
        code: 'scheme_off',
        message: 'This must be left out: a policy signs, not a secret.',
      },
    ];
  }
  const scheme = schemeOf(given, signing);
  const violations = scheme === 'text' ? checkTextSecret(given) : checkSecret(given, scheme);
  if (violations.length > 0 || signing.includes(scheme)) return violations;
  const message = `This is for ${scheme}, but the endpoint signs with ${signing.join(' and ')} only.`;
  return [{ field: '/secret', code: 'scheme_off', message }];
}

function unexpired(secrets: readonly Secret[], now: Date): Secret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
}

function countOf(secrets: readonly Secret[], scheme: SecretScheme): number {
  return secrets.filter((secret) => secret.scheme === scheme).length;
}

function newSecret(scheme: SecretScheme, secret: string, now: Date): Secret {
  return { scheme, secret, createdAt: now, expiresAt: null };
}

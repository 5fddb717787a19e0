import { scopes, type ApiKey } from './api-key.ts';
import type { Violation } from '../errors.ts';
import { checkCount, checkForm, checkText } from '../field-check.ts';
import { pointerTo } from '../json/json-pointer.ts';
import { checkUsageLimits } from '../organisations/usage-limits-check.ts';

/** What bounds an API key's fields. Lengths are in characters. */
export const apiKeyLimits = {
  nameLength: 255,
  scopes: scopes.length,
  /** For tokens that an operator sets verbatim. */
  minTokenLength: 16,
  maxTokenLength: 512,
} as const;

/** What may be written of a key; `token` is what an operator wants it to be. */
export interface ApiKeySettings extends Pick<ApiKey, 'name' | 'expiresAt' | 'limits'> {
  /** As they came: not yet known to be scopes. */
  readonly scopes: readonly string[];
  readonly token: string | null;
}

/** Everything that is wrong with those settings that are given. */
export function checkApiKey(settings: Partial<ApiKeySettings>, now: Date): readonly Violation[] {
  const { name, scopes: wanted, expiresAt, token, limits } = settings;
  const { nameLength: maxLength } = apiKeyLimits;
  return [
    ...(name === undefined ? [] : checkText(name, '/name', { minLength: 1, maxLength })),
    ...(wanted === undefined ? [] : checkScopes(wanted)),
    ...(expiresAt === undefined || expiresAt === null ? [] : checkExpiry(expiresAt, now)),
    ...(token === undefined || token === null ? [] : checkToken(token)),
    ...(limits === undefined ? [] : checkUsageLimits(limits)),
  ];
}

function checkScopes(wanted: readonly string[]): readonly Violation[] {
  const field = '/scopes';
  const known: readonly string[] = scopes;
  return [
    ...checkCount(wanted.length, field, { min: 1, max: apiKeyLimits.scopes }),
    ...wanted.flatMap((scope, index) => {
      if (known.includes(scope)) return [];
      const message = `There is no such scope; there are ${scopes.join(', ')}.`;
      return [{ field: pointerTo(field, index), code: 'invalid_value', message }];
    }),
  ];
}

function checkExpiry(expiresAt: Date, now: Date): readonly Violation[] {
  // An invalid date is later than nothing.
  if (expiresAt.getTime() > now.getTime()) return [];
  return [{ field: '/expiresAt', code: 'out_of_range', message: 'A time in the future is wanted.' }];
}

/** A token travels in a header, and is all that stands between a stranger and the data. */
function checkToken(token: string): readonly Violation[] {
  const { minTokenLength: minLength, maxTokenLength: maxLength } = apiKeyLimits;
  const violations = checkText(token, '/token', { minLength, maxLength });
  if (violations.length > 0) return violations;
  return checkForm(token, '/token', /^[\x21-\x7e]+$/, 'A token is printable ASCII without spaces.');
}

/** What is wrong with the scopes of a key together with the endpoint that it names. Both as they will be. */
export function checkFeedKey(
  scopes: readonly string[],
  endpoint: string | null | undefined,
): readonly Violation[] {
  const readsFeed = scopes.includes('feed:read');
  if (endpoint === null || endpoint === undefined) {
    const message = 'A key with the scope feed:read names the endpoint whose feed it may read.';
    return readsFeed ? [{ field: '/endpoint', code: 'required', message }] : [];
  }
  if (readsFeed && scopes.length === 1) return [];
  const message = 'A key that names an endpoint has the scope feed:read, and no other.';
  return [{ field: '/scopes', code: 'conflict', message }];
}

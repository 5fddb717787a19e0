import type { Violation } from '../errors.ts';
import { checkForm, checkInteger, checkText, checkWebUrl } from '../field-check.ts';
import { isId } from '../ids.ts';
import type { Branding, Organisation, Retention } from './organisation.ts';
import { checkUsageLimits } from './usage-limits-check.ts';

/** What bounds an organisation's fields. Lengths are in characters. */
export const organisationLimits = {
  slugLength: 63,
  /** As the source of a regular expression. */
  slugPattern: '^[a-z0-9-]{1,63}$',
  nameLength: 255,
  urlLength: 2048,
  timeZoneLength: 64,
  minRetentionDays: 1,
  maxRetentionDays: 3650,
} as const;

/** What an operator may write of an organisation. */
export type OrganisationSettings = Pick<
  Organisation,
  | 'slug'
  | 'name'
  | 'accountUrl'
  | 'timeZone'
  | 'branding'
  | 'requireKnownTypes'
  | 'defaultRicloudEndpoint'
  | 'retention'
  | 'limits'
>;

/** Everything that is wrong with those settings that are given; which endpoints there are is for the caller to ask. */
export function checkOrganisation(settings: Partial<OrganisationSettings>): readonly Violation[] {
  const { slug, name, accountUrl, timeZone, branding, retention, limits } = settings;
  const { nameLength: maxLength } = organisationLimits;
  return [
    ...(slug === undefined ? [] : checkSlug(slug)),
    ...(name === undefined ? [] : checkText(name, '/name', { minLength: 1, maxLength })),
    ...checkOptionalUrl(accountUrl, '/accountUrl'),
    ...(timeZone === undefined ? [] : checkTimeZone(timeZone)),
    ...(branding === undefined ? [] : checkBranding(branding)),
    ...(retention === undefined ? [] : checkRetention(retention)),
    ...(limits === undefined ? [] : checkUsageLimits(limits)),
  ];
}

/** An organisation is found by its id or its slug in the same place, so a slug must not look like an id. */
function checkSlug(slug: string): readonly Violation[] {
  if (isId(slug)) {
    return [{ field: '/slug', code: 'reserved', message: "This form is kept for ids; it can't be a slug." }];
  }
  const rule = `A slug is 1 to ${organisationLimits.slugLength} lower-case letters, digits or "-".`;
  return checkForm(slug, '/slug', slugForm, rule);
}

const slugForm = new RegExp(organisationLimits.slugPattern);

function checkTimeZone(timeZone: string): readonly Violation[] {
  const field = '/timeZone';
  const message = 'The IANA name of a time zone is wanted, such as "UTC" or "Europe/Amsterdam".';
  const refused = [{ field, code: 'invalid_value', message }];
  // Intl takes offsets such as "+01:00" too, and walks through any length.
  if (timeZone.length > organisationLimits.timeZoneLength || !/^[A-Za-z]/.test(timeZone)) return refused;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return [];
  } catch {
    return refused;
  }
}

function checkBranding({ name, iconUrl, thumbnailUrl }: Branding): readonly Violation[] {
  const { nameLength: maxLength } = organisationLimits;
  return [
    ...(name === null ? [] : checkText(name, '/branding/name', { minLength: 1, maxLength })),
    ...checkOptionalUrl(iconUrl, '/branding/iconUrl'),
    ...checkOptionalUrl(thumbnailUrl, '/branding/thumbnailUrl'),
  ];
}

function checkOptionalUrl(url: string | null | undefined, field: string): readonly Violation[] {
  return url === null || url === undefined ? [] : checkWebUrl(url, field, organisationLimits.urlLength);
}

function checkRetention({ payloadDays, metadataDays }: Retention): readonly Violation[] {
  const { minRetentionDays: min, maxRetentionDays: max } = organisationLimits;
  const violations = [
    ...checkInteger(payloadDays, '/retention/payloadDays', { min, max }),
    ...checkInteger(metadataDays, '/retention/metadataDays', { min, max }),
  ];
  if (violations.length > 0 || metadataDays >= payloadDays) return violations;
  const message = 'Deliveries and attempts are kept at least as long as payloads (payloadDays).';
  return [{ field: '/retention/metadataDays', code: 'out_of_range', message }];
}

import { checkOrganisation, type OrganisationSettings } from './organisation-check.ts';
import { noUsageLimits } from './usage-limits.ts';

const check = (settings: Partial<OrganisationSettings>): readonly (readonly [string, string])[] =>
  checkOrganisation(settings).map(({ field, code }) => [field, code]);

const branding = { name: null, iconUrl: null, thumbnailUrl: null };

describe('checkOrganisation', () => {
  it('accepts what is well', () => {
    expect(
      check({
        slug: 'a'.repeat(63),
        name: 'Ærø & Sons',
        accountUrl: 'https://example.com/',
        timeZone: 'Europe/Amsterdam',
        branding: { name: 'Ærø', iconUrl: 'https://example.com/i.png', thumbnailUrl: null },
        requireKnownTypes: true,
        retention: { payloadDays: 1, metadataDays: 3650 },
        limits: { ...noUsageLimits, publishesPerSecond: 100 },
      }),
    ).toEqual([]);
    expect(check({ timeZone: 'UTC', accountUrl: null, slug: '-0' })).toEqual([]);
    expect(check({})).toEqual([]);
  });

  it.each<readonly [Partial<OrganisationSettings>, string, string]>([
    [{ slug: '' }, '/slug', 'invalid_format'],
    [{ slug: 'Acme' }, '/slug', 'invalid_format'],
    [{ slug: 'a_b' }, '/slug', 'invalid_format'],
    [{ slug: 'a'.repeat(64) }, '/slug', 'invalid_format'],
    [{ slug: '01942513-fb0e-4fff-bfff-ffffffffffff' }, '/slug', 'reserved'],
    [{ name: '' }, '/name', 'too_short'],
    [{ accountUrl: 'javascript:alert(1)' }, '/accountUrl', 'invalid_format'],
    [{ timeZone: '' }, '/timeZone', 'invalid_value'],
    [{ timeZone: 'Mars/Olympus' }, '/timeZone', 'invalid_value'],
    [{ timeZone: '+01:00' }, '/timeZone', 'invalid_value'],
    [{ branding: { ...branding, name: '' } }, '/branding/name', 'too_short'],
    [{ branding: { ...branding, iconUrl: 'x' } }, '/branding/iconUrl', 'invalid_format'],
    [{ branding: { ...branding, thumbnailUrl: 'x' } }, '/branding/thumbnailUrl', 'invalid_format'],
    [{ retention: { payloadDays: 0, metadataDays: 90 } }, '/retention/payloadDays', 'out_of_range'],
    [{ retention: { payloadDays: 1, metadataDays: 3651 } }, '/retention/metadataDays', 'out_of_range'],
    [{ limits: { ...noUsageLimits, endpoints: -1 } }, '/limits/endpoints', 'out_of_range'],
    [{ retention: { payloadDays: 31, metadataDays: 30 } }, '/retention/metadataDays', 'out_of_range'],
  ])('refuses %j', (settings, field, code) => {
    expect(check(settings)).toEqual([[field, code]]);
  });
});

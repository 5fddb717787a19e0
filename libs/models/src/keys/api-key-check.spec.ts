import { scopes } from './api-key.ts';
import { apiKeyLimits, checkApiKey, checkFeedKey, type ApiKeySettings } from './api-key-check.ts';

const now = new Date('2025-06-15T12:00:00Z');
const check = (settings: Partial<ApiKeySettings>): readonly (readonly [string, string])[] =>
  checkApiKey(settings, now).map(({ field, code }) => [field, code]);

describe('checkApiKey', () => {
  it('accepts what is well', () => {
    const expiresAt = new Date(now.getTime() + 1);
    expect(check({ name: 'CI', scopes, expiresAt, token: 'the-token-that-they-had-before' })).toEqual([]);
    expect(check({ expiresAt: null, token: null })).toEqual([]);
    expect(check({})).toEqual([]);
  });

  it.each<readonly [Partial<ApiKeySettings>, string, string]>([
    [{ name: '' }, '/name', 'too_short'],
    [{ name: 'a'.repeat(256) }, '/name', 'too_long'],
    [{ scopes: [] }, '/scopes', 'too_few'],
    [{ scopes: ['events:write', 'events'] }, '/scopes/1', 'invalid_value'],
    [{ scopes: new Array<string>(scopes.length + 1).fill('*') }, '/scopes', 'too_many'],
    [{ expiresAt: now }, '/expiresAt', 'out_of_range'],
    [{ expiresAt: new Date(Number.NaN) }, '/expiresAt', 'out_of_range'],
    [{ token: 'short' }, '/token', 'too_short'],
    [{ token: 'a'.repeat(apiKeyLimits.maxTokenLength + 1) }, '/token', 'too_long'],
    [{ token: 'sixteen or more, but spaces' }, '/token', 'invalid_format'],
    [{ token: 'sixteen-or-more-é' }, '/token', 'invalid_format'],
    [{ token: 'sixteen-or-more\n' }, '/token', 'invalid_format'],
  ])('refuses %j', (settings, field, code) => {
    expect(check(settings)).toEqual([[field, code]]);
  });
});

describe('checkFeedKey', () => {
  const check = (...input: Parameters<typeof checkFeedKey>): readonly string[] =>
    checkFeedKey(...input).map(({ field, code }) => `${field} ${code}`);

  it('wants an endpoint with the scope feed:read, and nothing but that scope with an endpoint', () => {
    expect(check(['feed:read'], 'shop')).toEqual([]);
    expect(check(['events:write'], null)).toEqual([]);
    expect(check(['*'], undefined)).toEqual([]);
    expect(check(['feed:read'], undefined)).toEqual(['/endpoint required']);
    expect(check(['events:write', 'feed:read'], null)).toEqual(['/endpoint required']);
    expect(check(['feed:read', 'events:write'], 'shop')).toEqual(['/scopes conflict']);
    expect(check(['*'], 'shop')).toEqual(['/scopes conflict']);
  });
});

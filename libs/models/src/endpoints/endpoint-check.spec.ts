import { createAllowList } from '../addresses/cidr.ts';
import { dialectRules, dialects, type Dialect } from '../dialect.ts';
import type { EndpointSettings } from './endpoint.ts';
import {
  checkEndpoint,
  defaultEndpointSettings,
  defaultEndpointSettingsOf,
  endpointLimits,
} from './endpoint-check.ts';

const policy = { requireHttps: false, allow: createAllowList([]) };
type Found = readonly (readonly [field: string, code: string])[];
const check = (settings: Partial<EndpointSettings>, dialect: Dialect = 'standard'): Found =>
  checkEndpoint(settings, policy, dialect).map(({ field, code }) => [field, code]);

describe('checkEndpoint', () => {
  it('accepts the defaults with any public URL, and nothing at all', () => {
    expect(check({ ...defaultEndpointSettings, url: 'https://example.com/hooks' })).toEqual([]);
    expect(check({})).toEqual([]);
  });

  it('accepts settings at their bounds', () => {
    const labels = Object.fromEntries(
      Array.from({ length: endpointLimits.labels }, (_, i) => [
        `key ${i}`,
        Array.from({ length: endpointLimits.labelValues }, () => 'v'.repeat(endpointLimits.labelValueLength)),
      ]),
    );
    const metadata = Object.fromEntries(
      Array.from({ length: endpointLimits.metadata }, (_, i) => [`k${i}`, 'v\n'.repeat(250)]),
    );
    expect(
      check({
        uid: 'a'.repeat(endpointLimits.uidLength),
        name: 'é'.repeat(endpointLimits.nameLength),
        description: 'line\n'.repeat(200),
        eventTypes: Array.from({ length: endpointLimits.eventTypes }, (_, i) => `order.t${i}.*`),
        labels,
        filterJson: '{"amount":{"$gt":100}}',
        signing: ['v1', 'v1a'],
        headers: { 'X-A': 'b' },
        timeoutMs: endpointLimits.maxTimeoutMs,
        retryDelaysMs: new Array<number>(endpointLimits.retryDelays).fill(endpointLimits.maxRetryDelayMs),
        maxInFlight: endpointLimits.maxInFlight,
        metadata,
      }),
    ).toEqual([]);
    expect(check({ retryDelaysMs: [], timeoutMs: endpointLimits.minTimeoutMs, maxInFlight: 1 })).toEqual([]);
  });

  it.each<readonly [Partial<EndpointSettings>, string, string]>([
    [{ url: 'http://127.0.0.1/' }, '/url', 'address_not_public'],
    [{ uid: '' }, '/uid', 'invalid_format'],
    [{ uid: 'a/b' }, '/uid', 'invalid_format'],
    [{ uid: 'a'.repeat(129) }, '/uid', 'invalid_format'],
    [{ uid: '..' }, '/uid', 'reserved'],
    [{ uid: '.' }, '/uid', 'reserved'],
    [{ uid: '01942513-fb0e-4fff-bfff-ffffffffffff' }, '/uid', 'reserved'],
    [{ uid: '01942513-FB0E-4FFF-BFFF-FFFFFFFFFFFF' }, '/uid', 'reserved'],
    [{ name: 'a'.repeat(256) }, '/name', 'too_long'],
    [{ name: 'a\nb' }, '/name', 'invalid_format'],
    [{ description: 'a'.repeat(1001) }, '/description', 'too_long'],
    [{ eventTypes: [] }, '/eventTypes', 'too_few'],
    [{ eventTypes: ['a', 'b c'] }, '/eventTypes/1', 'invalid_format'],
    [{ eventTypes: new Array<string>(101).fill('a') }, '/eventTypes', 'too_many'],
    [{ labels: { region: [] } }, '/labels/region', 'too_few'],
    [{ labels: { '': ['a'] } }, '/labels/', 'too_short'],
    [{ labels: { ['__proto__']: ['a'] } }, '/labels/__proto__', 'invalid_value'],
    [{ metadata: { ['__proto__']: 'a' } }, '/metadata/__proto__', 'invalid_value'],
    [{ labels: { 'a/b': ['x', 'y'.repeat(257)] } }, '/labels/a~1b/1', 'too_long'],
    [{ filterJson: '{' }, '/filter', 'invalid_format'],
    [{ filterJson: '{"a":{"$gt":true}}' }, '/filter/a/$gt', 'invalid_operand'],
    [{ signing: [] }, '/signing', 'invalid_value'],
    [{ signing: ['v1a'] }, '/signing', 'invalid_value'],
    [{ signing: ['v1', 'v1'] }, '/signing', 'invalid_value'],
    [{ headers: { Host: 'x' } }, '/headers/Host', 'reserved'],
    [{ timeoutMs: 99 }, '/timeoutMs', 'out_of_range'],
    [{ timeoutMs: 60_001 }, '/timeoutMs', 'out_of_range'],
    [{ retryDelaysMs: [1000, -1] }, '/retryDelaysMs/1', 'out_of_range'],
    [{ retryDelaysMs: [1000.5] }, '/retryDelaysMs/0', 'out_of_range'],
    [{ retryDelaysMs: new Array<number>(21).fill(1000) }, '/retryDelaysMs', 'too_many'],
    [{ maxInFlight: 0 }, '/maxInFlight', 'out_of_range'],
    [{ maxInFlight: 1001 }, '/maxInFlight', 'out_of_range'],
    [{ rateLimit: { perSecond: 0.009, burst: 1 } }, '/rateLimit/perSecond', 'out_of_range'],
    [{ rateLimit: { perSecond: 10_001, burst: 1 } }, '/rateLimit/perSecond', 'out_of_range'],
    [{ rateLimit: { perSecond: Number.NaN, burst: 1 } }, '/rateLimit/perSecond', 'out_of_range'],
    [{ rateLimit: { perSecond: 1, burst: 0 } }, '/rateLimit/burst', 'out_of_range'],
    [{ rateLimit: { perSecond: 1, burst: 1.5 } }, '/rateLimit/burst', 'out_of_range'],
    [{ metadata: { a: 'x'.repeat(501) } }, '/metadata/a', 'too_long'],
  ])('refuses %j', (settings, field, code) => {
    expect(check(settings)).toEqual([[field, code]]);
  });

  it('names everything that is wrong at once', () => {
    const settings = { url: 'x', uid: '', name: '\0', eventTypes: [''], timeoutMs: 0, maxInFlight: 0 };
    expect(check(settings).map(([field]) => field)).toEqual([
      '/url',
      '/uid',
      '/name',
      '/eventTypes/0',
      '/timeoutMs',
      '/maxInFlight',
    ]);
  });
});

describe('an endpoint of a dialect', () => {
  it.each(dialects)('of %s may be left at its defaults', (dialect) => {
    expect(check({ ...defaultEndpointSettingsOf(dialect), url: 'https://example.com/' }, dialect)).toEqual(
      [],
    );
  });

  it.each(dialects)('of %s is sent what the dialect knows, and nothing else', (dialect) => {
    for (const known of dialects) {
      for (const format of dialectRules[known].formats) {
        const isOwn = (dialectRules[dialect].formats as readonly string[]).includes(format);
        expect(check({ format }, dialect)).toEqual(isOwn ? [] : [['/format', 'invalid_value']]);
      }
    }
  });

  it('shows everything at once that only other dialects know', () => {
    const foreign = { format: 'discord', signing: ['v1'], policyId: 'p', editionId: 'e' } as const;
    expect(check(foreign, 'ricloud')).toEqual([
      ['/format', 'invalid_value'],
      ['/signing', 'invalid_value'],
      ['/policy', 'invalid_value'],
      ['/editionId', 'invalid_value'],
    ]);
  });

  it('is signed by a policy in xurrent only, and has an edition in preo only', () => {
    for (const dialect of dialects) {
      const isAllowed = (found: Found): boolean => found.length === 0;
      expect(isAllowed(check({ policyId: 'p' }, dialect))).toBe(dialect === 'xurrent');
      expect(isAllowed(check({ editionId: 'e' }, dialect))).toBe(dialect === 'preo');
      expect(check({ policyId: null, editionId: null }, dialect)).toEqual([]);
    }
  });

  it('has no name of an edition that no label could have', () => {
    expect(check({ editionId: '' }, 'preo')).toEqual([['/editionId', 'too_short']]);
    expect(check({ editionId: 'e'.repeat(257) }, 'preo')).toEqual([['/editionId', 'too_long']]);
  });

  it('leaves the headers to the dialect that it sets itself', () => {
    const headers = { 'X-Webhook-Signature': 'forged' };
    expect(check({ headers }, 'preo')).toEqual([['/headers/X-Webhook-Signature', 'reserved']]);
    expect(check({ headers }, 'standard')).toEqual([]);
  });

  it('is not judged by rules of a dialect that nobody has said', () => {
    expect(checkEndpoint({ format: 'discord', signing: [], policyId: 'p', editionId: 'e' }, policy)).toEqual(
      [],
    );
  });
});

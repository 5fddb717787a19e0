import type { Endpoint, SigningEndpoint } from './endpoint.ts';
import { compileMatcher, maxTypesRemembered } from './match.ts';
import { sampleEndpoint } from './sample-endpoint.harness.ts';

function endpointOf(id: string, settings: Partial<Endpoint> = {}): SigningEndpoint {
  const endpoint = sampleEndpoint({ id, ...settings });
  return { endpoint, secrets: [], verificationCallbackPath: null };
}

const noPayload = (): unknown => {
  throw new Error('the payload was parsed for nothing');
};

function matchedIds(
  endpoints: readonly SigningEndpoint[],
  type: string,
  { labels = {}, payload = noPayload }: { labels?: Record<string, string>; payload?: () => unknown } = {},
): readonly string[] {
  return compileMatcher(endpoints)
    .match({ type, labels, routesTo: null }, payload)
    .map(({ endpoint }) => endpoint.id);
}

describe('event types', () => {
  const endpoints = [
    endpointOf('all'),
    endpointOf('star', { eventTypes: ['*'] }),
    endpointOf('exact', { eventTypes: ['order.paid'] }),
    endpointOf('prefix', { eventTypes: ['order.*'] }),
    endpointOf('deep', { eventTypes: ['order.item.*', 'user.created'] }),
    endpointOf('twice', { eventTypes: ['order.*', 'order.paid', '*'] }),
    endpointOf('operational', { eventTypes: ['posthorn.*'] }),
  ];

  it.each([
    ['order.paid', ['all', 'star', 'exact', 'prefix', 'twice']],
    ['order.item.added', ['all', 'star', 'prefix', 'deep', 'twice']],
    ['order', ['all', 'star', 'twice']],
    ['orders.paid', ['all', 'star', 'twice']],
    ['user.created', ['all', 'star', 'deep', 'twice']],
    ['posthorn.endpoint.disabled', ['operational']],
    ['posthorn', ['all', 'star', 'twice']],
  ])('%s goes to those that asked for it, each once and in order', (type, expected) => {
    expect(matchedIds(endpoints, type)).toEqual(expected);
  });
});

describe('labels', () => {
  const endpoints = [
    endpointOf('eu', { labels: { region: ['eu', 'uk'] } }),
    endpointOf('eu gold', { labels: { region: ['eu'], tier: ['gold'] } }),
    endpointOf('inherited', { labels: { constructor: ['x'] } }),
  ];

  it('must all be on the event with one of the values', () => {
    expect(matchedIds(endpoints, 'a', { labels: { region: 'eu' } })).toEqual(['eu']);
    expect(matchedIds(endpoints, 'a', { labels: { region: 'eu', tier: 'gold' } })).toEqual(['eu', 'eu gold']);
    expect(matchedIds(endpoints, 'a', { labels: { region: 'us' } })).toEqual([]);
    expect(matchedIds(endpoints, 'a')).toEqual([]);
  });
});

describe('payload filters', () => {
  const filtered = (id: string, filter: unknown, settings: Partial<Endpoint> = {}): SigningEndpoint =>
    endpointOf(id, { filterJson: JSON.stringify(filter), ...settings });

  it('decide where an endpoint has one, with the payload parsed once', () => {
    let parses = 0;
    const endpoints = [
      filtered('nl', { country: 'NL' }),
      filtered('be', { country: 'BE' }),
      endpointOf('any'),
    ];
    const payload = (): unknown => ({ country: ['NL', 'BE'][parses++] });
    expect(matchedIds(endpoints, 'a', { payload })).toEqual(['nl', 'any']);
    expect(parses).toBe(1);
  });

  it('cost no parsing when no endpoint that has one could match', () => {
    const endpoints = [
      endpointOf('any'),
      filtered('other type', { a: 1 }, { eventTypes: ['other'] }),
      filtered('other label', { a: 1 }, { labels: { region: ['eu'] } }),
    ];
    expect(matchedIds(endpoints, 'a')).toEqual(['any']);
  });

  it('look at no more together than one of them may', () => {
    const costly = { text: { $not: { $contains: 'b'.repeat(4000) } } };
    const payload = (): unknown => ({ text: 'a'.repeat(240_000) });
    expect(matchedIds([filtered('one', costly)], 'a', { payload })).toEqual(['one']);
    const endpoints = ['one', 'two'].map((id) => filtered(id, costly));
    expect(() => matchedIds(endpoints, 'a', { payload })).toThrow(
      expect.objectContaining({ code: 'failed_precondition' }),
    );
  });

  it('match a payload that is null', () => {
    const endpoints = [filtered('absent', { a: { $exists: false } }), filtered('present', { a: 1 })];
    expect(matchedIds(endpoints, 'a', { payload: () => null })).toEqual(['absent']);
  });

  it('that can no longer be read lose no event', () => {
    const endpoints = [endpointOf('broken', { filterJson: '{' }), filtered('unknown', { $nor: [] })];
    expect(matchedIds(endpoints, 'a')).toEqual(['broken', 'unknown']);
  });
});

describe('compileMatcher', () => {
  it('matches paused and disabled endpoints, whose deliveries are held', () => {
    const endpoints = [
      endpointOf('paused', { state: 'paused' }),
      endpointOf('disabled', { state: 'disabled' }),
    ];
    expect(matchedIds(endpoints, 'a')).toEqual(['paused', 'disabled']);
  });

  it('answers the same when a type was seen before, and after more types than it remembers', () => {
    const matcher = compileMatcher([endpointOf('exact', { eventTypes: ['t.0'] }), endpointOf('all')]);
    const count = (type: string): number =>
      matcher.match({ type, labels: {}, routesTo: null }, noPayload).length;
    for (let i = 0; i < 2 * maxTypesRemembered + 1; i++) expect(count(`t.${i}`)).toBe(i === 0 ? 2 : 1);
    expect([count('t.0'), count('t.0'), count('t.1')]).toEqual([2, 2, 1]);
  });
});

describe('an edition', () => {
  const endpoints = [
    endpointOf('all', { dialect: 'preo' }),
    endpointOf('first', { dialect: 'preo', editionId: 'e1', labels: { region: ['eu'] } }),
  ];

  it.each<[string, Record<string, string>, string[]]>([
    ['none', {}, ['all']],
    ['another', { edition_id: 'e2', region: 'eu' }, ['all']],
    ['its own', { edition_id: 'e1', region: 'eu' }, ['all', 'first']],
    ['its own, but another label differs', { edition_id: 'e1', region: 'us' }, ['all']],
  ])('is asked for beside the labels: an event with %s', (_what, labels, expected) => {
    expect(matchedIds(endpoints, 'order.paid', { labels })).toEqual(expected);
  });
});

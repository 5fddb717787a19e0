import fc from 'fast-check';
import type { Endpoint, SigningEndpoint } from './endpoint.ts';
import { matchesEventType } from '../events/event-type-name.ts';
import { compileFilter } from '../filters/filter.ts';
import { compileMatcher } from './match.ts';
import { sampleEndpoint } from './sample-endpoint.harness.ts';

const segment = fc.constantFrom('a', 'b', 'posthorn');
const type = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('.'));
const pattern = fc.oneof(
  type,
  type.map((prefix) => `${prefix}.*`),
  fc.constant('*'),
);
const label = fc.constantFrom('x', 'y', 'toString');
const filterJson = fc.constantFrom(null, '{"a":1}', '{"a":{"$exists":false}}', '{"$not":{"a":1}}');

const endpoint: fc.Arbitrary<SigningEndpoint> = fc
  .record({
    eventTypes: fc.option(fc.array(pattern, { minLength: 1, maxLength: 3 })),
    labels: fc.option(fc.dictionary(label, fc.array(label, { minLength: 1, maxLength: 2 }), { maxKeys: 2 })),
    filterJson,
  })
  .map((settings) => ({
    endpoint: sampleEndpoint(settings),
    secrets: [],
    verificationCallbackPath: null,
  }));
const event = fc.record({
  type,
  labels: fc.dictionary(label, label, { maxKeys: 3 }),
  routesTo: fc.constant(null),
});

describe('compileMatcher', () => {
  it('finds exactly those that the rules name when each is asked by itself, whatever was asked before', () => {
    fc.assert(
      fc.property(fc.array(endpoint), fc.array(event, { minLength: 1 }), (endpoints, events) => {
        const matcher = compileMatcher(endpoints);
        const payload = { a: 1 };
        for (const each of events) {
          const expected = endpoints.filter((target) => isMatch(target.endpoint, each, payload));
          expect(matcher.match(each, () => payload)).toEqual(expected);
        }
      }),
    );
  });
});

function isMatch(
  { eventTypes, labels, filterJson: json }: Endpoint,
  published: { type: string; labels: Readonly<Record<string, string>> },
  payload: unknown,
): boolean {
  const patterns = eventTypes ?? [null];
  const filter = json === null ? null : compileFilter(JSON.parse(json));
  return (
    patterns.some((each) => matchesEventType(each, published.type)) &&
    Object.entries(labels ?? {}).every(([key, values]) =>
      Object.entries(published.labels).some(([name, value]) => name === key && values.includes(value)),
    ) &&
    (filter === null || (filter.ok && filter.filter.matches(payload)))
  );
}

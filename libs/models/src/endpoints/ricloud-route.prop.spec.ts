import fc from 'fast-check';
import { dialects } from '../dialect.ts';
import { endpointStates, verifications, type Endpoint, type SigningEndpoint } from './endpoint.ts';
import { compileMatcher } from './match.ts';
import { createRicloudRouter } from './ricloud-route.ts';
import { sampleEndpoint } from './sample-endpoint.harness.ts';

const endpoints: fc.Arbitrary<Endpoint[]> = fc
  .array(
    fc.record({
      dialect: fc.oneof(fc.constant('ricloud' as const), fc.constantFrom(...dialects)),
      state: fc.constantFrom(...endpointStates),
      verification: fc.constantFrom(...verifications),
      createdAt: fc.nat({ max: 5 }).map((day) => new Date(day * 86_400_000)),
    }),
    { maxLength: 6 },
  )
  .map((all) =>
    all.map((fields, index) => sampleEndpoint({ id: `e${index}`, number: index + 1, ...fields })),
  );
const name = fc.option(fc.constantFrom('e0', 'e1', 'e2', 'e3', 'deleted'));
const asSigning = (endpoint: Endpoint): SigningEndpoint => ({
  endpoint,
  secrets: [],
  verificationCallbackPath: null,
});

describe('of the ricloud endpoints of an organisation', () => {
  it('exactly one gets an event, where any is named or in use, and none gets another', () => {
    fc.assert(
      fc.property(endpoints, name, name, (all, defaultRicloudEndpoint, routesTo) => {
        const ricloud = all.filter(({ dialect }) => dialect === 'ricloud');
        const isAvailable = ricloud.some(
          ({ id, state }) => state !== 'disabled' || id === defaultRicloudEndpoint || id === routesTo,
        );
        const matched = compileMatcher(all.map(asSigning), { defaultRicloudEndpoint })
          .match({ type: 'file.shared', labels: {}, routesTo }, () => null)
          .filter(({ endpoint }) => endpoint.dialect === 'ricloud');

        expect(matched).toHaveLength(isAvailable ? 1 : 0);
      }),
    );
  });

  it('is the one that the key names, else the default, else the oldest that has passed, else the oldest in use', () => {
    fc.assert(
      fc.property(endpoints, name, name, (all, defaultId, routesTo) => {
        const ricloud = all
          .filter(({ dialect }) => dialect === 'ricloud')
          .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.number - b.number);
        const inUse = ricloud.filter(({ state }) => state !== 'disabled');
        const expected = [
          ricloud.find(({ id }) => id === routesTo),
          ricloud.find(({ id }) => id === defaultId),
          inUse.find(({ verification }) => verification === 'passed'),
          inUse[0],
        ].find((one) => one !== undefined);

        expect(createRicloudRouter(all, defaultId)({ type: 'a.b', routesTo })?.id).toBe(expected?.id);
      }),
    );
  });

  it('the one that is meant still has its own wishes, and nobody else gets what it does not want', () => {
    fc.assert(
      fc.property(endpoints, name, (all, routesTo) => {
        const wants = all.map((endpoint) => asSigning({ ...endpoint, eventTypes: ['other.*'] }));

        expect(compileMatcher(wants).match({ type: 'a.b', labels: {}, routesTo }, () => null)).toEqual([]);
      }),
    );
  });

  it('none gets an event type without a dot', () => {
    fc.assert(
      fc.property(endpoints, name, name, (all, defaultRicloudEndpoint, routesTo) => {
        const matched = compileMatcher(all.map(asSigning), { defaultRicloudEndpoint }).match(
          { type: 'ping', labels: {}, routesTo },
          () => null,
        );

        expect(matched.filter(({ endpoint }) => endpoint.dialect === 'ricloud')).toEqual([]);
      }),
    );
  });
});

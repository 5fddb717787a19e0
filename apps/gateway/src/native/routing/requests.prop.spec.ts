/** Whatever is sent to a route that takes JSON, the answer is a success or a problem that says what is wrong; never a fault of ours. */
import fc from 'fast-check';
import { configV1 } from '@posthorn/contracts';
import { tokens } from '../../testing/fake-services.harness.ts';
import { sampleAttempt, sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;
const endpoint = sampleEndpoint();
const secrets: configV1.Secret[] = [
  { scheme: 1, secret: 'whsec_x', createdAt: sampleTime, expiresAt: undefined },
];
const key = configV1.ApiKey.fromPartial({ id: 'k', name: 'k', scopes: ['*'], createdAt: sampleTime });
const eventType = configV1.EventType.fromPartial({
  name: 'a',
  enforcement: configV1.Enforcement.ENFORCEMENT_OFF,
  createdAt: sampleTime,
  updatedAt: sampleTime,
});
const organisation = configV1.Organisation.fromPartial({
  id: 'o',
  createdAt: sampleTime,
  updatedAt: sampleTime,
});

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        createEndpoint: () => Promise.resolve({ endpoint, secrets }),
        getEndpoint: () => Promise.resolve({ endpoint, secrets: [] }),
        updateEndpoint: () => Promise.resolve({ endpoint, secrets: [] }),
        setEndpointState: () => Promise.resolve({ endpoint }),
        rotateSecret: () => Promise.resolve({ secrets }),
      },
      keys: {
        createKey: () => Promise.resolve({ key, token: 't' }),
        updateKey: () => Promise.resolve({ key }),
      },
      eventTypes: { putEventType: () => Promise.resolve({ eventType, created: true }) },
      organisations: {
        createOrganisation: () => Promise.resolve({ organisation }),
        updateOrganisation: () => Promise.resolve({ organisation }),
      },
      activity: { sendTest: () => Promise.resolve({ attempt: sampleAttempt() }) },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const targets: readonly (readonly [method: string, path: string, fields: readonly string[]])[] = [
  [
    'POST',
    '/v1/endpoints',
    [
      'url',
      'uid',
      'eventTypes',
      'labels',
      'filter',
      'signing',
      'headers',
      'retryDelaysMs',
      'metadata',
      'secret',
    ],
  ],
  [
    'PATCH',
    '/v1/endpoints/x',
    ['url', 'uid', 'eventTypes', 'labels', 'filter', 'signing', 'headers', 'timeoutMs', 'metadata'],
  ],
  ['POST', '/v1/endpoints/x/pause', ['reason']],
  ['POST', '/v1/endpoints/x/secrets/rotate', ['overlapMs', 'secret']],
  ['POST', '/v1/endpoints/x/test', ['type', 'data']],
  ['POST', '/v1/keys', ['name', 'scopes', 'expiresAt', 'token', 'organisation']],
  ['PATCH', '/v1/keys/x', ['name', 'scopes', 'expiresAt']],
  ['PUT', '/v1/event-types/a', ['name', 'description', 'schema', 'enforcement', 'retired']],
  [
    'POST',
    '/v1/organisations',
    ['slug', 'name', 'accountUrl', 'timeZone', 'branding', 'requireKnownTypes', 'retention'],
  ],
  ['PATCH', '/v1/organisations/x', ['slug', 'name', 'branding', 'retention']],
  ['POST', '/v1/filters/evaluate', ['filter', 'event']],
];

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    'https://example.com',
    ['order.*'],
    { region: ['eu'] },
    ['v1'],
    { data: 1 },
    '2099-01-01T00:00:00Z',
    '*',
  ),
  fc.dictionary(
    fc.constantFrom('$eq', '$not', '$and', 'a.b', 'payloadDays', 'iconUrl', 'X-A'),
    fc.jsonValue({ maxDepth: 2 }),
  ),
);

const request = fc
  .constantFrom(...targets)
  .chain(([method, path, fields]) =>
    fc.tuple(
      fc.constant(method),
      fc.constant(path),
      fc.oneof(fc.dictionary(fc.constantFrom(...fields), value), value),
    ),
  );

test('no JSON makes a route that takes JSON fail', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ([method, path, body]) => {
      const operator = { token: tokens.operator, headers: { 'Posthorn-Organisation': 'acme' } };
      const answer = await running.call(method, path, { ...operator, body: JSON.stringify(body) });
      expect([200, 201, 400]).toContain(answer.status);
      if (answer.status === 400) expect(answer.body).toHaveProperty('violations');
    }),
    { numRuns: 600 },
  );
});

import { configV1 } from '@posthorn/contracts';
import { DomainError } from '@posthorn/models';
import { acme, tokens } from '../testing/fake-services.harness.ts';
import { sampleTime } from '../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

let running: TestGateway;
let created: configV1.CreateOrganisationRequest | null = null;
let updated: configV1.UpdateOrganisationRequest | null = null;
let deleted: string | null = null;
let erased: unknown = null;

const organisation = configV1.Organisation.fromPartial({
  id: acme.id,
  slug: 'acme',
  name: 'Acme',
  timeZone: 'Europe/Amsterdam',
  branding: { name: 'Acme', iconUrl: undefined, thumbnailUrl: undefined },
  retention: { payloadDays: 7, metadataDays: 90 },
  createdAt: sampleTime,
  updatedAt: sampleTime,
});

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      organisations: {
        createOrganisation: (request) => {
          created = request;
          return request.organisation?.slug === 'taken'
            ? Promise.reject(new DomainError('already_exists', 'The slug is taken.'))
            : Promise.resolve({ organisation });
        },
        listOrganisations: () => Promise.resolve({ organisations: [organisation], nextCursor: '' }),
        updateOrganisation: (request) => {
          updated = request;
          return Promise.resolve({ organisation });
        },
        deleteOrganisation: ({ idOrSlug }) => {
          deleted = idOrSlug;
          return Promise.resolve({});
        },
      },
      erasures: {
        createErasure(request) {
          erased = request;
          return Promise.resolve({ erasure: undefined });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const { operator: token } = tokens;

test('is created with what is given; the rest is left to the service', async () => {
  const answer = await running.call('POST', '/v1/organisations', {
    token,
    body: { slug: 'acme', branding: { name: 'Acme' }, retention: { payloadDays: 7 } },
  });
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({
    id: acme.id,
    slug: 'acme',
    name: 'Acme',
    accountUrl: null,
    timeZone: 'Europe/Amsterdam',
    branding: { name: 'Acme', iconUrl: null, thumbnailUrl: null },
    requireKnownTypes: false,
    defaultRicloudEndpoint: null,
    limits: { publishesPerSecond: null, publishesPerDay: null, bytesPerDay: null, endpoints: null },
    retention: { payloadDays: 7, metadataDays: 90 },
    createdAt: '2026-01-31T12:00:00.000Z',
    updatedAt: '2026-01-31T12:00:00.000Z',
  });
  expect(created?.organisation).toMatchObject({
    slug: 'acme',
    name: '',
    retention: { payloadDays: 7, metadataDays: 0 },
  });
});

test('a slug that is taken answers 409', async () => {
  const answer = await running.call('POST', '/v1/organisations', { token, body: { slug: 'taken' } });
  expect([answer.status, answer.body]).toEqual([409, expect.objectContaining({ code: 'already_exists' })]);
});

test.each([
  ['no slug', { name: 'x' }, '/slug'],
  ['a slug in capitals', { slug: 'Acme' }, '/slug'],
  ['a slug that looks like an id', { slug: acme.id }, '/slug'],
  ['a slug that is too long', { slug: 'a'.repeat(64) }, '/slug'],
  ['an empty name', { slug: 'a', name: '' }, '/name'],
  ['no time zone', { slug: 'a', timeZone: 'Mars/Olympus' }, '/timeZone'],
  ['a URL of another kind', { slug: 'a', accountUrl: 'javascript:alert(1)' }, '/accountUrl'],
  ['an icon that is no URL', { slug: 'a', branding: { iconUrl: 'icon' } }, '/branding/iconUrl'],
  ['unknown branding', { slug: 'a', branding: { colour: 'red' } }, '/branding/colour'],
  ['no days at all', { slug: 'a', retention: { payloadDays: 0 } }, '/retention/payloadDays'],
  [
    'metadata that goes before payloads',
    { slug: 'a', retention: { payloadDays: 100 } },
    '/retention/metadataDays',
  ],
  ['an endpoint without a name', { slug: 'a', defaultRicloudEndpoint: '' }, '/defaultRicloudEndpoint'],
  ['a limit of nothing', { slug: 'a', limits: { publishesPerSecond: 0 } }, '/limits/publishesPerSecond'],
  ['a limit that nobody knows', { slug: 'a', limits: { perHour: 1 } }, '/limits/perHour'],
  ['an id', { slug: 'a', id: acme.id }, '/id'],
])('%s is refused', async (_, body, field) => {
  const answer = await running.call('POST', '/v1/organisations', { token, body });
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
  ]);
});

test('is read and listed by operators', async () => {
  expect((await running.call('GET', '/v1/organisations/acme', { token })).body).toMatchObject({
    id: acme.id,
  });
  expect((await running.call('GET', '/v1/organisations', { token })).body).toMatchObject({
    data: [{ slug: 'acme' }],
    nextCursor: null,
  });
  expect((await running.call('GET', '/v1/organisations/nobody', { token })).status).toBe(404);
});

test('is changed in the fields that are given', async () => {
  await running.call('PATCH', '/v1/organisations/acme', {
    token,
    body: { accountUrl: null, requireKnownTypes: true, timeZone: 'UTC' },
  });
  expect(updated).toMatchObject({
    idOrSlug: 'acme',
    updateMask: ['account_url', 'require_known_types', 'time_zone'],
    organisation: { requireKnownTypes: true, accountUrl: undefined, timeZone: 'UTC' },
  });
});

test('is deleted, and what the dispatcher has of it is erased', async () => {
  expect((await running.call('DELETE', '/v1/organisations/acme', { token })).status).toBe(204);
  expect(deleted).toBe(organisation.id);
  expect(erased).toMatchObject({ organisationId: organisation.id, wholeOrganisation: true });
});

test('the endpoint that gets what no key routes elsewhere is named, and unnamed again', async () => {
  await running.call('PATCH', '/v1/organisations/acme', { token, body: { defaultRicloudEndpoint: 'mine' } });
  expect(updated).toMatchObject({
    updateMask: ['default_ricloud_endpoint'],
    organisation: { defaultRicloudEndpoint: 'mine' },
  });
  await running.call('PATCH', '/v1/organisations/acme', { token, body: { defaultRicloudEndpoint: null } });
  expect(updated?.organisation?.defaultRicloudEndpoint).toBeUndefined();
});

test('its limits are replaced as a whole', async () => {
  const limits = { publishesPerSecond: 5, endpoints: 0 };
  await running.call('PATCH', '/v1/organisations/acme', { token, body: { limits } });
  expect(updated).toMatchObject({
    updateMask: ['limits'],
    organisation: {
      limits: { publishing: { publishesPerSecond: 5n, publishesPerDay: undefined }, endpoints: 0n },
    },
  });
});

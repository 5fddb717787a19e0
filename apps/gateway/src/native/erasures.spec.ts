import { erasureToMessage, type dispatchV1 } from '@posthorn/contracts';
import { DomainError, type Erasure } from '@posthorn/models';
import { acme, tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

const at = new Date('2026-01-31T12:00:00.000Z');
const erasure: Erasure = {
  id: 'e1',
  organisationId: acme.id,
  state: 'running',
  target: { kind: 'subject', subjectHash: 'hash' },
  progress: { examined: 4, events: 3, deliveries: 2, responses: 1 },
  error: null,
  createdBy: 'key',
  createdAt: at,
  startedAt: at,
  finishedAt: null,
};
const shown = {
  id: 'e1',
  state: 'running',
  target: 'subject',
  eventId: null,
  subjectHash: 'hash',
  progress: erasure.progress,
  error: null,
  createdBy: 'key',
  createdAt: at.toISOString(),
  startedAt: at.toISOString(),
  finishedAt: null,
};

let running: TestGateway;
let created: dispatchV1.CreateErasureRequest | null = null;
let listed: dispatchV1.ListErasuresRequest | null = null;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      erasures: {
        createErasure(request) {
          created = request;
          return Promise.resolve({ erasure: erasureToMessage(erasure) });
        },
        getErasure: ({ id }) =>
          id === 'e1'
            ? Promise.resolve({ erasure: erasureToMessage(erasure) })
            : Promise.reject(new DomainError('not_found', 'There is no such erasure.')),
        listErasures(request) {
          listed = request;
          return Promise.resolve({ erasures: [erasureToMessage(erasure)], nextCursor: '' });
        },
        erasePayload: ({ id }) =>
          id === 'known'
            ? Promise.resolve({})
            : Promise.reject(new DomainError('not_found', 'There is no such event.')),
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const { acme: token, operator } = tokens;

test('an erasure by subject is begun, and shows no subject', async () => {
  const answer = await running.call('POST', '/v1/erasures', { token, body: { subject: 'customer-42' } });
  expect(answer).toMatchObject({ status: 202, body: shown });
  expect(created).toMatchObject({
    organisationId: acme.id,
    subject: 'customer-42',
    eventId: undefined,
    wholeOrganisation: false,
  });
});

test.each([
  ['neither', {}],
  ['both', { eventId: 'a', subject: 'b' }],
  ['nobody', { subject: '' }],
])('a request that names %s is refused', async (_name, body) => {
  expect((await running.call('POST', '/v1/erasures', { token, body })).status).toBe(400);
});

test('erasures are read and listed', async () => {
  expect(await running.call('GET', '/v1/erasures/e1', { token })).toMatchObject({ status: 200, body: shown });
  expect((await running.call('GET', '/v1/erasures/e2', { token })).status).toBe(404);
  expect(await running.call('GET', '/v1/erasures', { token })).toMatchObject({
    status: 200,
    body: { data: [shown], nextCursor: null },
  });
});

test('those of an organisation that is no more are listed by its id, for operators', async () => {
  const path = '/v1/organisations/gone/erasures';
  expect((await running.call('GET', path, { token: operator })).status).toBe(200);
  expect(listed).toMatchObject({ organisationId: 'gone' });
  expect((await running.call('GET', path, { token })).status).toBe(403);
});

test('an event is erased', async () => {
  expect((await running.call('DELETE', '/v1/events/known/payload', { token })).status).toBe(204);
  expect((await running.call('DELETE', '/v1/events/unknown/payload', { token })).status).toBe(404);
});

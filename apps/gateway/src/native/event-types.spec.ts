import { configV1 } from '@posthorn/contracts';
import { acme } from '../testing/fake-services.harness.ts';
import { sampleTime } from '../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';

let running: TestGateway;
let put: configV1.EventType | undefined;
let updated: configV1.UpdateEventTypeRequest | null = null;
let isNew = true;

const schema = { type: 'object', required: ['amount'] };
const eventType = configV1.EventType.fromPartial({
  organisationId: acme.id,
  name: 'order.paid',
  description: 'An order was paid.',
  schemaJson: JSON.stringify(schema),
  enforcement: configV1.Enforcement.ENFORCEMENT_REJECT,
  createdAt: sampleTime,
  updatedAt: sampleTime,
});

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      eventTypes: {
        putEventType: (request) => {
          put = request.eventType;
          return Promise.resolve({ eventType, created: isNew });
        },
        getEventType: () => Promise.resolve({ eventType }),
        listEventTypes: () => Promise.resolve({ eventTypes: [eventType], nextCursor: 'bmV4dA' }),
        updateEventType: (request) => {
          updated = request;
          return Promise.resolve({ eventType: { ...eventType, schemaJson: undefined } });
        },
        deleteEventType: () => Promise.resolve({}),
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const path = '/v1/event-types/order.paid';

test('is created with 201 and replaced with 200', async () => {
  const body = { name: 'order.paid', description: 'An order was paid.', schema };
  isNew = true;
  const first = await running.call('PUT', path, { body });
  isNew = false;
  const second = await running.call('PUT', path, { body });
  expect([first.status, second.status]).toEqual([201, 200]);
  expect(first.body).toEqual({
    name: 'order.paid',
    organisation: acme.id,
    description: 'An order was paid.',
    schema,
    enforcement: 'reject',
    retired: false,
    createdAt: '2026-01-31T12:00:00.000Z',
    updatedAt: '2026-01-31T12:00:00.000Z',
  });
  expect(put).toMatchObject({
    organisationId: acme.id,
    name: 'order.paid',
    schemaJson: JSON.stringify(schema),
    enforcement: 0,
  });
});

test('is created from nothing but its name', async () => {
  expect((await running.call('PUT', path)).status).toBe(200);
  expect(put).toMatchObject({ description: '', schemaJson: undefined, retired: false });
});

test.each([
  ['a name with a space', '/v1/event-types/order%20paid', {}, '/name'],
  ['a wildcard', '/v1/event-types/order.*', {}, '/name'],
  ['a name of ours', '/v1/event-types/posthorn.mine', {}, '/name'],
  ['a name that is too long', `/v1/event-types/${'a'.repeat(129)}`, {}, '/name'],
  ['another name in the body', path, { name: 'order.made' }, '/name'],
  ['a schema that is a list', path, { schema: [] }, '/schema'],
  ['a schema that is too large', path, { schema: { description: 'x'.repeat(70_000) } }, '/schema'],
  ['an unknown enforcement', path, { enforcement: 'maybe' }, '/enforcement'],
  ['retired as a text', path, { retired: 'yes' }, '/retired'],
])('%s is refused', async (_, at, body, field) => {
  const answer = await running.call('PUT', at, { body });
  expect([answer.status, answer.body]).toEqual([
    400,
    expect.objectContaining({ violations: [expect.objectContaining({ field })] }),
  ]);
});

test('is read, listed and deleted', async () => {
  expect((await running.call('GET', path)).body).toMatchObject({ name: 'order.paid', schema });
  expect((await running.call('GET', '/v1/event-types')).body).toMatchObject({
    data: [{ name: 'order.paid' }],
    nextCursor: 'bmV4dA',
  });
  expect((await running.call('DELETE', path)).status).toBe(204);
});

test('is changed in the fields that are given', async () => {
  const answer = await running.call('PATCH', path, { body: { schema: null, retired: true } });
  expect(answer.body).toMatchObject({ schema: null });
  expect(updated).toMatchObject({
    updateMask: ['schema_json', 'retired'],
    eventType: { organisationId: acme.id, name: 'order.paid', schemaJson: undefined, retired: true },
  });
});

test('can’t be renamed', async () => {
  expect((await running.call('PATCH', path, { body: { name: 'order.made' } })).status).toBe(400);
});

/** What ricloud shows of tasks, events and the key in use, against its contract. */
import {
  configV1,
  deliveryToMessage,
  type dispatchV1,
  eventToMessage,
  taskToMessage,
} from '@posthorn/contracts';
import { DomainError, plainEvent, type Delivery, type Event, type Task } from '@posthorn/models';
import type { DocumentedAnswer } from '../../testing/documented-fetch.harness.ts';
import { createFakeEndpoints } from '../../testing/fake-endpoints.harness.ts';
import { acme, globex, tokens } from '../../testing/fake-services.harness.ts';
import { startTestGateway, type CallInit, type TestGateway } from '../../testing/test-gateway.harness.ts';

const fake = createFakeEndpoints();
const someId = '01890000-0000-4000-8000-0000000000aa';
const at = new Date('2026-01-31T12:00:00.016Z');

let tasks: Task[] = [];
let deliveries: { delivery: Delivery; event: Event | null }[] = [];
let running: TestGateway;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: fake.handlers,
      keys: {
        getKey: async ({ id, organisationId }) => ({
          key: configV1.ApiKey.fromPartial({
            id,
            scopes: ['*'],
            createdAt: at,
            ...(organisationId !== undefined && { organisationId }),
          }),
        }),
      },
      tasks: { getTask, listTasks },
      deliveries: { searchDeliveries },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  fake.clear();
  [tasks, deliveries] = [[], []];
});

async function getTask({
  organisationId,
  id,
}: dispatchV1.GetTaskRequest): Promise<dispatchV1.GetTaskResponse> {
  const task = tasks.find(
    (one) => one.id === id && (organisationId === '' || one.organisationId === organisationId),
  );
  if (task === undefined) throw new DomainError('not_found', 'There is no such task.');
  return { task: taskToMessage(task) };
}

async function listTasks(request: dispatchV1.ListTasksRequest): Promise<dispatchV1.ListTasksResponse> {
  const all = tasks.filter(
    ({ organisationId, kind }) =>
      (request.organisationIds.length === 0 || request.organisationIds.includes(organisationId)) &&
      kind === 'test',
  );
  const from = request.afterId === '' ? 0 : all.findIndex(({ id }) => id === request.afterId) + 1;
  const page = all.slice(from, from + request.limit);
  return {
    tasks: page.map(taskToMessage),
    total: BigInt(all.length),
    hasMore: from + page.length < all.length,
  };
}

async function searchDeliveries(
  request: dispatchV1.SearchDeliveriesRequest,
): Promise<dispatchV1.SearchDeliveriesResponse> {
  const all = deliveries.filter(
    ({ delivery }) =>
      (request.endpointIds.length === 0 || request.endpointIds.includes(delivery.endpointId)) &&
      (request.ids.length === 0 || request.ids.includes(delivery.id)) &&
      (request.eventId === undefined || request.eventId === delivery.eventId),
  );
  const cursor = all.findIndex(({ delivery }) => delivery.id === request.afterId);
  const rest = request.afterId === '' ? all : cursor === -1 ? [] : all.slice(cursor + 1);
  const items = rest.slice(0, request.limit).map(({ delivery, event }) => ({
    delivery: deliveryToMessage({ ...delivery, lastAttempt: null, modifiedAt: null }),
    event: event === null ? undefined : eventToMessage(event),
    body: undefined,
  }));
  return { items, total: BigInt(all.length), hasMore: rest.length > items.length };
}

function sampleTask(given: Partial<Task> = {}): Task {
  return {
    id: someId,
    organisationId: acme.id,
    endpointId: someId,
    kind: 'test',
    keyId: 'a-key',
    eventId: null,
    state: 'pending',
    error: null,
    createdAt: at,
    startedAt: null,
    completedAt: null,
    ...given,
  };
}

function addDelivery(
  endpointId: string,
  number: number,
  given: Partial<Delivery> = {},
  data = '{"a":1}',
): Delivery {
  const digits = String(number).padStart(4, '0');
  const delivery: Delivery = {
    id: `01890000-0000-4000-8000-0000000d${digits}`,
    organisationId: acme.id,
    eventId: `01890000-0000-4000-8000-0000000e${digits}`,
    eventType: 'order.line.paid',
    endpointId,
    state: 'pending',
    reason: null,
    attempts: 0,
    nextAttemptAt: null,
    trigger: 'schedule',
    createdAt: at,
    finishedAt: null,
    ...given,
  };
  const event = plainEvent({
    id: delivery.eventId,
    organisationId: acme.id,
    type: delivery.eventType,
    payload: Buffer.from(data),
    acceptedAt: at,
  });
  deliveries.push({ delivery, event });
  return delivery;
}

const call = (method: string, path: string, init: CallInit = {}): Promise<DocumentedAnswer> =>
  running.call(method, path, { scheme: 'Token', ...init });
const errorOf = ({ status, body }: DocumentedAnswer): unknown => [
  status,
  (body as { error?: unknown }).error,
];
const idsOf = ({ body }: DocumentedAnswer): unknown =>
  (body as { data: { id: string }[] }).data.map(({ id }) => id);

describe('/tasks', () => {
  test('lists tests, newest first as the dispatcher has them, in pages', async () => {
    const made = [1, 2, 3].map((n) =>
      sampleTask({
        id: `01890000-0000-4000-8000-00000000000${n}`,
        state: 'succeeded',
        startedAt: at,
        completedAt: at,
      }),
    );
    tasks = [...made, sampleTask({ kind: 'verification' }), sampleTask({ organisationId: globex.id })];
    const first = await call('GET', '/tasks?limit=2');
    expect(first.body).toMatchObject({ resource: 'list', has_more: true, total_count: 3, url: '/tasks' });
    expect(idsOf(first)).toEqual([made[0]?.id, made[1]?.id]);
    expect(idsOf(await call('GET', `/tasks?after_id=${made[1]?.id}`))).toEqual([made[2]?.id]);
  });

  test('one is read by its id; what isn’t a test, or another’s, is 404', async () => {
    tasks = [sampleTask({ state: 'failed', error: 'It answered 500.', startedAt: at, completedAt: at })];
    expect((await call('GET', `/tasks/${someId}`)).body).toMatchObject({
      id: someId,
      state: 'failed',
      error: 'It answered 500.',
      date_completed: '2026-01-31T12:00:00.016000Z',
    });
    tasks = [sampleTask({ kind: 'verification' })];
    const answers = await Promise.all([`/tasks/${someId}`, '/tasks/x'].map((path) => call('GET', path)));
    expect(answers.map(errorOf)).toEqual([
      [404, 'not-found'],
      [404, 'not-found'],
    ]);
  });

  test('starting one without a valid config answers 400 unconfigured, with one there is nothing to start', async () => {
    fake.add('ricloud', { verification: 'failed' });
    expect(errorOf(await call('POST', '/tasks', { body: { type: 'x' } }))).toEqual([400, 'unconfigured']);
    fake.add('ricloud', { verification: 'passed' });
    expect(errorOf(await call('POST', '/tasks', { body: { type: 'x' } }))).toEqual([404, 'not-found']);
  });
});

describe('/events', () => {
  test('an event is shown in the delivery’s shape, its type split at the last dot, its payload byte for byte', async () => {
    const { id } = fake.add('ricloud', { verification: 'passed' });
    addDelivery(
      id,
      1,
      { state: 'succeeded', attempts: 3, finishedAt: at },
      '{"n": 1.0e3, "big": 12345678901234567890}',
    );
    const eventId = '01890000-0000-4000-8000-0000000e0001';
    const text =
      `{"id":"${eventId}","resource":"event","type":"order.line","action":"paid",` +
      '"data":{"n": 1.0e3, "big": 12345678901234567890},"state":"delivered","retries":2,' +
      '"date_created":"2026-01-31T12:00:00.016000Z","date_delivered":"2026-01-31T12:00:00.016000Z"}';
    expect((await call('GET', `/events/${eventId}`)).text).toBe(text);
    expect((await call('GET', '/events')).text).toBe(
      `{"resource":"list","data":[${text}],"has_more":false,"total_count":1,"url":"/events"}`,
    );
  });

  test.each([
    ['pending', 'pending'],
    ['retrying', 'pending'],
    ['held', 'pending'],
    ['succeeded', 'delivered'],
    ['exhausted', 'failed'],
    ['failed', 'failed'],
    ['cancelled', 'failed'],
  ] as const)('a delivery that is %s is shown as %s', async (state, shown) => {
    const { eventId } = addDelivery(fake.add('ricloud').id, 1, {
      state,
      finishedAt: state === 'succeeded' ? at : null,
    });
    expect((await call('GET', `/events/${eventId}`)).body).toMatchObject({ state: shown, retries: 0 });
  });

  test('an event whose payload is no longer kept has null as its data', async () => {
    const { eventId } = addDelivery(fake.add('ricloud').id, 1);
    deliveries = deliveries.map(({ delivery }) => ({ delivery, event: null }));
    expect((await call('GET', `/events/${eventId}`)).body).toMatchObject({ data: null, action: 'paid' });
  });

  test('the cursor is an event’s id; one that isn’t in the list has nothing behind it', async () => {
    const { id } = fake.add('ricloud');
    const made = [1, 2, 3].map((n) => addDelivery(id, n).eventId);
    expect(idsOf(await call('GET', `/events?after_id=${made[0]}&limit=1`))).toEqual([made[1]]);
    expect(idsOf(await call('GET', `/events?after_id=${someId}`))).toEqual([]);
  });

  test('only what went to configs: nothing of other dialects, and nothing at all without configs', async () => {
    const { eventId } = addDelivery(fake.add('preo').id, 1);
    expect((await call('GET', '/events')).body).toMatchObject({ data: [], total_count: 0, has_more: false });
    expect(errorOf(await call('GET', `/events/${eventId}`))).toEqual([404, 'not-found']);
    fake.add('ricloud');
    expect(errorOf(await call('GET', `/events/${eventId}`))).toEqual([404, 'not-found']);
    expect(errorOf(await call('GET', '/events/x'))).toEqual([404, 'not-found']);
  });
});

test('GET /key is the key in use', async () => {
  expect((await call('GET', '/key')).body).toEqual({
    id: tokens.acme,
    resource: 'key',
    organisation: acme.id,
    state: 'valid',
    date_created: '2026-01-31T12:00:00.016000Z',
  });
  expect((await call('GET', '/key', { token: tokens.operator })).body).toMatchObject({ organisation: null });
});

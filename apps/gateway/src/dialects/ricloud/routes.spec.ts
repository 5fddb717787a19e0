/** ricloud's management half against its contract: each test is named after the line that it proves. */
import { taskToMessage, type dispatchV1 } from '@posthorn/contracts';
import { DomainError, type Task } from '@posthorn/models';
import { createFakeEndpoints } from '../../testing/fake-endpoints.harness.ts';
import { acme, globex, tokens } from '../../testing/fake-services.harness.ts';
import { startTestGateway, type CallInit, type TestGateway } from '../../testing/test-gateway.harness.ts';
import type { DocumentedAnswer } from '../../testing/documented-fetch.harness.ts';

const fake = createFakeEndpoints();
const url = 'https://www.mywebhook.com/webhooks/';
const someId = '01890000-0000-4000-8000-0000000000aa';
const at = new Date('2026-01-31T12:00:00.016Z');

/** What the dispatcher was asked to run, and what comes of it. */
let asked: dispatchV1.RunTaskRequest[] = [];
let outcome: 'pending' | 'succeeded' | 'failed' | 'away' = 'pending';
let running: TestGateway;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: fake.handlers,
      tasks: { runTask },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));
beforeEach(() => {
  fake.clear();
  [asked, outcome] = [[], 'pending'];
});

async function runTask(request: dispatchV1.RunTaskRequest): Promise<dispatchV1.RunTaskResponse> {
  asked.push(request);
  if (outcome === 'away') throw new DomainError('unavailable', 'The dispatcher is away.');
  const ended = outcome !== 'pending' && request.waitMs > 0;
  if (ended) fake.change(request.endpointId, { verification: outcome === 'failed' ? 'failed' : 'passed' });
  const task = sampleTask({
    id: request.taskId,
    endpointId: request.endpointId,
    keyId: request.keyId ?? null,
    state: ended ? (outcome === 'failed' ? 'failed' : 'succeeded') : 'pending',
    startedAt: ended ? at : null,
    completedAt: ended ? at : null,
  });
  return { task: taskToMessage(task) };
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

const call = (method: string, path: string, init: CallInit = {}): Promise<DocumentedAnswer> =>
  running.call(method, path, { scheme: 'Token', ...init });
const errorOf = ({ status, body }: DocumentedAnswer): unknown => [
  status,
  (body as { error?: unknown }).error,
];
const paramsOf = ({ body }: DocumentedAnswer): unknown => (body as { params?: unknown }).params;
const stateOf = ({ body }: DocumentedAnswer): unknown => (body as { state?: unknown }).state;
const idsOf = ({ body }: DocumentedAnswer): unknown =>
  (body as { data: { id: string }[] }).data.map(({ id }) => id);

describe('POST /configs/webhook', () => {
  test('{"url"} answers 201 with the whole config in the page’s order, and a test task starts', async () => {
    const answer = await call('POST', '/configs/webhook', { body: { url } });
    expect(answer.status).toBe(201);
    const [request] = asked;
    expect(answer.text).toBe(
      JSON.stringify({
        id: request?.endpointId,
        resource: 'webhook_config',
        organisation: acme.id,
        url,
        secret: 'secret-number-1',
        state: 'new',
        date_created: '2026-01-31T12:00:00.000000Z',
      }),
    );
    const { verificationId } = fake.find(request?.endpointId ?? '') ?? {};
    expect(request).toMatchObject({ taskId: verificationId, kind: 1, keyId: tokens.acme, waitMs: 0 });
  });

  test('Ricloud-Await holds the answer until the test has ended, which is shown', async () => {
    outcome = 'succeeded';
    const answer = await call('POST', '/configs/webhook', {
      body: { url },
      headers: { 'Ricloud-Await': '3' },
    });
    expect([stateOf(answer), asked[0]?.waitMs]).toEqual(['valid', 3_000]);
  });

  test.each([
    ['0', 0],
    ['3600', 10_000],
    ['2.5', 2_500],
    ['soon', 0],
    ['-1', 0],
    ['', 0],
  ])('Ricloud-Await: %s waits at most ten seconds (%i ms)', async (seconds, waitMs) => {
    await call('POST', '/configs/webhook', { body: { url }, headers: { 'Ricloud-Await': seconds } });
    expect(asked[0]?.waitMs).toBe(waitMs);
  });

  test('never a 5xx after a commit: a dispatcher that is away leaves a new config', async () => {
    outcome = 'away';
    const answer = await call('POST', '/configs/webhook', {
      body: { url },
      headers: { 'Ricloud-Await': '1' },
    });
    expect([answer.status, stateOf(answer)]).toEqual([201, 'new']);
  });

  test.each([
    ['no Content-Type', {}],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['plain text', { 'Content-Type': 'text/plain; charset=latin1' }],
    ['a multipart form', { 'Content-Type': 'multipart/form-data; boundary=x' }],
  ])('the body is JSON whatever the content type says or lacks: %s', async (_, headers) => {
    const answer = await running.fetch('/configs/webhook', {
      method: 'POST',
      headers: { Authorization: `Token ${tokens.acme}`, ...headers },
      body: Buffer.from(JSON.stringify({ url })),
    });
    expect(answer.status).toBe(201);
  });

  test.each([
    ['nothing', ''],
    ['a trailing comma, as in the page’s update example', '{"url": "https://example.com/",\n}'],
    ['text', 'url=https://example.com'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['what is nested too deep', `{"url":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
  ])('400 invalid-body for %s', async (_, body) => {
    const answer = await call('POST', '/configs/webhook', { body });
    expect([...(errorOf(answer) as []), paramsOf(answer)]).toEqual([400, 'invalid-body', undefined]);
    expect(asked).toEqual([]);
  });

  test('400 invalid-body for what is not UTF-8', async () => {
    const answer = await running.fetch('/configs/webhook', {
      method: 'POST',
      headers: { Authorization: `Token ${tokens.acme}` },
      body: Buffer.from([0x7b, 0xff, 0x7d]),
    });
    expect(errorOf(answer)).toEqual([400, 'invalid-body']);
  });

  test('400 limit-exceeded for a body that is too large', async () => {
    const answer = await call('POST', '/configs/webhook', { body: `{"url":"${'x'.repeat(1_100_000)}"}` });
    expect(errorOf(answer)).toEqual([400, 'limit-exceeded']);
  });

  test.each([
    ['absent', {}],
    ['null', { url: null }],
    ['a number', { url: 1 }],
    ['empty', { url: '' }],
    ['no URL', { url: 'example.com' }],
    ['far too long', { url: `https://example.com/${'x'.repeat(5_000)}` }],
    ['a private address', { url: 'http://10.0.0.1/' }],
    ['this machine', { url: 'https://localhost/' }],
  ])('400 invalid-parameter with params for a url that is %s', async (_, body) => {
    const answer = await call('POST', '/configs/webhook', { body });
    expect(errorOf(answer)).toEqual([400, 'invalid-parameter']);
    expect(paramsOf(answer)).toEqual({ url: expect.any(String) as unknown });
  });

  test('the last of two fields with one name counts, as in Python', async () => {
    const answer = await call('POST', '/configs/webhook', { body: `{"url":"x","url":"${url}"}` });
    expect([answer.status, answer.body]).toMatchObject([201, { url }]);
  });

  test('fields that it doesn’t know are ignored', async () => {
    expect((await call('POST', '/configs/webhook', { body: { url, name: 'x', secret: 'y' } })).status).toBe(
      201,
    );
  });

  test('an operator key names its organisation by Posthorn-Organisation', async () => {
    const operator = { token: tokens.operator, body: { url } };
    const without = await call('POST', '/configs/webhook', operator);
    expect([...(errorOf(without) as []), Object.keys(paramsOf(without) as object)]).toEqual([
      400,
      'invalid-parameter',
      ['Posthorn-Organisation'],
    ]);
    const made = await call('POST', '/configs/webhook', {
      ...operator,
      headers: { 'Posthorn-Organisation': 'globex' },
    });
    expect(made.body).toMatchObject({ organisation: globex.id });
    const unknown = await call('POST', '/configs/webhook', {
      ...operator,
      headers: { 'Posthorn-Organisation': 'nobody' },
    });
    expect(errorOf(unknown)).toEqual([404, 'not-found']);
  });
});

describe('GET /configs/webhook/{id}', () => {
  test.each([
    [{ verification: 'none' }, 'new'],
    [{ verification: 'pending' }, 'new'],
    [{ verification: 'passed' }, 'valid'],
    [{ verification: 'failed' }, 'invalid'],
    [{ verification: 'passed', state: 'paused' }, 'valid'],
    [{ verification: 'passed', state: 'disabled' }, 'deactivated'],
  ] as const)('an endpoint that is %j is shown as %s, with its secret', async (given, state) => {
    const { id } = fake.add('ricloud', given, 'top-secret');
    const answer = await call('GET', `/configs/webhook/${id}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ id, state, secret: 'top-secret' });
  });

  test('404 not-found for one that isn’t there, another’s, another dialect’s, and what can’t be an id', async () => {
    const theirs = fake.add('ricloud', { organisationId: globex.id });
    const other = fake.add('rapidly');
    const ids = [someId, theirs.id, other.id, 'x', '%00', '..%2f..', 'x'.repeat(5_000)];
    const answers = await Promise.all(ids.map((id) => call('GET', `/configs/webhook/${id}`)));
    expect(answers.map(errorOf)).toEqual(ids.map(() => [404, 'not-found']));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test('an operator reads one of any organisation by its id alone', async () => {
    const { id } = fake.add('ricloud', { organisationId: globex.id });
    expect((await call('GET', `/configs/webhook/${id}`, { token: tokens.operator })).status).toBe(200);
  });
});

describe('GET /configs/webhook', () => {
  test('{resource,data,has_more,total_count,url}, newest first, ten by default', async () => {
    const ids = Array.from({ length: 12 }, () => fake.add('ricloud').id).toReversed();
    const answer = await call('GET', '/configs/webhook');
    expect(
      Object.entries(answer.body as object)
        .map(([key]) => key)
        .join(),
    ).toBe('resource,data,has_more,total_count,url');
    expect(answer.body).toMatchObject({
      resource: 'list',
      has_more: true,
      total_count: 12,
      url: '/configs/webhook',
    });
    expect(idsOf(answer)).toEqual(ids.slice(0, 10));
    expect(
      (answer.body as { data: { resource: string }[] }).data.every(
        (one) => one.resource === 'webhook_config',
      ),
    ).toBe(true);
  });

  test('after_id and before_id are cursors', async () => {
    const ids = Array.from({ length: 5 }, () => fake.add('ricloud').id).toReversed();
    const after = await call('GET', `/configs/webhook?limit=2&after_id=${ids[1]}`);
    expect([idsOf(after), (after.body as { has_more: boolean }).has_more]).toEqual([[ids[2], ids[3]], true]);
    const before = await call('GET', `/configs/webhook?limit=2&before_id=${ids[3]}`);
    expect([idsOf(before), (before.body as { has_more: boolean }).has_more]).toEqual([
      [ids[1], ids[2]],
      true,
    ]);
    const last = await call('GET', `/configs/webhook?after_id=${ids[4]}`);
    expect(last.body).toMatchObject({ data: [], has_more: false, total_count: 5 });
  });

  test('only its own: no other organisation’s, no other dialect’s', async () => {
    fake.add('ricloud', { organisationId: globex.id });
    fake.add('preo');
    const { id } = fake.add('ricloud');
    expect(idsOf(await call('GET', '/configs/webhook'))).toEqual([id]);
  });

  test('an operator who names no organisation is shown all', async () => {
    fake.add('ricloud', { organisationId: globex.id });
    fake.add('ricloud');
    expect((await call('GET', '/configs/webhook', { token: tokens.operator })).body).toMatchObject({
      total_count: 2,
    });
  });

  test('deactivated configs are left out unless state=deactivated asks for them; each state filters', async () => {
    const made = {
      new: fake.add('ricloud').id,
      valid: fake.add('ricloud', { verification: 'passed' }).id,
      invalid: fake.add('ricloud', { verification: 'failed' }).id,
      deactivated: fake.add('ricloud', { verification: 'passed', state: 'disabled' }).id,
    };
    expect(idsOf(await call('GET', '/configs/webhook'))).toEqual([made.invalid, made.valid, made.new]);
    for (const [state, id] of Object.entries(made))
      expect([state, idsOf(await call('GET', `/configs/webhook?state=${state}`))]).toEqual([state, [id]]);
  });

  test.each([
    // They were made at 12:00:00, 12:00:01 and 12:00:02 on 2026-01-31, and are numbered so.
    ['date_created=2026-01-31T12:00:01Z', [1]],
    ['date_created=2026-01-31T12:00:01.000000Z', [1]],
    ['date_created=2026-01-31T13:00:01%2B01:00', [1]],
    ['date_created=2026-01-31T13:00:01+01:00', [1]],
    ['date_created=2026-01-31', [2, 1, 0]],
    ['date_created=2026-01-30', []],
    ['date_created[gt]=2026-01-31T12:00:01Z', [2]],
    ['date_created%5Bgte%5D=2026-01-31T12:00:01Z', [2, 1]],
    ['date_created[lt]=2026-01-31T12:00:01Z', [0]],
    ['date_created[lte]=2026-01-31T12:00:01Z', [1, 0]],
    ['date_created__gt=2026-01-31T12:00:01Z', [2]],
    ['date_created__gte=2026-01-31T12:00:01Z', [2, 1]],
    ['date_created__lt=2026-01-31T12:00:01Z', [0]],
    ['date_created__lte=2026-01-31T12:00:01Z', [1, 0]],
    ['date_created__gte=2026-01-31T12:00:01.000001Z', [2]],
    ['date_created__gte=2026-01-31', [2, 1, 0]],
    ['date_created__gte=2026-02-01', []],
    ['date_created__gt=2026-01-31T12:00:00Z&date_created__lt=2026-01-31T12:00:02Z', [1]],
    ['date_created__gte=2026-01-31T12:00:01Z&date_created__gt=2026-01-31T12:00:01Z', [2]],
    ['strange=1', [2, 1, 0]],
  ])('%s lists %j', async (query, expected) => {
    const ids = [fake.add('ricloud').id, fake.add('ricloud').id, fake.add('ricloud').id];
    const noon = Date.parse('2026-01-31T12:00:00Z');
    ids.forEach((id, index) => fake.change(id, { createdAt: new Date(noon + index * 1_000) }));
    expect(idsOf(await call('GET', `/configs/webhook?${query}`))).toEqual(
      expected.map((index) => ids[index]),
    );
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=x', 'limit'],
    ['limit=', 'limit'],
    ['limit=99999999999999999999', 'limit'],
    ['after_id=x', 'after_id'],
    ['before_id=', 'before_id'],
    [`after_id=${someId}&before_id=${someId}`, 'before_id'],
    ['state=strange', 'state'],
    ['state=', 'state'],
    ['date_created=yesterday', 'date_created'],
    ['date_created=2026-02-30', 'date_created'],
    ['date_created[gt]=', 'date_created[gt]'],
    ['date_created__lte=%FF', 'date_created__lte'],
  ])('400 invalid-parameter for ?%s', async (query, name) => {
    const answer = await call('GET', `/configs/webhook?${query}`);
    expect([...(errorOf(answer) as []), Object.keys(paramsOf(answer) as object)]).toEqual([
      400,
      'invalid-parameter',
      [name],
    ]);
  });

  test('limit is 1000 at most', async () => {
    expect((await call('GET', '/configs/webhook?limit=1000')).status).toBe(200);
  });
});

describe('POST /configs/webhook/{id}', () => {
  test('a url sets new and starts a test in the background', async () => {
    const { id } = fake.add('ricloud', { verification: 'passed' });
    const answer = await call('POST', `/configs/webhook/${id}`, {
      body: { url: 'https://www.myupdatedwebhook.com/webhooks/' },
    });
    expect(answer.body).toMatchObject({
      url: 'https://www.myupdatedwebhook.com/webhooks/',
      state: 'new',
      secret: expect.any(String) as unknown,
    });
    expect(asked).toMatchObject([{ endpointId: id, taskId: fake.find(id)?.verificationId, waitMs: 0 }]);
  });

  test('nothing at all tests it again', async () => {
    const { id, url: before } = fake.add('ricloud', { verification: 'passed' });
    const answer = await call('POST', `/configs/webhook/${id}`, { body: {} });
    expect([answer.body, asked.length]).toMatchObject([{ state: 'new', url: before }, 1]);
  });

  test('the state deactivated turns it off and starts no test', async () => {
    const { id } = fake.add('ricloud', { verification: 'passed' });
    const answer = await call('POST', `/configs/webhook/${id}`, { body: { state: 'deactivated', url } });
    expect([answer.body, asked]).toMatchObject([{ state: 'deactivated', url }, []]);
    expect(fake.find(id)?.verification).toBe('passed');
  });

  test('a url alone leaves a deactivated config deactivated, and starts no test', async () => {
    const { id } = fake.add('ricloud', { state: 'disabled' });
    const answer = await call('POST', `/configs/webhook/${id}`, { body: { url } });
    expect([answer.body, asked]).toMatchObject([{ state: 'deactivated', url }, []]);
  });

  test('the state new turns a deactivated config on again, and tests it', async () => {
    outcome = 'failed';
    const { id } = fake.add('ricloud', { state: 'disabled' });
    const answer = await call('POST', `/configs/webhook/${id}`, {
      body: { state: 'new' },
      headers: { 'Ricloud-Await': '10' },
    });
    expect([answer.body, asked.length]).toMatchObject([{ state: 'invalid' }, 1]);
    expect(fake.find(id)?.state).toBe('enabled');
  });

  test.each(['valid', 'invalid', '', null, 1, 'NEW'])(
    'a client may not write the state %j',
    async (state) => {
      const { id } = fake.add('ricloud');
      const answer = await call('POST', `/configs/webhook/${id}`, { body: { state } });
      expect([...(errorOf(answer) as []), Object.keys(paramsOf(answer) as object), asked]).toEqual([
        400,
        'invalid-parameter',
        ['state'],
        [],
      ]);
    },
  );

  test('the page’s example has a trailing comma: 400 invalid-body', async () => {
    const { id } = fake.add('ricloud');
    const answer = await call('POST', `/configs/webhook/${id}`, {
      body: '{\n    "url": "https://www.myupdatedwebhook.com/webhooks/",\n}',
    });
    expect(errorOf(answer)).toEqual([400, 'invalid-body']);
  });

  test('404 for another’s, which stays as it is', async () => {
    const theirs = fake.add('ricloud', { organisationId: globex.id });
    const answer = await call('POST', `/configs/webhook/${theirs.id}`, { body: { state: 'deactivated' } });
    expect([...(errorOf(answer) as []), fake.find(theirs.id)?.state]).toEqual([404, 'not-found', 'enabled']);
  });
});

describe('POST /configs/webhook/{id}/test', () => {
  test.each(['POST', 'GET'])(
    '%s answers 200 with the Task; the four bytes null are ignored',
    async (method) => {
      const { id } = fake.add('ricloud', { verification: 'failed' });
      const answer = await call(
        method,
        `/configs/webhook/${id}/test`,
        method === 'POST' ? { body: 'null' } : {},
      );
      expect(answer.status).toBe(200);
      expect(answer.text).toBe(
        JSON.stringify({
          id: fake.find(id)?.verificationId,
          resource: 'task',
          organisation: acme.id,
          key: tokens.acme,
          type: 'webhook_config.test',
          target: null,
          state: 'pending',
          results: { resource: 'list', data: [], has_more: false, total_count: 0, url: '/results' },
          error: null,
          date_created: '2026-01-31T12:00:00.016000Z',
          date_started: null,
          date_completed: null,
        }),
      );
    },
  );

  test('Ricloud-Await shows the outcome', async () => {
    outcome = 'failed';
    const { id } = fake.add('ricloud');
    const answer = await call('POST', `/configs/webhook/${id}/test`, { headers: { 'Ricloud-Await': '5' } });
    expect([stateOf(answer), asked[0]?.waitMs]).toEqual(['failed', 5_000]);
  });

  test('never a 5xx after a commit: a dispatcher that is away leaves a pending task', async () => {
    outcome = 'away';
    const { id } = fake.add('ricloud');
    const answer = await call('POST', `/configs/webhook/${id}/test`);
    expect([answer.status, stateOf(answer)]).toEqual([200, 'pending']);
    expect((answer.body as { id: string }).id).toBe(fake.find(id)?.verificationId);
  });

  test('HEAD, which asks for nothing, tests nothing', async () => {
    const { id } = fake.add('ricloud');
    expect((await call('HEAD', `/configs/webhook/${id}/test`)).status).toBe(404);
    expect(asked).toEqual([]);
  });

  test('a deactivated config is sent nothing', async () => {
    const { id } = fake.add('ricloud', { state: 'disabled' });
    expect([...(errorOf(await call('POST', `/configs/webhook/${id}/test`)) as []), asked]).toEqual([
      400,
      'invalid-parameter',
      [],
    ]);
  });

  test('404 for one that isn’t there', async () => {
    expect(errorOf(await call('POST', `/configs/webhook/${someId}/test`))).toEqual([404, 'not-found']);
  });
});

describe('DELETE /configs/webhook/{id}', () => {
  test('200 with the resource as JSON, never 204', async () => {
    const { id } = fake.add('ricloud', { verification: 'passed' });
    const answer = await call('DELETE', `/configs/webhook/${id}`);
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { id, resource: 'webhook_config', state: 'valid' },
    ]);
    expect(fake.find(id)).toBeUndefined();
    expect(errorOf(await call('DELETE', `/configs/webhook/${id}`))).toEqual([404, 'not-found']);
  });
});

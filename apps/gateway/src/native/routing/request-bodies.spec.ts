/** What a body may be: everything that can be wrong with one has an answer of its own. */
import { acme, tokens } from '../../testing/fake-services.harness.ts';
import { sampleEndpoint, sampleTime } from '../../testing/sample-messages.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';

let running: TestGateway;

beforeAll(async () => {
  running = await startTestGateway({
    handlers: {
      endpoints: {
        createEndpoint: ({ endpoint }) => {
          expect(endpoint?.organisationId).toBe(acme.id);
          return Promise.resolve({
            endpoint: sampleEndpoint(),
            secrets: [{ scheme: 1, secret: 'whsec_x', createdAt: sampleTime, expiresAt: undefined }],
          });
        },
      },
    },
  });
});
afterAll(() => running.gateway.stop(1_000));

const violationsOf = (body: unknown): unknown => (body as { violations?: unknown }).violations;
const newEndpoint = { url: 'https://example.com/hooks' };

test.each([
  ['no body', '', '', 'required'],
  ['not JSON', '{"url":', '', 'syntax'],
  ['a list', '[]', '', 'invalid_type'],
  ['a number', '1', '', 'invalid_type'],
  ['null', 'null', '', 'invalid_type'],
  ['an unknown field', '{"url":"https://example.com","colour":"red"}', '/colour', 'unknown_field'],
  ['a field of a later version', '{"url":"https://example.com","weight":null}', '/weight', 'unknown_field'],
  ['a name twice', '{"url":"https://example.com","name":"a","name":"b"}', '/name', 'duplicate_key'],
  [
    'a name twice further down',
    '{"url":"https://example.com","metadata":{"a":"1","a":"2"}}',
    '/metadata/a',
    'duplicate_key',
  ],
  ['a wrong type', '{"url":1}', '/url', 'invalid_type'],
  [
    'what only looks like a prototype',
    '{"url":"https://example.com","__proto__":{}}',
    '/__proto__',
    'unknown_field',
  ],
  [
    'a label that would be lost on the way',
    '{"url":"https://example.com","labels":{"__proto__":["eu"]}}',
    '/labels/__proto__',
    'invalid_value',
  ],
])('%s is refused', async (_, body, field, code) => {
  const answer = await running.call('POST', '/v1/endpoints', { body });
  expect([answer.status, violationsOf(answer.body)]).toEqual([
    400,
    [expect.objectContaining({ field, code })],
  ]);
});

test('what is wrong in shape, in meaning and in the query is told at once', async () => {
  const answer = await running.call('POST', '/v1/endpoints?x=1', {
    body: {
      url: 'https://user:pass@example.com',
      timeoutMs: 'soon',
      filter: { a: { $near: 1 } },
      colour: 1,
      name: 'x'.repeat(256),
    },
  });
  const fields = (violationsOf(answer.body) as { field: string }[]).map(({ field }) => field);
  expect(fields.toSorted()).toEqual(['/colour', '/filter/a/$near', '/name', '/timeoutMs', '/url', '?x']);
});

test('nesting is taken to a depth of 128 and refused beyond', async () => {
  const nested = (depth: number): string =>
    `{"url":"https://example.com","metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const [inside, beyond] = await Promise.all(
    [127, 128].map((depth) => running.call('POST', '/v1/endpoints', { body: nested(depth) })),
  );
  expect(violationsOf(inside?.body)).toEqual([
    expect.objectContaining({ field: '/metadata', code: 'invalid_type' }),
  ]);
  expect(violationsOf(beyond?.body)).toEqual([expect.objectContaining({ code: 'too_deep' })]);
});

test('bytes that aren’t UTF-8 are refused', async () => {
  const answer = await running.fetch('/v1/endpoints', {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokens.acme}` },
    body: Buffer.from('7b2275726c223a22ff227d', 'hex'),
  });
  expect([answer.status, violationsOf(answer.body)]).toEqual([
    400,
    [expect.objectContaining({ field: '', code: 'encoding' })],
  ]);
});

test('a body of more than 1 MiB answers 413', async () => {
  const answer = await running.call('POST', '/v1/endpoints', { body: ' '.repeat(1024 * 1024 + 1) });
  expect([answer.status, answer.body]).toEqual([413, expect.objectContaining({ code: 'payload_too_large' })]);
});

test('a large body with a wrong item at each place is answered soon, and with little', async () => {
  const body = JSON.stringify({
    url: 'https://example.com',
    eventTypes: Array.from({ length: 300_000 }, () => 1),
  });
  const answer = await running.call('POST', '/v1/endpoints', { body });
  expect(answer.status).toBe(400);
  expect(answer.text.length).toBeLessThan(10_000);
});

test.each([
  ['text/plain', 201],
  ['application/x-www-form-urlencoded', 201],
  ['application/json; charset=utf-8', 201],
  ['application/json; charset=latin1', 400],
  ['multipart/form-data; boundary=x', 400],
])('JSON that is sent as %s answers %i', async (contentType, status) => {
  const answer = await running.call('POST', '/v1/endpoints', {
    body: newEndpoint,
    headers: { 'Content-Type': contentType },
  });
  expect(answer.status).toBe(status);
});

test('a compressed body is refused', async () => {
  const answer = await running.call('POST', '/v1/endpoints', {
    body: newEndpoint,
    headers: { 'Content-Encoding': 'gzip' },
  });
  expect([answer.status, violationsOf(answer.body)]).toEqual([
    400,
    [expect.objectContaining({ field: '?Content-Encoding' })],
  ]);
});

test('a request that takes no body takes an empty object for none, and refuses any other', async () => {
  const [empty, filled] = await Promise.all(
    ['{}', '{"now":true}'].map((body) => running.call('POST', '/v1/endpoints/x/enable', { body })),
  );
  expect(empty?.status).toBe(404);
  expect([filled?.status, violationsOf(filled?.body)]).toEqual([
    400,
    [expect.objectContaining({ field: '/now' })],
  ]);
  const deleted = await running.call('DELETE', '/v1/endpoints/x', { body: { force: true } });
  expect([deleted.status, violationsOf(deleted.body)]).toEqual([
    400,
    [expect.objectContaining({ code: 'unexpected' })],
  ]);
});

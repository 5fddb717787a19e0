/** ricloud's errors: always JSON, always `{"error","message"}`, on every path that is its own. */
import { DomainError, errorCodes } from '@posthorn/models';
import { tokens } from '../../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../../testing/test-gateway.harness.ts';
import { renderFailure } from './errors.ts';

let running: TestGateway;
let failure: DomainError | Error;
beforeAll(async () => {
  running = await startTestGateway({
    handlers: { endpoints: { searchEndpoints: () => Promise.reject(failure) } },
  });
});
afterAll(() => running.gateway.stop(1_000));

const call: TestGateway['call'] = (method, path, init) =>
  running.call(method, path, { scheme: 'Token', ...init });

test.each([
  ['no token', undefined],
  ['an unknown token', 'Token nobody-has-this-key'],
  ['another scheme', `Bearer ${tokens.acme}`],
  ['no token behind the scheme', 'Token'],
  ['two tokens', 'Token a b'],
])('401 invalid-token for %s', async (_, authorization) => {
  const answer = await running.fetch('/configs/webhook', {
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });
  expect([answer.status, answer.body]).toMatchObject([401, { error: 'invalid-token' }]);
  expect(answer.headers.get('www-authenticate')).toBe('Token');
});

test('the scheme’s name may be written in any case', async () => {
  failure = new DomainError('not_found', 'x');
  const answer = await running.fetch('/configs/webhook', {
    headers: { Authorization: `token ${tokens.acme}` },
  });
  expect(answer.status).toBe(404);
});

test.each([
  ['POST', '/configs/webhook', tokens.reader],
  ['GET', '/events', tokens.reader],
  ['GET', '/configs/webhook', tokens.publisher],
])('403 missing-scope: %s %s', async (method, path, token) => {
  const answer = await call(method, path, { token });
  expect([answer.status, answer.body]).toMatchObject([403, { error: 'missing-scope' }]);
});

test.each([
  ['PUT', '/configs/webhook'],
  ['PATCH', '/configs/webhook/x'],
  ['DELETE', '/configs/webhook'],
  ['OPTIONS', '/configs/webhook'],
  ['POST', '/key'],
  ['DELETE', '/tasks/x'],
  ['POST', '/events'],
  ['GET', '/configs'],
  ['GET', '/configs/webhook/'],
  ['GET', '/configs//webhook'],
  ['GET', '/configs/webhook/x/test/y'],
  ['GET', '/configs/%zz'],
  ['GET', '/configs/webhook/%E0%A4'],
  ['GET', '/keys'],
  ['POST', '/keys'],
  ['GET', '/keys/x/y'],
  ['GET', '/%6bey/x'],
])('404 not-found for what isn’t there, wrong methods and /keys… included: %s %s', async (method, path) => {
  const answer = await running.fetch(path, { method });
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([404, { error: 'not-found' }]);
  expect(answer.headers.get('content-type')).toBe('application/json');
});

test.each([
  ['unavailable', 503, 'server-error', '1'],
  ['deadline_exceeded', 504, 'server-error', null],
  ['internal', 500, 'server-error', null],
  ['rate_limited', 429, 'limit-exceeded', '7'],
] as const)('what is %s answers %i %s', async (code, status, error, retryAfter) => {
  failure = new DomainError(code, 'Not now.', code === 'rate_limited' ? { retryAfterMs: 6_500 } : {});
  const answer = await call('GET', '/configs/webhook');
  expect([answer.status, answer.body]).toEqual([status, { error, message: 'Not now.' }]);
  expect(answer.headers.get('retry-after')).toBe(retryAfter);
});

test('a fault of ours tells nothing of itself', async () => {
  failure = new Error('a private detail');
  const answer = await call('GET', '/configs/webhook');
  expect([answer.status, answer.text.includes('private')]).toEqual([500, false]);
});

test.each(errorCodes)('%s has a body that the client can decode', (code) => {
  const error = new DomainError(code, 'Why.');
  const answer = renderFailure({ error, method: 'GET', route: null, allow: [], hasCredentials: true });
  expect(answer.body).toEqual({ error: expect.any(String) as unknown, message: 'Why.' });
});

test('params says what is wrong with which parameter, and only with invalid-parameter', () => {
  const violation = (field: string) => ({ field, code: 'x', message: `about ${field}` });
  const bodyOf = (...fields: string[]): unknown =>
    renderFailure({
      error: DomainError.invalid(fields.map(violation)),
      method: 'POST',
      route: null,
      allow: [],
      hasCredentials: true,
    }).body;
  expect(bodyOf('/url', '?limit')).toEqual({
    error: 'invalid-parameter',
    message: 'Not valid: url, limit.',
    params: { url: 'about /url', limit: 'about ?limit' },
  });
  expect(bodyOf('')).toEqual({ error: 'invalid-body', message: 'about ' });
});

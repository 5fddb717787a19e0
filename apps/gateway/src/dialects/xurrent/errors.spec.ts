import { DomainError, errorCodes } from '@posthorn/models';
import { renderFailure } from './errors.ts';

const render = (error: DomainError): ReturnType<typeof renderFailure> =>
  renderFailure(
    { error, method: 'GET', route: null, allow: [], hasCredentials: true },
    'https://example.com/limits',
  );

test.each([
  ['unauthenticated', 401, { message: 'Unauthorized' }],
  ['permission_denied', 403, { message: 'Forbidden' }],
  ['not_found', 404, { message: 'Not Found' }],
  ['method_not_allowed', 404, { message: 'Not Found' }],
  ['rate_limited', 429, { message: 'Too Many Requests', documentation_url: 'https://example.com/limits' }],
  ['unavailable', 503, { message: 'Service Unavailable' }],
  ['failed_precondition', 422, { message: 'Validation Failed', errors: [['base', 'Why.']] }],
] as const)('%s is %i %j', (code, status, body) => {
  expect(render(new DomainError(code, 'Why.'))).toMatchObject({ status, body });
});

test('503 and 429 say when to come back', () => {
  expect(render(new DomainError('unavailable', 'x')).headers).toMatchObject({ 'Retry-After': '1' });
  expect(render(new DomainError('rate_limited', 'x', { retryAfterMs: 1_500 })).headers).toMatchObject({
    'Retry-After': '2',
  });
});

test.each(errorCodes)('%s has a message', (code) => {
  expect(render(new DomainError(code, 'Why.')).body).toHaveProperty('message');
});

test('what config finds wrong is told under the field’s own name', () => {
  const error = DomainError.invalid([{ field: '/expiresInMinutes', code: 'x', message: 'Too many.' }]);
  expect(render(error).body).toEqual({
    message: 'Validation Failed',
    errors: [['jwt_claim_expires_in', 'Jwt claim expires in: Too many.']],
  });
});

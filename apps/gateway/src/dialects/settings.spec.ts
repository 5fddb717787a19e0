/** Which dialects are on, under which paths and names, is configuration; a start with overlapping paths is refused. */
import { ConfigError, readConfig } from '@posthorn/runtime';
import { fakeClients, tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, testConfig } from '../testing/test-gateway.harness.ts';
import { createSilentRoutes } from '../testing/silent-routes.harness.ts';
import { nativeClaims } from './prefixes.ts';
import { dialectConfigSpec, dialectsConfigOf, standardDialects, type DialectsConfig } from './settings.ts';

const read = (env: Record<string, string>): DialectsConfig =>
  dialectsConfigOf(readConfig(dialectConfigSpec, env));

test('without any variable, all are on as their originals are reached', () => {
  expect(read({})).toEqual(standardDialects);
  expect(read({ POSTHORN_DIALECTS: 'all' })).toEqual(standardDialects);
});

test('the ones that are named are on', () => {
  expect(Object.keys(read({ POSTHORN_DIALECTS: 'preo, ricloud' }))).toEqual(['ricloud', 'preo']);
  expect(read({ POSTHORN_DIALECTS: 'none' })).toEqual({});
});

test('an unknown name is an error', () => {
  expect(() => read({ POSTHORN_DIALECTS: 'ricloud,github' })).toThrow(ConfigError);
  expect(() => read({ POSTHORN_DIALECTS: 'standard' })).toThrow(/POSTHORN_DIALECTS must be/);
});

test('paths, names and the limit are set for each', () => {
  const { ricloud, xurrent } = read({
    POSTHORN_DIALECT_RICLOUD_PATH: '/hooks/ricloud, /r',
    POSTHORN_DIALECT_RICLOUD_BRAND: 'Our hooks',
    POSTHORN_DIALECT_XURRENT_PATH: '/',
    POSTHORN_DIALECT_XURRENT_REQUESTS_PER_HOUR: '10',
  });
  expect(ricloud).toEqual({ basePaths: ['/hooks/ricloud', '/r'], brand: 'Our hooks', requestsPerHour: null });
  expect(xurrent).toMatchObject({ basePaths: [''], requestsPerHour: 10 });
});

test.each(['hooks', '/hooks/', '//', '/a b', '/a//b', '/%61', '/a?b', '/ä'])('%s is no base path', (path) => {
  expect(() => read({ POSTHORN_DIALECT_PREO_PATH: path })).toThrow(/POSTHORN_DIALECT_PREO_PATH must be/);
});

test.each([
  [{ POSTHORN_DIALECT_RAPIDLY_PATH: '/' }, 'native and rapidly claim /'],
  [{ POSTHORN_DIALECT_RICLOUD_PATH: '/v1' }, 'native and ricloud claim /v1/events'],
  [{ POSTHORN_DIALECT_PREO_PATH: '/api/webhooks' }, 'rapidly and preo claim /api/webhooks'],
  [{ POSTHORN_DIALECT_PREO_PATH: '/api' }, 'rapidly claims /api/webhooks, which is within what preo claims'],
  [{ POSTHORN_DIALECT_XURRENT_PATH: '/api/webhooks' }, 'within what rapidly claims'],
  [{ POSTHORN_DIALECT_RAPIDLY_PATH: '/docs/api' }, 'within what native claims'],
  [{ POSTHORN_DIALECT_RAPIDLY_PATH: '/callbacks' }, 'native and rapidly claim /callbacks'],
  [{ POSTHORN_DIALECT_RAPIDLY_PATH: '/x,/x' }, 'rapidly and rapidly claim /x'],
])('overlapping prefixes are refused: %j', (env, message) => {
  expect(() => read(env)).toThrow(message);
});

test('paths that would overlap don’t matter while one of the two is off', () => {
  expect(read({ POSTHORN_DIALECT_PREO_PATH: '/api/webhooks', POSTHORN_DIALECTS: 'preo' })).toHaveProperty(
    'preo',
  );
});

test('what the native API has under /v1 is its own, whatever is configured', () => {
  const segments = createSilentRoutes(fakeClients(), testConfig).map(({ path }) =>
    path.split('/').slice(0, 3).join('/'),
  );
  expect(nativeClaims.prefixes).toEqual(expect.arrayContaining([...new Set(segments)]));
});

test('a dialect that is off is a native 404, and not in the reference', async () => {
  const running = await startTestGateway({ config: { dialects: { preo: standardDialects.preo } } });
  for (const path of [
    '/configs/webhook',
    '/webhook_policies',
    '/v1/webhook_policies',
    '/api/webhooks/endpoints',
    '/key',
  ]) {
    const answer = await running.fetch(path, { headers: { Authorization: `Token ${tokens.acme}` } });
    expect([answer.status, answer.body]).toMatchObject([404, { code: 'not_found' }]);
  }
  const paths = Object.keys(running.document['paths'] as object).filter((path) => !path.startsWith('/v1/'));
  expect(paths).not.toContain('/configs/webhook');
  await running.gateway.stop(1_000);
});

test('a dialect is served, and described, where it is configured', async () => {
  const dialects = { ricloud: { ...standardDialects.ricloud, basePaths: ['/old/api'], brand: 'Old API' } };
  const running = await startTestGateway({ config: { dialects } });
  const headers = { Authorization: 'Token nobody' };
  expect((await running.fetch('/old/api/configs/webhook', { headers })).body).toMatchObject({
    error: 'invalid-token',
  });
  expect((await running.fetch('/configs/webhook', { headers })).body).toMatchObject({ code: 'not_found' });
  expect(running.document['paths']).toHaveProperty(['/old/api/configs/webhook']);
  expect(running.document['tags']).toContainEqual(expect.objectContaining({ name: 'Old API' }));
  await running.gateway.stop(1_000);
});

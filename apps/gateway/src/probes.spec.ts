import { startTestGateway } from './testing/test-gateway.harness.ts';

test('alive and ready once it serves, without a key', async () => {
  const { gateway, fetch } = await startTestGateway();
  expect((await fetch('/livez')).body).toEqual({ status: 'live' });
  expect((await fetch('/readyz')).body).toEqual({ status: 'ready', reasons: [] });
  await gateway.stop(1_000);
});

test('not ready, with the reasons of others in the process, while it is alive', async () => {
  const { gateway, fetch } = await startTestGateway({ notReady: () => ['the database is being migrated'] });
  const answer = await fetch('/readyz');
  expect([answer.status, answer.body]).toEqual([
    503,
    { status: 'not ready', reasons: ['the database is being migrated'] },
  ]);
  expect((await fetch('/livez')).status).toBe(200);
  await gateway.stop(1_000);
});

test('metrics count requests by route and status, never by what was in the path', async () => {
  const { gateway, fetch, call } = await startTestGateway();
  await call('GET', '/v1/endpoints/some-endpoint');
  await fetch('/v1/endpoints/other');
  const { text, headers } = await fetch('/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain/);
  expect(text).toContain(
    'posthorn_http_requests_total{route="/v1/endpoints/{id}",method="get",status="404"} 1',
  );
  expect(text).toContain(
    'posthorn_http_requests_total{route="/v1/endpoints/{id}",method="get",status="401"} 1',
  );
  expect(text).toContain(
    'posthorn_http_request_duration_seconds_count{route="/v1/endpoints/{id}",method="get"} 2',
  );
  expect(text).not.toContain('some-endpoint');
  await gateway.stop(1_000);
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fakeClients } from '../../testing/fake-services.harness.ts';
import { createSilentRoutes } from '../../testing/silent-routes.harness.ts';
import { startTestGateway, testConfig, type TestGateway } from '../../testing/test-gateway.harness.ts';
import { problemKinds } from '../routing/problem.ts';

let running: TestGateway;
beforeAll(async () => {
  running = await startTestGateway();
});
afterAll(() => running.gateway.stop(1_000));

interface OperationObject {
  readonly operationId: string;
  /** Absent where an API key of the native API is needed; empty where none is. */
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, unknown>>;
}

function operations(): {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}[] {
  const paths = running.document['paths'] as Record<string, Record<string, OperationObject>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

test('the document passes all recommended rules of an independent linter, examples included', () => {
  const program = join(import.meta.dirname, '../../testing/lint-openapi.harness.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [program], {
    input: JSON.stringify(running.document),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([]);
});

test('every route is in the document, and every operation of the native API in the document is a route', () => {
  const routes = createSilentRoutes(fakeClients(), testConfig);
  const served = routes.map(({ method, path, operationId }) => `${method} ${path} ${operationId}`);
  const described = operations()
    .filter(({ operation }) => operation.security === undefined)
    .map(({ method, path, operation }) => `${method} ${path} ${operation.operationId}`);
  expect(described.toSorted()).toEqual(served.toSorted());
  expect(new Set(operations().map(({ operation }) => operation.operationId)).size).toBe(operations().length);
});

test('every operation of the document is answered: refused for want of a key, or openly where it is about anything', async () => {
  for (const { method, path, operation } of operations()) {
    const answer = await running.fetch(path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
    expect([method, path, answer.status]).toEqual([
      method,
      path,
      operation.security?.length === 0 ? (path.includes('{') ? 404 : 200) : 401,
    ]);
  }
});

test('every operation of the native API describes what a wrong key, a bad request and an outage answer', () => {
  const always = (
    ['invalid_argument', 'unauthenticated', 'permission_denied', 'internal', 'unavailable'] as const
  ).map((code) => String(problemKinds[code].status));
  for (const { path, operation } of operations().filter(
    ({ operation: { security } }) => security === undefined,
  )) {
    expect([path, Object.keys(operation.responses)]).toEqual([path, expect.arrayContaining(always)]);
  }
});

test('is served for tools under its own address', async () => {
  expect(running.document['servers']).toEqual([{ url: running.address }]);
  const answer = await running.fetch('/openapi.json');
  expect(answer.headers.get('content-type')).toBe('application/json');
});

test('names the public address where one is configured', async () => {
  const other = await startTestGateway({ config: { publicUrl: 'https://hooks.example.com' } });
  expect(other.document['servers']).toEqual([{ url: 'https://hooks.example.com' }]);
  await other.gateway.stop(1_000);
});

/**
 * Whatever is sent to a route of a dialect that is in the document, the answer is one that the document describes for it, in the
 * dialect's own shape, and never a fault of ours.
 */
import fc from 'fast-check';
import { createFakeEndpoints } from '../testing/fake-endpoints.harness.ts';
import { acme, globex, tokens } from '../testing/fake-services.harness.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.harness.ts';
import { dialectNames } from './prefixes.ts';
import { standardDialects } from './settings.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly fields: readonly string[];
  readonly scheme: 'Token' | 'Bearer';
}

const fake = createFakeEndpoints();
const ids: string[] = [];
let running: TestGateway;
let operations: readonly Operation[];

beforeAll(async () => {
  for (const dialect of dialectNames)
    ids.push(fake.add(dialect).id, fake.add(dialect, { organisationId: globex.id }).id);
  running = await startTestGateway({
    config: {
      dialects: { ...standardDialects, xurrent: { ...standardDialects.xurrent, requestsPerHour: null } },
    },
    handlers: {
      endpoints: fake.handlers,
      deliveries: {
        searchDeliveries: () => Promise.resolve({ items: [], total: 0n, hasMore: false }),
        searchAttempts: () => Promise.resolve({ items: [], total: 0n }),
      },
      tasks: { listTasks: () => Promise.resolve({ tasks: [], total: 0n, hasMore: false }) },
      policies: { listPolicies: () => Promise.resolve({ policies: [], nextCursor: '' }) },
      organisations: { listOrganisations: () => Promise.resolve({ organisations: [], nextCursor: '' }) },
    },
  });
  operations = operationsOf(running.document);
});
afterAll(() => running.gateway.stop(1_000));

interface OperationObject {
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: Operation['parameters'];
  readonly requestBody?: {
    readonly content: { 'application/json': { readonly schema: { readonly $ref?: string } } };
  };
}

function operationsOf(document: Record<string, unknown>): readonly Operation[] {
  const paths = document['paths'] as Record<string, Record<string, OperationObject>>;
  const { schemas } = document['components'] as { schemas: Record<string, { properties?: object }> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { security = [], parameters = [], requestBody }]) => {
      const [scheme] = Object.keys(security[0] ?? {});
      if (scheme === undefined) return [];
      const schema = requestBody?.content['application/json'].schema.$ref?.split('/').at(-1) ?? '';
      const fields = Object.keys(schemas[schema]?.properties ?? {});
      return [
        { method, path, parameters, fields, scheme: scheme === 'ricloudToken' ? 'Token' : 'Bearer' } as const,
      ];
    }),
  );
}

const oddText = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1',
    'true',
    'null',
    '%',
    '%00',
    '%FF',
    '%zz',
    '..',
    ',',
    '1,2',
    '>1<2',
    '!1',
    '[]',
  ),
  fc.constantFrom(
    '2026-01-31',
    '2026-01-31T12:00:00Z',
    '2026-01-31T12:00:00',
    'enabled',
    'new',
    '-created',
    '2xx',
  ),
  fc.constantFrom(acme.id, acme.slug, globex.id, '9'.repeat(40), 'x'.repeat(3_000)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => encodeURIComponent(text)),
);
const idText = fc.oneof(
  fc.nat(7).map((index) => ids[index] ?? 'x'),
  oddText.filter((text) => !/^(?:|\.\.?)$/.test(text)),
);
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    'https://example.com/x',
    'http://10.0.0.1',
    acme.id,
    globex.id,
    ['share.created'],
    'raw',
    'rs256',
  ),
  fc.constantFrom<unknown>(
    'x'.repeat(40),
    5,
    '01:30',
    true,
    1e300,
    -0,
    'x'.repeat(3_000),
    [[[[]]]],
    'deactivated',
  ),
);
const rawBody = fc.constantFrom(
  '',
  '{',
  '{"url": "x",}',
  '[]',
  'null',
  '"\\ud800"',
  'a=b',
  `${'['.repeat(300)}`,
  '\u0000',
);

const request = fc.nat().chain((number) => {
  const index = number % operations.length;
  const { parameters, fields, path } = operations[index] as Operation;
  const inQuery = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  return fc.record({
    operation: fc.constant(operations[index] as Operation),
    params: fc.tuple(...[...path.matchAll(/\{/g)].map(() => idText)),
    query: fc.array(fc.tuple(fc.constantFrom(...inQuery, 'strange', 'limit'), oddText), { maxLength: 4 }),
    body: fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .dictionary(fc.constantFrom(...fields, 'strange'), oddValue)
          .map((value) => JSON.stringify(value)),
      },
      { weight: 1, arbitrary: oddValue.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: rawBody },
    ),
    token: fc.constantFrom(tokens.acme, tokens.acme, tokens.operator, tokens.reader, 'nobody'),
  });
});

test('no request makes a dialect fail, or answer in another’s shape', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ operation, params, query, body, token }) => {
      const rest = [...params];
      const path = operation.path.replaceAll(/\{\w+\}/g, () => rest.shift() ?? 'x');
      const search = query.map(([name, value]) => `${name}=${value}`).join('&');
      const answer = await running.fetch(search === '' ? path : `${path}?${search}`, {
        method: operation.method.toUpperCase(),
        headers: { Authorization: `${operation.scheme} ${token}` },
        ...(operation.method !== 'get' && { body }),
      });
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 600 },
  );
});

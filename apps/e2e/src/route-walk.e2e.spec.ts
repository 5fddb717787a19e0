/**
 * Every route of the OpenAPI document, native and dialects, with whatever may be sent there: wrong types and ranges, repeated and empty
 * parameters, broken encodings, unknown and foreign ids, bodies that are no JSON. Nothing is a fault of ours, and nothing answers
 * otherwise than the document says: not with another status, and not in another API's shape.
 */
import { startReceiver, type Receiver } from '@posthorn/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { preparePlatform, type PlatformProcess } from './platform-process.ts';
import { createTenant, type Tenant } from './tenant.ts';

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly (Json & { readonly name: string; readonly in: string })[];
  readonly hasBody: boolean;
  readonly fields: readonly string[];
  readonly scheme: string | undefined;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Json }>> }>
  >;
}

let platform: PlatformProcess;
let receiver: Receiver;
let tenant: Tenant;
let operations: readonly Operation[];
/** Ids that there are, of the tenant and of another one, and some that there aren't. */
let ids: readonly string[];
let isDescribed: (operation: Operation, status: number, type: string, body: unknown) => string | null;

const dialects = ['standard', 'ricloud', 'xurrent', 'rapidly', 'preo'] as const;

beforeAll(async () => {
  platform = await preparePlatform({ env: { POSTHORN_DIALECT_XURRENT_REQUESTS_PER_HOUR: '1000000' } });
  await platform.start();
  receiver = await startReceiver();
  tenant = await createTenant(platform);
  const other = await createTenant(platform);
  const found: string[] = [tenant.id, other.id, tenant.slug];
  for (const owner of [tenant, other]) {
    const policy = await owner.ok<{ id: string; number: number }>('POST', '/v1/policies', {
      algorithm: 'es256',
    });
    found.push(policy.id, String(policy.number));
    for (const dialect of dialects) {
      const policyOf = dialect === 'xurrent' ? { policy: policy.id } : {};
      const { id } = await owner.ok<{ id: string }>('POST', '/v1/endpoints', {
        url: receiver.url,
        dialect,
        ...policyOf,
      });
      found.push(id);
    }
    const event = await owner.publish({ type: 'share.created', data: { id: 1 } });
    const page = await owner.ok<{ data: { id: string }[] }>('GET', '/v1/deliveries');
    found.push(event.id, ...page.data.map(({ id }) => id));
  }
  ids = found;
  const document = (await (await fetch(`${platform.url}/openapi.json`)).json()) as Json;
  operations = operationsOf(document);
  isDescribed = describer(document);
});
afterAll(async () => {
  await platform.dispose();
  await receiver.close();
});

function operationsOf(document: Json): readonly Operation[] {
  const resolve = (value: Json): Json => {
    const reference = value['$ref'];
    if (typeof reference !== 'string') return value;
    const parts = reference.slice(2).split('/');
    return parts.reduce<unknown>((at, part) => (at as Json)[part], document) as Json;
  };
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const body = operation['requestBody'] as { content?: Record<string, { schema: Json }> } | undefined;
      const schema = resolve(body?.content?.['application/json']?.schema ?? {});
      const [security] = (operation['security'] ?? []) as Json[];
      const responses = operation['responses'] as Readonly<Record<string, Json>>;
      return {
        method: method.toUpperCase(),
        path,
        parameters: ((operation['parameters'] ?? []) as Json[]).map(
          (parameter) => resolve(parameter) as Operation['parameters'][number],
        ),
        hasBody: body !== undefined,
        fields: Object.keys(schema['properties'] ?? {}),
        scheme: Object.keys(security ?? {})[0],
        responses: Object.fromEntries(
          Object.entries(responses).map(([status, response]) => [status, resolve(response)]),
        ),
      };
    }),
  );
}

/** Says what is otherwise than in the document; null when nothing is. */
function describer(document: Json): typeof isDescribed {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: 'https://document.test/' });
  const absolute = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(absolute);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [
        key,
        key === '$ref' && typeof part === 'string' ? `https://document.test/${part}` : absolute(part),
      ]),
    );
  };
  return ({ responses }, status, type, body) => {
    const described = responses[String(status)];
    if (described === undefined) return `the status ${status} is not in the document`;
    if (type === '') return null;
    const media = described.content?.[type];
    if (media === undefined) return `the content type ${type} is not in the document for ${status}`;
    if (!type.endsWith('json')) return null;
    const validate = ajv.compile(absolute(media.schema) as Json);
    return validate(body) ? null : `the body is otherwise: ${ajv.errorsText(validate.errors)}`;
  };
}

const junk = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    '1e9',
    '99999999999999999999',
    'null',
    'true',
    '%00',
    '%',
    '%ff',
    '%2F',
    '..%2f..',
    'a%20b',
    "'",
    '"',
    '<',
    '>=',
    '[]',
    '{}',
    '1,2',
    '!1',
    '=>',
    '\u{1f4ef}',
  ),
  fc.string({ maxLength: 20 }).map(encodeURIComponent),
  fc.integer({ min: 1, max: 3 }).map((size) => 'x'.repeat(size * 150)),
  fc.constantFrom(
    // None of them may be a segment of a route of its own.
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    '2026-13-01T00:00:00Z',
    'created',
    '-name',
    '2xx',
    'share.created',
    'valid',
  ),
);

const value = fc.oneof(
  { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 2 },
  {
    arbitrary: fc.constantFrom<unknown>(
      'https://example.com/hook',
      'http://10.0.0.1/',
      'http://[::1]/',
      'ftp://x',
      'https://user:pw@example.com/',
      ['share.created'],
      [''],
      'es256',
      'raw',
      'slack',
      0,
      -1,
      1.5,
      60,
      1e21,
      '00:10',
      'deactivated',
      true,
      'yes',
      null,
    ),
    weight: 3,
  },
);

const brokenBodies = [
  '',
  'null',
  '[]',
  '{',
  '{"a":1,}',
  '"',
  'NaN',
  `${'['.repeat(5000)}`,
  `{"url":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`,
  '{"a":1}{"b":2}',
  '\u0000',
];

interface Attempt {
  readonly at: number;
  readonly segments: readonly (string | number)[];
  readonly query: readonly (readonly [at: number, value: string | number])[];
  readonly fields: readonly (readonly [at: number, value: unknown])[];
  readonly broken: string | Uint8Array | null;
  readonly credentials: 'good' | 'good' | 'good' | 'none' | 'bad' | 'other scheme';
}

const anId = fc.nat(500);
const attempt: fc.Arbitrary<Attempt> = fc.record({
  at: fc.nat(10_000),
  segments: fc.array(fc.oneof(anId, anId, junk), { minLength: 3, maxLength: 3 }),
  query: fc.array(fc.tuple(fc.nat(50), fc.oneof(anId, junk)), { maxLength: 4 }),
  fields: fc.array(fc.tuple(fc.nat(50), value), { maxLength: 6 }),
  broken: fc.oneof(
    { arbitrary: fc.constant(null), weight: 6 },
    {
      arbitrary: fc.constantFrom<string | Uint8Array>(...brokenBodies, Uint8Array.of(0xff, 0xfe, 0x7b)),
      weight: 1,
    },
  ),
  credentials: fc.constantFrom('good', 'good', 'good', 'good', 'good', 'none', 'bad', 'other scheme'),
});

function urlOf(operation: Operation, { segments, query }: Attempt): string {
  let used = 0;
  const text = (given: string | number): string =>
    typeof given === 'number' ? encodeURIComponent(ids[given % ids.length] ?? '') : given;
  const path = operation.path.replaceAll(
    /\{[^}]+\}/g,
    () => text(segments[used++ % segments.length] ?? '') || '%20',
  );
  const names = operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const pairs = query.map(
    ([at, given]) => `${encodeURIComponent(names[at % (names.length + 1)] ?? 'other')}=${text(given)}`,
  );
  return `${platform.url}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
}

function headersOf({ scheme }: Operation, { credentials }: Attempt): Record<string, string> {
  if (scheme === undefined || credentials === 'none') return {};
  if (credentials === 'bad') return { authorization: 'Bearer nonsense' };
  if (credentials === 'other scheme') return { authorization: `Digest ${tenant.key}` };
  return { authorization: `${scheme === 'ricloudToken' ? 'Token' : 'Bearer'} ${tenant.key}` };
}

function bodyOf(
  operation: Operation,
  { fields, broken }: Attempt,
): string | Uint8Array<ArrayBuffer> | undefined {
  if (!operation.hasBody) return undefined;
  if (broken !== null) return typeof broken === 'string' ? broken : new Uint8Array(broken);
  const names = [...operation.fields, 'other'];
  return JSON.stringify(Object.fromEntries(fields.map(([at, given]) => [names[at % names.length], given])));
}

test('no request to any route is a fault of ours, or answered otherwise than the document says', async () => {
  const walked = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(attempt, { minLength: 8, maxLength: 8 }), async (attempts) => {
      await Promise.all(
        attempts.map(async (tried) => {
          const operation = operations[tried.at % operations.length];
          if (operation === undefined) throw new Error('There are no routes.');
          const { method } = operation;
          const body = bodyOf(operation, tried);
          const response = await fetch(urlOf(operation, tried), {
            method,
            headers: headersOf(operation, tried),
            redirect: 'manual',
            ...(body !== undefined && { body }),
          });
          walked.add(`${method} ${operation.path}`);
          const text = await response.text();
          const type = response.headers.get('content-type')?.split(';')[0] ?? '';
          const parsed: unknown = type.endsWith('json') ? JSON.parse(text) : undefined;
          const wrong =
            response.status >= 500
              ? 'a fault of ours'
              : isDescribed(operation, response.status, text === '' ? '' : type, parsed);
          if (wrong !== null) {
            const sent = typeof body === 'string' ? body.slice(0, 500) : '';
            throw new Error(
              `${method} ${response.url} ${sent}\n→ ${response.status} ${text.slice(0, 500)}\n${wrong}`,
            );
          }
          expect(response.headers.get('x-request-id')).not.toBeNull();
        }),
      );
    }),
    { numRuns: 250, endOnFailure: true },
  );
  // At random, but so often that hardly any is left out.
  expect(walked.size).toBeGreaterThan(operations.length * 0.9);
});

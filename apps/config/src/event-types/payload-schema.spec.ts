import { checkPayloadSchema } from './payload-schema.ts';

function problems(schema: unknown): string[] {
  return checkPayloadSchema(JSON.stringify(schema)).map(({ field, code }) => `${field} ${code}`);
}

describe("the check of an event type's schema", () => {
  it.each([
    {},
    { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
    { $defs: { money: { type: 'string', pattern: '^\\d+$' } }, $ref: '#/$defs/money' },
    { type: 'string', format: 'email', 'x-internal': 'an annotation' },
    { format: 'a-format-that-nobody-knows' },
    { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' },
    { prefixItems: [{ type: 'string' }], unevaluatedItems: false },
  ])('accepts %j', (schema) => {
    expect(problems(schema)).toEqual([]);
  });

  it('accepts one $id again and again: each schema stands alone', () => {
    expect(problems({ $id: 'https://example.com/a', type: 'object' })).toEqual([]);
    expect(problems({ $id: 'https://example.com/a', type: 'string' })).toEqual([]);
  });

  it('points at what is wrong in the schema', () => {
    expect(problems({ type: 'objekt', properties: { a: { minimum: 'x' } } })).toEqual(
      expect.arrayContaining(['/schema/type invalid_schema', '/schema/properties/a/minimum invalid_schema']),
    );
  });

  it('fetches nothing: a reference to elsewhere is refused and named', () => {
    const [violation] = checkPayloadSchema(JSON.stringify({ $ref: 'http://127.0.0.1:1/schema.json' }));
    expect(violation?.message).toContain('http://127.0.0.1:1/schema.json');
  });

  it.each([{ $async: true }, { $defs: { a: { $dynamicAnchor: 'a', $async: true } } }])(
    'refuses %j, which would make of the check a promise that nobody waits for',
    (schema) => {
      expect(problems(schema)).toEqual(['/schema invalid_schema']);
    },
  );

  it('refuses a regular expression that does not compile', () => {
    expect(problems({ pattern: '(' })).toEqual([expect.stringMatching(/invalid_schema$/)]);
  });

  it('refuses schemas of another draft', () => {
    expect(problems({ $schema: 'http://json-schema.org/draft-04/schema#' })).toEqual([
      '/schema invalid_schema',
    ]);
  });

  it('compiles what is nested as deep as JSON may be here', () => {
    const deep = '{"not":'.repeat(127) + '{}' + '}'.repeat(127);
    expect(checkPayloadSchema(deep)).toEqual([]);
  });
});

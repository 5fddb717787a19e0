import { createPayloadSchemas } from './payload-schema.ts';

function schemas() {
  const broken: unknown[] = [];
  const { check } = createPayloadSchemas((error) => broken.push(error));
  return {
    check: (schemaJson: string, payload: unknown) =>
      check(schemaJson, payload, JSON.stringify(payload).length),
    broken,
  };
}

const order = JSON.stringify({
  type: 'object',
  required: ['id', 'lines'],
  properties: {
    id: { type: 'integer' },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { type: 'string' } } } },
    'a/b': { type: 'string' },
  },
  additionalProperties: false,
});

/** Each of the definitions refers to the next one twice. */
function doublingReferences(steps: number): object {
  const step = (index: number) => ({ $ref: `#/$defs/${index}` });
  const $defs = Object.fromEntries(
    Array.from({ length: steps }, (_, index) => [index, { allOf: [step(index + 1), step(index + 1)] }]),
  );
  return { $defs: { ...$defs, [steps]: {} }, ...step(0) };
}

describe('checking a payload against its schema', () => {
  it('finds nothing wrong with one that fits', () => {
    expect(schemas().check(order, { id: 1, lines: [{ sku: 'x' }] })).toEqual([]);
  });

  it('points at every thing that is wrong, from /data on', () => {
    const violations = schemas().check(order, { id: 'one', lines: [{ sku: 1 }], 'a/b': 2, extra: true });
    expect(violations.map(({ field, code }) => [field, code])).toEqual(
      expect.arrayContaining([
        ['/data/id', 'schema_type'],
        ['/data/lines/0/sku', 'schema_type'],
        ['/data/a~1b', 'schema_type'],
        ['/data', 'schema_additional_properties'],
      ]),
    );
    expect(schemas().check(order, 7)).toMatchObject([{ field: '/data', code: 'schema_type' }]);
  });

  it('bounds how much it complains', () => {
    const numbers = JSON.stringify({ type: 'array', items: { type: 'string' } });
    expect(
      schemas().check(
        numbers,
        Array.from({ length: 10_000 }, () => 1),
      ),
    ).toHaveLength(50);
  });

  it('keeps schemas of the same $id apart', () => {
    const { check } = schemas();
    const text = JSON.stringify({ $id: 'https://example.com/order', type: 'string' });
    const number = JSON.stringify({ $id: 'https://example.com/order', type: 'number' });
    expect(check(text, 'x')).toEqual([]);
    expect(check(number, 1)).toEqual([]);
    expect(check(number, 'x')).toHaveLength(1);
  });

  it('checks formats', () => {
    const email = JSON.stringify({ type: 'string', format: 'email' });
    expect(schemas().check(email, 'a@example.com')).toEqual([]);
    expect(schemas().check(email, 'nobody')).toMatchObject([{ field: '/data', code: 'schema_format' }]);
  });

  it('is not stopped by a regular expression that explodes', () => {
    const evil = JSON.stringify({ type: 'object', properties: { name: { pattern: '^(a+)+$' } } });
    const { check } = schemas();
    const startedAt = performance.now();
    expect(check(evil, { name: `${'a'.repeat(50)}!` })).toMatchObject([{ code: 'schema_time_limit' }]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(check(evil, { name: 'aaa' })).toEqual([]);
    expect(check(evil, { name: 'b' })).toMatchObject([{ field: '/data/name', code: 'schema_pattern' }]);
  });

  it.each<readonly [string, object, unknown]>([
    ['whose references double at each step', doublingReferences(40), {}],
    [
      'that compares each element with each',
      { uniqueItems: true },
      Array.from({ length: 20_000 }, (_, index) => ({ index })),
    ],
    [
      'that tries a thousand alternatives on each element',
      { items: { anyOf: Array.from({ length: 1_000 }, () => ({ const: 1 })) } },
      new Array(100_000).fill(0),
    ],
  ])('is not stopped by a schema %s', (_what, schema, payload) => {
    const startedAt = performance.now();
    expect(schemas().check(JSON.stringify(schema), payload)).toMatchObject([{ code: 'schema_time_limit' }]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('is not stopped by a schema that refers to itself without end', () => {
    // Which of the two ends it first is up to the machine.
    const [violation] = schemas().check('{"$ref":"#"}', 1);
    expect(['schema_endless', 'schema_time_limit']).toContain(violation?.code);
  });

  it('counts only what a payload holds itself, not what every object has', () => {
    const schema = JSON.stringify({
      required: ['toString'],
      properties: { constructor: { type: 'string' } },
    });
    expect(schemas().check(schema, { toString: 1 })).toEqual([]);
    expect(schemas().check(schema, {})).toMatchObject([{ code: 'schema_required' }]);
  });

  it.each([
    { $async: true, type: 'string' },
    { $dynamicRef: '#a', $defs: { a: { $dynamicAnchor: 'a', $async: true, type: 'string' } } },
  ])('promises nothing: %j is broken', (schema) => {
    const { check, broken } = schemas();
    expect(check(JSON.stringify(schema), 1)).toEqual([]);
    expect(broken).toHaveLength(1);
  });

  it('reports a schema that does not compile, once, and refuses nothing for it', () => {
    const { check, broken } = schemas();
    const missing = JSON.stringify({ $ref: 'https://example.com/elsewhere' });
    expect(check(missing, 1)).toEqual([]);
    expect(check(missing, 2)).toEqual([]);
    expect(check('not JSON', 2)).toEqual([]);
    expect(broken).toHaveLength(2);
  });
});

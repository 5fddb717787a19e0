import fc from 'fast-check';
import { checkFilter, compileFilter } from './filter.ts';

// Few names and few values, so that filters and payloads meet.
const name = fc.constantFrom('a', 'b', 'c', '0', '1', '__proto__', 'length');
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, 'a', 'ab', 'abc', ''),
  fc.integer({ min: -2, max: 3 }),
  fc.double({ min: -2, max: 3, noNaN: true }),
);
const { value: payload } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));

const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'));
const operand = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 2 }),
  fc.dictionary(name, scalar, { maxKeys: 2, noNullPrototype: false }),
);
const comparable = scalar.filter((value) => typeof value === 'number' || typeof value === 'string');
const operators: fc.Arbitrary<Record<string, unknown>> = fc
  .record(
    {
      $eq: operand,
      $ne: operand,
      $gt: comparable,
      $gte: comparable,
      $lt: comparable,
      $lte: comparable,
      $in: fc.array(operand, { minLength: 1, maxLength: 3 }),
      $nin: fc.array(operand, { minLength: 1, maxLength: 3 }),
      $exists: fc.boolean(),
      $startsWith: fc.constantFrom('', 'a', 'ab'),
      $endsWith: fc.constantFrom('', 'b', 'bc'),
      $contains: scalar,
    },
    { requiredKeys: [], noNullPrototype: true },
  )
  .filter((each) => Object.keys(each).length > 0);

const { filter } = fc.letrec<{ filter: Record<string, unknown> }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2 },
    fc.tuple(path, fc.oneof(scalar, operators)).map(([key, condition]) => asOwn(key, condition)),
    fc.tuple(path, operators).map(([key, condition]) => asOwn(key, { $not: condition })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((list) => ({ $and: list })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((list) => ({ $or: list })),
    tie('filter').map((inner) => ({ $not: inner })),
  ),
}));

/** As JSON.parse makes it: `__proto__` is a member like any other. */
function asOwn(key: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries([[key, value]]);
}

function matches(json: unknown, value: unknown): boolean {
  const compiled = compileFilter(json);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.violations));
  return compiled.filter.matches(value);
}

describe('a filter, whatever it says and whatever the payload', () => {
  it('answers without an exception, and explain agrees with matches', () => {
    fc.assert(
      fc.property(filter, fc.oneof(payload, fc.jsonValue()), (json, value) => {
        const compiled = compileFilter(json);
        if (!compiled.ok) throw new Error(JSON.stringify(compiled.violations));
        const explained = compiled.filter.explain(value);
        expect(explained.matches).toBe(compiled.filter.matches(value));
        expect(explained.because).toMatch(/\.$/);
      }),
      { numRuns: 500 },
    );
  });

  it('answers the opposite under $not, once or thrice', () => {
    fc.assert(
      fc.property(filter, payload, (json, value) => {
        const plain = matches(json, value);
        expect(matches({ $not: json }, value)).toBe(!plain);
        expect(matches({ $not: { $not: { $not: json } } }, value)).toBe(!plain);
      }),
    );
  });

  it('obeys De Morgan: $or of two is $not of $and of their opposites', () => {
    fc.assert(
      fc.property(filter, filter, payload, (first, second, value) => {
        const or = matches({ $or: [first, second] }, value);
        expect(or).toBe(matches(first, value) || matches(second, value));
        expect(or).toBe(matches({ $not: { $and: [{ $not: first }, { $not: second }] } }, value));
      }),
    );
  });

  it('takes several members, and several operators, as $and', () => {
    fc.assert(
      fc.property(path, operators, payload, (key, condition, value) => {
        const single = Object.entries(condition).map(([op, operand]) => asOwn(key, asOwn(op, operand)));
        expect(matches(asOwn(key, condition), value)).toBe(matches({ $and: single }, value));
      }),
    );
  });

  it('has $ne and $nin as opposites of $eq and $in, a plain value as $eq, and $in as $or of $eq', () => {
    fc.assert(
      fc.property(path, fc.array(scalar, { minLength: 1, maxLength: 3 }), payload, (key, list, value) => {
        const [first] = list;
        const equal = matches(asOwn(key, { $eq: first }), value);
        expect(matches(asOwn(key, first), value)).toBe(equal);
        expect(matches(asOwn(key, { $ne: first }), value)).toBe(!equal);
        const isIn = matches(asOwn(key, { $in: list }), value);
        expect(matches(asOwn(key, { $nin: list }), value)).toBe(!isIn);
        expect(matches({ $or: list.map((each) => asOwn(key, { $eq: each })) }, value)).toBe(isIn);
      }),
    );
  });

  it('orders two numbers, or two strings, in exactly one way', () => {
    fc.assert(
      fc.property(comparable, comparable, (operand, value) => {
        const holds = ['$lt', '$eq', '$gt'].filter((op) => matches({ a: asOwn(op, operand) }, { a: value }));
        expect(holds).toHaveLength(typeof operand === typeof value ? 1 : 0);
      }),
    );
  });

  it('finds each member by its path, with dots and backslashes of names escaped', () => {
    const names = fc.array(
      fc.string({ minLength: 1, unit: fc.constantFrom('.', '\\', 'a', '$', '0', '/') }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(names, (segments) => {
        const nested = segments.reduceRight<unknown>((inner, segment) => asOwn(segment, inner), 'found');
        const key = segments.map((segment) => segment.replace(/[\\.]|^\$/g, '\\$&')).join('.');
        expect(matches(asOwn(key, 'found'), nested)).toBe(true);
        expect(matches(asOwn(key, 'lost'), nested)).toBe(false);
      }),
    );
  });
});

describe('compileFilter, whatever it is given', () => {
  it('answers with a filter or with violations that point into what was given', () => {
    const key = fc.oneof(
      name,
      fc.constantFrom('$and', '$or', '$not', '$in', '$eq', '$gt', '$exists', 'a..b'),
    );
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        scalar,
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(key, tie('json'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        for (const { field } of checkFilter(value)) {
          const found = field
            .split('/')
            .slice(1)
            .reduce<unknown>((inner, segment) => (inner as Record<string, unknown>)[segment], value);
          expect(found).not.toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });
});

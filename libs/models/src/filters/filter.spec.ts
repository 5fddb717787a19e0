import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkFilter,
  compileFilter,
  maxFilterBytes,
  maxFilterClauses,
  maxFilterDepth,
  type Filter,
} from './filter.ts';
import { filterOperators } from './filter-operator.ts';
import { maxElementsVisited } from './filter-path.ts';
import { MatchEffort } from './match-effort.ts';

const order = {
  id: 'ord_1',
  amount: 120.5,
  paid: true,
  note: null,
  customer: { country: 'NL', 'e.mail': 'a@example.com', $tier: 'gold' },
  tags: ['new', 'priority'],
  items: [
    { sku: 'A-1', price: 5, colours: ['red', 'blue'] },
    { sku: 'B-2', price: 90 },
  ],
  matrix: [
    [1, 2],
    [3, 4],
  ],
};

function filterOf(json: unknown): Filter {
  const compiled = compileFilter(json);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.violations));
  return compiled.filter;
}

const tooExpensive = expect.objectContaining({ code: 'failed_precondition' }) as Error;
const matches = (json: unknown, payload: unknown): boolean => filterOf(json).matches(payload);

describe('a filter matches', () => {
  it.each([
    [{}],
    [{ id: 'ord_1' }],
    [{ id: { $eq: 'ord_1' }, amount: 120.5 }],
    [{ note: null }],
    [{ 'customer.country': 'NL' }],
    [{ 'customer.e\\.mail': { $endsWith: '@example.com' } }],
    [{ 'customer.$tier': 'gold' }],
    [{ 'customer.country': { $ne: 'US' } }],
    [{ 'customer.city': { $ne: 'Paris' } }],
    [{ amount: { $gt: 120, $gte: 120.5, $lt: 121, $lte: 120.5 } }],
    [{ id: { $gt: 'ord_0', $lt: 'ord_2' } }],
    [{ 'customer.country': { $in: ['BE', 'NL'] } }],
    [{ customer: { $in: [{ $tier: 'gold', 'e.mail': 'a@example.com', country: 'NL' }] } }],
    [{ 'customer.country': { $nin: ['DE', 'US'] } }],
    [{ note: { $exists: true } }],
    [{ nothing: { $exists: false } }],
    [{ id: { $startsWith: 'ord_', $contains: 'rd', $endsWith: '1' } }],
    [{ amount: { $not: { $gt: 500 } } }],
    [{ $and: [{ paid: true }, { amount: { $gt: 100 } }] }],
    [{ $or: [{ paid: false }, { amount: { $gt: 100 } }] }],
    [{ $not: { paid: false } }],
  ])('when what it says is so: %j', (json) => {
    expect(matches(json, order)).toBe(true);
  });

  it.each([
    [{ id: 'ord_2' }],
    [{ id: 'ord_1', paid: false }],
    [{ amount: '120.5' }],
    [{ paid: 'true' }],
    [{ nothing: null }],
    [{ 'customer.e.mail': { $exists: true } }],
    [{ 'customer.country': { $ne: 'NL' } }],
    [{ amount: { $gt: 120, $lt: 120.5 } }],
    [{ amount: { $gt: '1' } }],
    [{ id: { $gt: 1 } }],
    [{ note: { $lte: 0 } }],
    [{ 'customer.country': { $in: ['BE', 'DE'] } }],
    [{ nothing: { $exists: true } }],
    [{ note: { $exists: false } }],
    [{ amount: { $startsWith: '1' } }],
    [{ id: { $contains: 1 } }],
    [{ $and: [{ paid: true }, { amount: { $gt: 500 } }] }],
    [{ $or: [{ paid: false }, { amount: { $gt: 500 } }] }],
    [{ $not: { paid: true } }],
  ])('not when it is not so: %j', (json) => {
    expect(matches(json, order)).toBe(false);
  });
});

describe('arrays', () => {
  it.each([
    [{ 'items.0.sku': 'A-1' }, true],
    [{ 'items.1.sku': 'A-1' }, false],
    [{ 'items.2.sku': { $exists: true } }, false],
    [{ 'items.sku': 'B-2' }, true],
    [{ 'items.sku': { $ne: 'B-2' } }, false],
    [{ 'items.colours': 'blue' }, true],
    [{ 'items.colours.1': 'blue' }, true],
    [{ 'items.price': { $gt: 50, $lt: 10 } }, true],
    [{ tags: 'new' }, true],
    [{ tags: { $eq: ['new', 'priority'] } }, true],
    [{ tags: { $eq: ['priority', 'new'] } }, false],
    [{ tags: { $startsWith: 'prio' } }, true],
    [{ tags: { $contains: 'new' } }, true],
    [{ tags: { $contains: 'ne' } }, false],
    [{ 'items.sku': { $contains: '-2' } }, true],
    [{ matrix: { $contains: [3, 4] } }, true],
    [{ 'matrix.1.0': 3 }, true],
    [{ matrix: 3 }, false],
  ])('are tried element by element, by index where a path says so: %j is %j', (json, expected) => {
    expect(matches(json, order)).toBe(expected);
  });

  it('are looked at up to a bound, so that no payload makes a clause expensive', () => {
    const long = Array.from({ length: maxElementsVisited + 1 }, (_, index) => index);
    expect(matches({ list: maxElementsVisited - 1 }, { list: long })).toBe(true);
    expect(matches({ list: maxElementsVisited }, { list: long })).toBe(false);
    const objects = long.map((value) => ({ value }));
    expect(matches({ 'list.value': maxElementsVisited }, { list: objects })).toBe(false);
  });

  const elements = Array.from({ length: 500 }, () => ({ a: -1 }));
  it.each<readonly [string, unknown, unknown]>([
    [
      'each element with each of many objects',
      { list: { $nin: Array.from({ length: 20 }, (_, a) => ({ a })) } },
      { list: elements },
    ],
    [
      'a long text with each place of a longer one',
      { text: { $not: { $contains: 'b'.repeat(1000) } } },
      { text: 'a'.repeat(2000) },
    ],
    [
      'an array with one clause after the other',
      { $and: Array.from({ length: 50 }, () => ({ list: { $not: { $contains: 1 } } })) },
      { list: elements },
    ],
    [
      'the elements along a path for one clause after the other',
      { $and: Array.from({ length: 50 }, () => ({ 'list.b': { $exists: false } })) },
      { list: elements },
    ],
  ])('are compared within a bound: %s', (_what, json, payload) => {
    expect(filterOf(json).matches(payload, new MatchEffort(100_000))).toBe(true);
    expect(() => filterOf(json).matches(payload, new MatchEffort(10_000))).toThrow(tooExpensive);
  });

  it('are compared within a bound that is there where nobody says one', () => {
    const filter = filterOf({ text: { $contains: 'b'.repeat(15_000) } });
    const payload = { text: 'a'.repeat(240_000) };
    expect(() => filter.matches(payload)).toThrow(tooExpensive);
    expect(() => filter.explain(payload)).toThrow(tooExpensive);
  });
});

describe('payloads of any kind', () => {
  it.each([[null], [true], [3], ['text'], [[]], [[{ id: 'x' }]], [undefined]])(
    '%j answers without an exception, and has no member that it does not own',
    (payload) => {
      for (const path of ['id', 'length', 'constructor', '__proto__', 'toString.name', '0.id']) {
        expect(matches({ [path]: { $exists: true } }, payload)).toBe(
          (path === 'id' || path === '0.id') && Array.isArray(payload) && payload.length > 0,
        );
      }
    },
  );

  it('may have members with the names of what objects inherit', () => {
    const payload: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":"c"}');
    expect(matches({ '__proto__.a': 1, constructor: 'c' }, payload)).toBe(true);
  });

  it('compare numbers as JavaScript does: 1.0 is 1, and what lies beyond 2^53 equals no operand', () => {
    expect(matches({ n: 1 }, JSON.parse('{"n":1.0}'))).toBe(true);
    expect(matches({ n: Number.MAX_SAFE_INTEGER }, JSON.parse('{"n":9007199254740993}'))).toBe(false);
  });
});

describe('compileFilter', () => {
  it.each([
    [[], '', 'invalid_type'],
    ['text', '', 'invalid_type'],
    [null, '', 'invalid_type'],
    [{ $nor: [] }, '/$nor', 'unknown_operator'],
    [{ $gt: 1 }, '/$gt', 'unknown_operator'],
    [{ a: { $regex: 'x' } }, '/a/$regex', 'unknown_operator'],
    [{ a: { toString: 'x' } }, '/a/toString', 'unknown_operator'],
    [{ a: { b: 1 } }, '/a/b', 'unknown_operator'],
    [{ a: {} }, '/a', 'empty'],
    [{ a: [1, 2] }, '/a', 'invalid_operand'],
    [{ a: { $not: 1 } }, '/a/$not', 'invalid_operand'],
    [{ a: { $not: {} } }, '/a/$not', 'empty'],
    [{ $and: [] }, '/$and', 'invalid_operand'],
    [{ $or: { a: 1 } }, '/$or', 'invalid_operand'],
    [{ $or: [{ a: 1 }, 5] }, '/$or/1', 'invalid_type'],
    [{ $or: [{}] }, '/$or/0', 'empty'],
    [{ $not: [] }, '/$not', 'invalid_type'],
    [{ '': 1 }, '/', 'invalid_path'],
    [{ 'a..b': 1 }, '/a..b', 'invalid_path'],
    [{ 'a.': 1 }, '/a.', 'invalid_path'],
    [{ 'a\\': 1 }, '/a\\', 'invalid_path'],
    [{ 'a/b~c.': 1 }, '/a~1b~0c.', 'invalid_path'],
    [{ a: { $gt: null } }, '/a/$gt', 'invalid_operand'],
    [{ a: { $gt: [1] } }, '/a/$gt', 'invalid_operand'],
    [{ a: { $in: 'x' } }, '/a/$in', 'invalid_operand'],
    [{ a: { $in: [] } }, '/a/$in', 'invalid_operand'],
    [{ a: { $exists: 1 } }, '/a/$exists', 'invalid_operand'],
    [{ a: { $startsWith: 1 } }, '/a/$startsWith', 'invalid_operand'],
    [{ a: 12345678901234567890 }, '/a', 'invalid_operand'],
    [{ a: { $in: [{ b: [1e400] }] } }, '/a/$in', 'invalid_operand'],
  ])('refuses %j, pointing to %j', (json, field, code) => {
    expect(checkFilter(json)).toEqual([{ field, code, message: expect.any(String) }]);
  });

  it('names everything that is wrong at once, beneath the pointer that it was given', () => {
    const violations = checkFilter({ a: { $x: 1, $gt: true }, $or: [{ b: [] }] }, '/filter');
    expect(violations.map(({ field }) => field)).toEqual([
      '/filter/a/$x',
      '/filter/a/$gt',
      '/filter/$or/0/b',
    ]);
  });

  it('bounds depth, size and clauses', () => {
    const nested = (depth: number): unknown => (depth === 1 ? { a: 1 } : { $not: nested(depth - 1) });
    expect(checkFilter(nested(maxFilterDepth))).toEqual([]);
    expect(checkFilter(nested(maxFilterDepth + 1))).toMatchObject([{ field: '', code: 'too_deep' }]);

    const sized = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });
    expect(checkFilter(sized(maxFilterBytes))).toEqual([]);
    expect(checkFilter(sized(maxFilterBytes + 1))).toMatchObject([{ field: '', code: 'too_large' }]);
    expect(checkFilter({ a: 'é'.repeat(maxFilterBytes / 2) })).toMatchObject([{ code: 'too_large' }]);

    const clauses = (count: number) => ({ $or: Array.from({ length: count }, (_, index) => ({ a: index })) });
    expect(checkFilter(clauses(maxFilterClauses))).toEqual([]);
    expect(checkFilter(clauses(maxFilterClauses + 1))).toMatchObject([{ field: '', code: 'too_many' }]);
  });

  it('refuses what is nested without an end', () => {
    const endless: Record<string, unknown> = {};
    endless['$not'] = endless;
    expect(checkFilter(endless)).toMatchObject([{ code: 'too_deep' }]);
  });
});

describe('explain', () => {
  it.each([
    [{ 'customer.country': 'NL' }, true, '"customer.country" matches {"$eq":"NL"}: it is "NL".'],
    [{ 'customer.country': 'US' }, false, '"customer.country" doesn\'t match {"$eq":"US"}: it is "NL".'],
    [{ city: 'Paris' }, false, '"city" doesn\'t match {"$eq":"Paris"}: the payload has nothing there.'],
    [{ city: { $exists: false } }, true, '"city" matches {"$exists":false}: the payload has nothing there.'],
    [
      { 'items.price': { $gt: 100 } },
      false,
      '"items.price" doesn\'t match {"$gt":100}: it is 5, the first of 2 values that were tried.',
    ],
    [{ 'items.price': { $ne: 90 } }, false, '"items.price" doesn\'t match {"$ne":90}: it is 90.'],
    [{ paid: true, amount: { $lt: 100 } }, false, '"amount" doesn\'t match {"$lt":100}: it is 120.5.'],
    [
      { paid: true, amount: { $gt: 100 } },
      true,
      'Each of 2 clauses matches; the first: "paid" matches {"$eq":true}: it is true.',
    ],
    [{ $or: [{ paid: false }, { id: 'ord_1' }] }, true, '"id" matches {"$eq":"ord_1"}: it is "ord_1".'],
    [
      { $or: [{ paid: false }, { id: 'x' }] },
      false,
      'None of the 2 alternatives of $or matches; the first: "paid" doesn\'t match {"$eq":false}: it is true.',
    ],
    [{ $not: { paid: true } }, false, '$not doesn\'t match: "paid" matches {"$eq":true}: it is true.'],
    [{}, true, 'The filter is empty and matches every payload.'],
  ])('of %j says %j and the clause that decided', (json, expected, because) => {
    expect(filterOf(json).explain(order)).toEqual({ matches: expected, because });
  });

  it('cuts what is long', () => {
    const { because } = filterOf({ a: 'x' }).explain({ a: 'y'.repeat(1000) });
    expect(because.length).toBeLessThan(200);
  });
});

describe('docs/filters.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../docs/filters.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(\{.*?\})` +\| `(\{.*?\})` +\| (yes|no):/gm)];

  it.each(rows.map(([, payload = '', json = '', answer]) => [payload, json, answer]))(
    'says rightly whether %s matches %s: %s',
    (payload, json, answer) => {
      expect(matches(JSON.parse(json), JSON.parse(payload))).toBe(answer === 'yes');
    },
  );

  it('has examples that are filters, and names every operator', () => {
    const blocks = [...text.matchAll(/```json\n(.*?)```/gs)].map(
      ([, json = '']) => JSON.parse(json) as unknown,
    );
    const [first, sample, answer, last] = blocks as [
      unknown,
      { filter: unknown; event: { data: unknown } },
      unknown,
      unknown,
    ];
    expect([...checkFilter(first), ...checkFilter(last)]).toEqual([]);
    expect(filterOf(sample.filter).explain(sample.event.data)).toEqual(answer);
    for (const name of [...Object.keys(filterOperators), '$and', '$or', '$not'])
      expect(text).toContain(`"${name}"`);
    expect(rows.length).toBeGreaterThan(5);
  });
});

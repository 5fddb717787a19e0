import {
  checkEventTypeName,
  checkEventTypePattern,
  matchesEventType,
  maxEventTypeLength,
  patternsNaming,
} from './event-type-name.ts';

describe('checkEventTypeName', () => {
  it.each([['order'], ['order.paid'], ['Order_1.item-2.x'], ['a'.repeat(maxEventTypeLength)]])(
    'accepts %s',
    (name) => {
      expect(checkEventTypeName(name, '/type')).toEqual([]);
    },
  );

  it.each([
    [''],
    ['.'],
    ['order.'],
    ['.order'],
    ['a..b'],
    ['a b'],
    ['a/b'],
    ['é'],
    ['order.*'],
    ['*'],
    ['a\n'],
  ])('refuses %j', (name) => {
    expect(checkEventTypeName(name, '/type')).toMatchObject([{ field: '/type', code: 'invalid_format' }]);
  });

  it('refuses what is too long', () => {
    const name = 'a'.repeat(maxEventTypeLength + 1);
    expect(checkEventTypeName(name, '/type')).toMatchObject([{ code: 'too_long' }]);
  });
});

describe('checkEventTypePattern', () => {
  it.each([['*'], ['order.paid'], ['order.*'], ['order.item.*'], ['posthorn.*']])('accepts %s', (pattern) => {
    expect(checkEventTypePattern(pattern, '/eventTypes/0')).toEqual([]);
  });

  it.each([[''], ['**'], ['*.paid'], ['order.*.paid'], ['order*'], ['.*'], ['order.**']])(
    'refuses %j',
    (pattern) => {
      expect(checkEventTypePattern(pattern, '/eventTypes/0')).toMatchObject([{ field: '/eventTypes/0' }]);
    },
  );
});

describe('matchesEventType', () => {
  it.each([
    ['order.paid', 'order.paid', true],
    ['order.paid', 'order.paid.late', false],
    ['order.*', 'order.paid', true],
    ['order.*', 'order.paid.late', true],
    ['order.*', 'order', false],
    ['order.*', 'orders.paid', false],
    ['*', 'order', true],
    [null, 'order', true],
    ['*', 'posthorn.endpoint.disabled', false],
    [null, 'posthorn.endpoint.disabled', false],
    ['posthorn.*', 'posthorn.endpoint.disabled', true],
    ['posthorn.endpoint.disabled', 'posthorn.endpoint.disabled', true],
  ])('of %j and %s is %j', (pattern, type, expected) => {
    expect(matchesEventType(pattern, type)).toBe(expected);
  });
});

describe('patternsNaming', () => {
  it('gives those and only those that name the type', () => {
    expect(patternsNaming('posthorn.endpoint.deleted')).toEqual([
      'posthorn.endpoint.deleted',
      'posthorn.endpoint.*',
      'posthorn.*',
    ]);
    expect(patternsNaming('order')).toEqual(['order']);
    for (const type of ['a.b.c.d', 'posthorn.x', 'one']) {
      expect(patternsNaming(type).filter((pattern) => !matchesEventType(pattern, type))).toEqual([]);
    }
  });
});

import { parseQuery } from './query.ts';

test.each([
  ['', []],
  [
    'a=1&b=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  [
    'a=1&a=2',
    [
      ['a', '1'],
      ['a', '2'],
    ],
  ],
  ['a', [['a', '']]],
  ['a=', [['a', '']]],
  ['=a', [['', 'a']]],
  ['a=b=c', [['a', 'b=c']]],
  ['a!=b', [['a!', 'b']]],
  ['a%21=%3E%3D1', [['a!', '>=1']]],
  ['a=x+y%2B', [['a', 'x y+']]],
  ['&&a=1&', [['a', '1']]],
  [
    'a=%zz&b=%FF',
    [
      ['a', '%zz'],
      ['b', '%FF'],
    ],
  ],
])('%s is %j', (text, pairs) => {
  expect(parseQuery(text).pairs).toEqual(pairs);
});

test('the last of several counts where one is wanted', () => {
  const query = parseQuery('a=1&b=2&a=3');
  expect([query.last('a'), query.all('a'), query.last('x'), query.all('x')]).toEqual([
    '3',
    ['1', '3'],
    undefined,
    [],
  ]);
});

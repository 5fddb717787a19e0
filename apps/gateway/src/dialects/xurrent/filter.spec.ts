/** The table of operators of the contract, one line after the other. */
import type { Policy } from '@posthorn/models';
import { parseQuery } from '../query.ts';
import { parseFilter } from './filter.ts';
import { createZone } from './zone.ts';

const zone = createZone('America/Chicago');
const policy = (number: number, given: Partial<Policy> = {}): Policy => ({
  id: String(number),
  number,
  organisationId: 'o',
  name: `name${number}`,
  algorithm: 'none',
  audience: null,
  expiresInMinutes: null,
  publicKeyPem: null,
  disabled: false,
  // Noon, one and two o'clock in UTC; the fraction is never shown.
  createdAt: new Date(Date.parse('2016-01-15T11:00:00.900Z') + number * 3_600_000),
  updatedAt: new Date('2016-01-15T12:00:00Z'),
  ...given,
});
const policies = [policy(1), policy(2, { disabled: true, name: 'ABC' }), policy(3)];

const matched = (query: string): number[] =>
  policies.filter(parseFilter(parseQuery(query), zone)).map(({ number }) => number);

test.each([
  ['equal', 'name=abc', [2]],
  ['equal, in any case', 'name=aBc', [2]],
  ['equal to none', 'name=ab', []],
  ['not equal', 'name=!abc', [1, 3]],
  ['not equal, the ! at the name', 'name!=abc', [1, 3]],
  ['equal for numbers', 'id=2', [2]],
  ['not equal for numbers', 'id=!2', [1, 3]],
  ['equal for times, by the second', 'created_at=2016-01-15T13:00:00Z', [2]],
  ['equal for times with an offset', 'created_at=2016-01-15T07:00:00-06:00', [2]],
  ['not equal for times', 'created_at!=2016-01-15T13:00:00Z', [1, 3]],
  ['empty', 'name=', []],
  ['present', 'name=!', [1, 2, 3]],
  ['present, the ! at the name', 'name!=', [1, 2, 3]],
  ['in', 'id=1,2,9', [1, 2]],
  ['in, by its alias', 'ids=1,3', [1, 3]],
  ['not in', 'id=!1,2', [3]],
  ['not in, the ! at the name', 'id!=1,2', [3]],
  ['not in, by its alias', 'ids!=1,2', [3]],
  ['less', 'id=<2', [1]],
  ['less or equal', 'id=<=2', [1, 2]],
  ['greater', 'id=>2', [3]],
  ['greater or equal', 'id=>=2', [2, 3]],
  ['a range', 'id=>1<3', [2]],
  ['a range with its ends', 'id=>=1<=2', [1, 2]],
  ['a range the other way round', 'id=<3>1', [2]],
  ['less for times', 'created_at=<2016-01-15T13:00:00Z', [1]],
  ['less or equal for times', 'created_at=<=2016-01-15T13:00:00Z', [1, 2]],
  ['greater for times', 'created_at=>2016-01-15T13:00:00Z', [3]],
  ['greater or equal for times', 'created_at=>=2016-01-15T13:00:00Z', [2, 3]],
  ['a range of times', 'created_at=>2016-01-15T12:00:00Z<2016-01-15T14:00:00Z', [2]],
  ['a range of times with its ends', 'created_at=>=2016-01-15T12:00:00Z<=2016-01-15T13:00:00Z', [1, 2]],
  ['a plus sign that was not encoded', 'created_at=2016-01-15T14:00:00+01:00', [2]],
  ['a time without an offset is in the organisation’s zone', 'created_at=2016-01-15T07:00:00', [2]],
  ['a date is its first moment there', 'created_at=>=2016-01-15', [1, 2, 3]],
  ['true', 'disabled=true', [2]],
  ['1', 'disabled=1', [2]],
  ['t', 'disabled=t', [2]],
  ['Y', 'disabled=Y', [2]],
  ['Yes', 'disabled=Yes', [2]],
  ['on', 'disabled=on', [2]],
  ['anything else is false', 'disabled=2', [1, 3]],
  ['not true', 'disabled=!true', [1, 3]],
  ['all of several', 'id=>1&disabled=false', [3]],
  ['twice the same field', 'id=>1&id=<3', [2]],
  ['fields that there are not', 'strange=1', [1, 2, 3]],
  ['names of every object', 'constructor=1&__proto__=2', [1, 2, 3]],
])('%s: ?%s', (_, query, numbers) => {
  expect(matched(query)).toEqual(numbers);
});

test.each([
  ['disabled=>true', "Field 'disabled' does not support the '=>' operator"],
  ['disabled=<=true', "Field 'disabled' does not support the '=<=' operator"],
  ['name=>=a', "Field 'name' does not support the '=>=' operator"],
  ['name=a,b', "Cannot apply the '=' operator to a set of values for field 'name'"],
  ['name=!a,b', "Cannot apply the '=!' operator to a set of values for field 'name'"],
  ['id=>1,2', "Cannot apply the '=>' operator to a set of values for field 'id'"],
  [
    'created_at=2016-01-15,2016-01-16',
    "Cannot apply the '=' operator to a set of values for field 'created_at'",
  ],
  ['disabled=true,false', "Cannot filter on a set of values for field 'disabled'"],
  ['jwt_alg=none', 'Filtering not allowed on fields: jwt_alg'],
  ['jwt_alg!=none&jwt_audience=x', 'Filtering not allowed on fields: jwt_alg, jwt_audience'],
  ['id=x', "Invalid value 'x' for field 'id'"],
  ['id=1,,2', "Invalid value '' for field 'id'"],
  ['id=>', "Invalid value '' for field 'id'"],
  ['id=%FF', "Invalid value '%FF' for field 'id'"],
  ['created_at=yesterday', "Invalid value 'yesterday' for field 'created_at'"],
  ['created_at=>=2016-02-30', "Invalid value '2016-02-30' for field 'created_at'"],
])('?%s is refused', (query, message) => {
  expect(() => matched(query)).toThrow(
    expect.objectContaining({ violations: [expect.objectContaining({ message })] }) as Error,
  );
});

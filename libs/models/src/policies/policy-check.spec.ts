import {
  checkAlgorithmChange,
  checkPolicy,
  checkPolicySecret,
  defaultPolicySettings,
  policyLimits,
} from './policy-check.ts';
import { policyAlgorithms, type PolicyAlgorithm } from './policy.ts';
import type { Violation } from '../errors.ts';

const codes = (violations: readonly Violation[]): readonly (readonly [string, string])[] =>
  violations.map(({ field, code }) => [field, code]);

describe('checkPolicy', () => {
  it.each(policyAlgorithms)('accepts %s with nothing else said', (algorithm) => {
    expect(checkPolicy({ ...defaultPolicySettings, algorithm })).toEqual([]);
  });

  it('accepts settings at their bounds', () => {
    expect(
      checkPolicy({
        algorithm: 'rs256',
        audience: 'é'.repeat(policyLimits.audienceBytes / 2),
        expiresInMinutes: policyLimits.maxExpiresInMinutes,
        name: 'a'.repeat(policyLimits.nameLength),
      }),
    ).toEqual([]);
    expect(checkPolicy({ expiresInMinutes: 1, name: 'f' })).toEqual([]);
  });

  it('shows everything at once', () => {
    const algorithm = 'rs1024' as PolicyAlgorithm;
    const wrong = { algorithm, audience: '', expiresInMinutes: 0, name: 'a b' };
    expect(codes(checkPolicy(wrong))).toEqual([
      ['/algorithm', 'invalid_value'],
      ['/audience', 'too_short'],
      ['/expiresInMinutes', 'out_of_range'],
      ['/name', 'invalid_format'],
    ]);
  });

  it('counts an audience in bytes', () => {
    const audience = 'é'.repeat(policyLimits.audienceBytes / 2 + 1);
    expect(codes(checkPolicy({ audience }))).toEqual([['/audience', 'too_long']]);
  });

  it.each([1.5, Number.NaN, policyLimits.maxExpiresInMinutes + 1, -1])('refuses %d minutes', (minutes) => {
    expect(codes(checkPolicy({ expiresInMinutes: minutes }))).toEqual([
      ['/expiresInMinutes', 'out_of_range'],
    ]);
  });
});

describe('checkAlgorithmChange', () => {
  const families: readonly (readonly PolicyAlgorithm[])[] = [
    ['none'],
    ['hs256', 'hs384', 'hs512'],
    ['rs256', 'rs384', 'rs512'],
    ['es256'],
    ['es384'],
    ['es512'],
  ];

  it('lets a policy go over to what its key can sign with, and to nothing else', () => {
    for (const from of policyAlgorithms) {
      for (const to of policyAlgorithms) {
        const isPossible = families.some((family) => family.includes(from) && family.includes(to));
        expect([from, to, checkAlgorithmChange(from, to).length === 0]).toEqual([from, to, isPossible]);
      }
    }
  });
});

describe('checkPolicySecret', () => {
  it('wants 64 printable characters or more', () => {
    expect(checkPolicySecret('s'.repeat(64))).toEqual([]);
    expect(codes(checkPolicySecret('s'.repeat(63)))).toEqual([['/key', 'too_short']]);
    expect(codes(checkPolicySecret(`${'s'.repeat(64)}\n`))).toEqual([['/key', 'invalid_format']]);
    expect(codes(checkPolicySecret('s'.repeat(2049)))).toEqual([['/key', 'too_long']]);
  });
});

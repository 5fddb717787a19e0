import type { Violation } from '../errors.ts';
import { checkForm, checkInteger, checkText } from '../field-check.ts';
import { policyAlgorithms, policyKeyTypes, type PolicyAlgorithm, type PolicySettings } from './policy.ts';

/** What bounds the fields of a policy. */
export const policyLimits = {
  nameLength: 64,
  /** As the source of a regular expression: what stands well in a token's header and in a query. */
  namePattern: '^[A-Za-z0-9._~-]{1,64}$',
  /** In UTF-8. */
  audienceBytes: 2048,
  minExpiresInMinutes: 1,
  /** Ten years. */
  maxExpiresInMinutes: 5_256_000,
  /** In characters; RFC 7518 (section 3.2) asks for as many bytes as the longest hash has. */
  minSecretLength: 64,
  maxSecretLength: 2048,
} as const;

/** The settings of a policy of which nothing but the algorithm was said. */
export const defaultPolicySettings: Omit<PolicySettings, 'algorithm'> = {
  audience: null,
  expiresInMinutes: null,
  disabled: false,
};

/** Everything that is wrong with those settings that are given; `name` is what an owner brings along. */
export function checkPolicy(
  settings: Partial<PolicySettings> & { readonly name?: string },
): readonly Violation[] {
  const { algorithm, audience, expiresInMinutes, name } = settings;
  const { minExpiresInMinutes: min, maxExpiresInMinutes: max } = policyLimits;
  return [
    ...(algorithm === undefined ? [] : checkAlgorithm(algorithm)),
    ...(audience === undefined || audience === null ? [] : checkAudience(audience)),
    ...(expiresInMinutes === undefined || expiresInMinutes === null
      ? []
      : checkInteger(expiresInMinutes, '/expiresInMinutes', { min, max })),
    ...(name === undefined ? [] : checkForm(name, '/name', nameForm, nameRule)),
  ];
}

const nameForm = new RegExp(policyLimits.namePattern);
const nameRule = `A name is 1 to ${policyLimits.nameLength} letters, digits, ".", "_", "~" or "-".`;

function checkAlgorithm(algorithm: PolicyAlgorithm): readonly Violation[] {
  if (policyAlgorithms.includes(algorithm)) return [];
  const message = `There is no such algorithm; there are ${policyAlgorithms.join(', ')}.`;
  return [{ field: '/algorithm', code: 'invalid_value', message }];
}

function checkAudience(audience: string): readonly Violation[] {
  const { audienceBytes: maxLength } = policyLimits;
  const violations = checkText(audience, '/audience', { minLength: 1, maxLength, multiline: true });
  if (violations.length > 0 || new TextEncoder().encode(audience).length <= maxLength) return violations;
  return [{ field: '/audience', code: 'too_long', message: `At most ${maxLength} bytes are allowed.` }];
}

/** Whether a policy may go over to that algorithm: only to one with the same type of key, since no answer could show another key. */
export function checkAlgorithmChange(from: PolicyAlgorithm, to: PolicyAlgorithm): readonly Violation[] {
  if (policyKeyTypes[from] === policyKeyTypes[to]) return [];
  const possible = policyAlgorithms.filter((each) => policyKeyTypes[each] === policyKeyTypes[from]);
  const message = `The key stays what it is; it signs with ${possible.join(', ')} only.`;
  return [{ field: '/algorithm', code: 'key_type_fixed', message }];
}

/** What is wrong with a shared secret that an owner brings along. */
export function checkPolicySecret(secret: string): readonly Violation[] {
  const { minSecretLength: minLength, maxSecretLength: maxLength } = policyLimits;
  return checkText(secret, '/key', { minLength, maxLength });
}

/** What clients of xurrent send: bodies to settings of a policy, and the parameters `fields` and `sort`. */
import {
  DomainError,
  policyAlgorithms,
  policyLimits,
  type PolicyAlgorithm,
  type PolicySettings,
  type Violation,
} from '@posthorn/models';
import { collectionFields, policyFields, type PolicyField } from './render.ts';

/** Settings as far as they are given. */
export type PolicyChanges = Partial<PolicySettings>;

type Read = (value: unknown) => PolicyChanges | string;

/** Each field that may be written: its settings, or what is wrong behind the field's name. */
const readers: Readonly<Record<string, Read>> = {
  jwt_alg(value) {
    if (isBlank(value)) return "can't be blank";
    const algorithm = policyAlgorithms.find((known) => known === value);
    return algorithm === undefined ? 'is not included in the list' : { algorithm };
  },
  jwt_audience(value) {
    if (isBlank(value)) return { audience: null };
    if (typeof value !== 'string') return 'is invalid';
    if (Buffer.byteLength(value) <= policyLimits.audienceBytes) return { audience: value };
    return `is too long (maximum is ${policyLimits.audienceBytes} bytes)`;
  },
  jwt_claim_expires_in(value) {
    if (isBlank(value)) return { expiresInMinutes: null };
    const minutes = minutesOf(value);
    if (minutes === null) return 'is not a duration';
    if (minutes < policyLimits.minExpiresInMinutes) return 'must be greater than 0';
    if (minutes <= policyLimits.maxExpiresInMinutes) return { expiresInMinutes: minutes };
    return `must be less than or equal to ${policyLimits.maxExpiresInMinutes}`;
  },
  disabled(value) {
    if (isBlank(value)) return { disabled: false };
    if (typeof value === 'boolean') return { disabled: value };
    if (typeof value === 'string' || typeof value === 'number') return { disabled: isTrue(String(value)) };
    return 'is invalid';
  },
};

/** What stands before a text about a field: `jwt_alg` → `Jwt alg`. */
export function humanName(field: string): string {
  const words = field.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The body of a create: an algorithm must be given. */
export function parseNewPolicy(body: unknown): PolicyChanges & { readonly algorithm: PolicyAlgorithm } {
  const { algorithm, ...rest } = parseFields({ jwt_alg: undefined, ...objectOf(body) });
  if (algorithm === undefined) throw new DomainError('internal', 'An algorithm is missing.');
  return { ...rest, algorithm };
}

/** The body of an update: what isn't given stays. */
export function parsePolicyChanges(body: unknown): PolicyChanges {
  return parseFields(objectOf(body));
}

function parseFields(fields: Readonly<Record<string, unknown>>): PolicyChanges {
  const violations: Violation[] = [];
  let changes: PolicyChanges = {};
  for (const [field, read] of Object.entries(readers)) {
    if (!Object.hasOwn(fields, field)) continue;
    const result = read(fields[field]);
    if (typeof result !== 'string') changes = { ...changes, ...result };
    else violations.push({ field: `/${field}`, code: 'invalid', message: `${humanName(field)} ${result}` });
  }
  if (violations.length > 0) throw DomainError.invalid(violations);
  return changes;
}

/** No body at all is one without fields. */
function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined) return {};
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw DomainError.invalid([{ field: '', code: 'invalid_type', message: 'The body must be a JSON object' }]);
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Minutes as a whole number, or `hh:mm`. */
function minutesOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (typeof value !== 'string') return null;
  if (/^-?\d{1,9}$/.test(value)) return Number(value);
  const [, hours, minutes] = /^(\d{1,6}):([0-5]\d)$/.exec(value) ?? [];
  return hours === undefined || minutes === undefined ? null : Number(hours) * 60 + Number(minutes);
}

/** Any of the words for true, in any case; every other is false. */
export function isTrue(text: string): boolean {
  return ['1', 'T', 'Y', 'TRUE', 'YES', 'ON'].includes(text.toUpperCase());
}

/** The parameter `fields`: the id always comes too, and the order is ours. */
export function parseFieldList(text: string | undefined): readonly PolicyField[] {
  const asked = namesIn(text);
  if (asked.length === 0) return collectionFields;
  const unknown = asked.filter((name) => !policyFields.some((field) => field === name));
  if (unknown.length > 0) throw badParameter('fields', `Unknown fields: ${unknown.join(', ')}`);
  return policyFields.filter((field) => field === 'id' || asked.includes(field));
}

/** One field of the order that is asked for. */
export interface SortKey {
  readonly field: 'created_at' | 'updated_at';
  readonly descending: boolean;
}

/** The parameter `sort`: by when they were created where nothing is asked for. */
export function parseSort(text: string | undefined): readonly SortKey[] {
  const asked = namesIn(text).map((name) => ({
    name: name.replace(/^[+-]/, ''),
    descending: name.startsWith('-'),
  }));
  if (asked.length === 0) return [{ field: 'created_at', descending: false }];
  const keys = asked.flatMap(({ name, descending }): SortKey[] =>
    name === 'created_at' || name === 'updated_at' ? [{ field: name, descending }] : [],
  );
  if (keys.length === asked.length) return keys;
  const refused = asked.map(({ name }) => name).filter((name) => !keys.some(({ field }) => field === name));
  throw badParameter('sort', `Sorting not allowed on fields: ${refused.join(', ')}`);
}

function namesIn(text = ''): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The error for a parameter: its message is the whole body's. */
export function badParameter(name: string, message: string): DomainError {
  return DomainError.invalid([{ field: `?${name}`, code: 'invalid', message }]);
}

/**
 * Filters on a collection: `name=abc`, `id=!1,2`, `created_at=>=A<=B`. The operator stands before the value, or, for "not equal", as the
 * last character of the name. All that are given must hold. Times are compared by the second, as they are shown.
 */
import type { Policy } from '@posthorn/models';
import type { Query } from '../query.ts';
import { badParameter, isTrue } from './parse.ts';
import { policyFields } from './render.ts';
import type { Zone } from './zone.ts';

export type PolicyFilter = (policy: Policy) => boolean;

/** How a field is compared. */
interface FilterField {
  readonly kind: 'text' | 'number' | 'time' | 'boolean';
  read(policy: Policy): string | number | boolean;
}

const seconds = (moment: Date): number => Math.floor(moment.getTime() / 1_000);

const filterFields: Readonly<Record<string, FilterField>> = {
  id: { kind: 'number', read: ({ number }) => number },
  name: { kind: 'text', read: ({ name }) => name.toLowerCase() },
  created_at: { kind: 'time', read: ({ createdAt }) => seconds(createdAt) },
  updated_at: { kind: 'time', read: ({ updatedAt }) => seconds(updatedAt) },
  disabled: { kind: 'boolean', read: ({ disabled }) => disabled },
};

/** Fields that can be shown but not filtered on. */
const otherFields: readonly string[] = policyFields.filter((field) => !Object.hasOwn(filterFields, field));

/** The filter that a query string asks for. Throws `invalid_argument` with the message that the original has. */
export function parseFilter(query: Query, zone: Zone): PolicyFilter {
  const conditions = query.pairs.flatMap(([name, value]) => conditionOf(name, value, zone) ?? []);
  const refused = query.pairs.map(([name]) => fieldName(name)).filter((name) => otherFields.includes(name));
  if (refused.length > 0)
    throw badParameter(
      refused[0] ?? '',
      `Filtering not allowed on fields: ${[...new Set(refused)].join(', ')}`,
    );
  return (policy) => conditions.every((holds) => holds(policy));
}

/** `ids` is `id`, and `id!` is its negation. */
function fieldName(name: string): string {
  const plain = name.replace(/!$/, '');
  return plain === 'ids' ? 'id' : plain;
}

function conditionOf(name: string, text: string, zone: Zone): PolicyFilter | null {
  const fieldNamed = fieldName(name);
  const field = Object.hasOwn(filterFields, fieldNamed) ? filterFields[fieldNamed] : undefined;
  if (field === undefined) return null;
  const isNegated = name.endsWith('!') || text.startsWith('!');
  const value = text.startsWith('!') ? text.slice(1) : text;
  // No field that can be filtered on is ever empty.
  if (value === '') return () => isNegated;
  const [, operator] = /^([<>]=?)/.exec(value) ?? [];
  if (operator !== undefined && !isNegated) return comparison(fieldNamed, field, value, operator, zone);
  return equality(fieldNamed, field, value, isNegated, zone);
}

function equality(
  name: string,
  field: FilterField,
  value: string,
  isNegated: boolean,
  zone: Zone,
): PolicyFilter {
  const texts = value.split(',');
  if (texts.length > 1) refuseSet(name, field, isNegated ? '=!' : '=');
  const wanted = new Set(texts.map((text) => valueOf(name, field, text, zone)));
  return (policy) => wanted.has(field.read(policy)) !== isNegated;
}

/** `>A`, `<=B`, or a range of both. */
function comparison(
  name: string,
  field: FilterField,
  value: string,
  operator: string,
  zone: Zone,
): PolicyFilter {
  if (field.kind === 'text' || field.kind === 'boolean')
    throw badParameter(name, `Field '${name}' does not support the '=${operator}' operator`);
  if (value.includes(',')) refuseSet(name, field, `=${operator}`, true);
  const bounds = [...value.matchAll(/([<>]=?)([^<>]*)/g)].map(([, sign = '', text = '']) => ({
    sign,
    limit: Number(valueOf(name, field, text, zone)),
  }));
  return (policy) => {
    const actual = Number(field.read(policy));
    return bounds.every(({ sign, limit }) => holds(actual, sign, limit));
  };
}

function holds(actual: number, sign: string, limit: number): boolean {
  switch (sign) {
    case '<':
      return actual < limit;
    case '<=':
      return actual <= limit;
    case '>':
      return actual > limit;
    default:
      return actual >= limit;
  }
}

/** Sets are for integers, and for nothing but equality. */
function refuseSet(name: string, { kind }: FilterField, operator: string, isComparison = false): void {
  if (kind === 'number' && !isComparison) return;
  throw badParameter(
    name,
    kind === 'boolean'
      ? `Cannot filter on a set of values for field '${name}'`
      : `Cannot apply the '${operator}' operator to a set of values for field '${name}'`,
  );
}

function valueOf(name: string, { kind }: FilterField, text: string, zone: Zone): string | number | boolean {
  switch (kind) {
    case 'text':
      return text.toLowerCase();
    case 'boolean':
      return isTrue(text);
    case 'number':
      if (/^-?\d{1,15}$/.test(text)) return Number(text);
      break;
    case 'time': {
      const moment = zone.parse(text);
      if (moment !== null) return seconds(moment);
    }
  }
  throw badParameter(name, `Invalid value '${text.slice(0, 64)}' for field '${name}'`);
}

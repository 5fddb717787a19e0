import { isRecord } from './filter-path.ts';
import type { MatchEffort } from './match-effort.ts';

/** What an operator asks of a single value, and how. */
export interface Operator {
  /** What may stand after it, for people. */
  readonly wants: string;
  /** Whether this may stand after it. */
  readonly takes: (operand: unknown) => boolean;
  /** The test of a value for this operand. */
  readonly test: (operand: unknown) => ValueTest;
  /** The clause holds when no value passes the test, instead of when one does. */
  readonly negated: (operand: unknown) => boolean;
  /** A value that is an array is tried element by element too. */
  readonly intoElements: boolean;
}

/** What it looks at beyond the value itself, it spends. */
export type ValueTest = (value: unknown, effort: MatchEffort) => boolean;

const exactNumbers = `numbers from -${Number.MAX_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}, which compare exactly`;
const anyValue = `any JSON value, with ${exactNumbers}`;
const numberOrString = `a string or a number (${exactNumbers})`;
const listOfValues = `an array of one or more JSON values, with ${exactNumbers}`;

/** The operators that stand under a path, apart from `$not`. */
export const filterOperators: Readonly<Record<string, Operator>> = {
  $eq: operator(anyValue, isExactJson, equals),
  $ne: operator(anyValue, isExactJson, equals, { negated: always }),
  $gt: operator(
    numberOrString,
    isComparable,
    compares((order) => order > 0),
  ),
  $gte: operator(
    numberOrString,
    isComparable,
    compares((order) => order >= 0),
  ),
  $lt: operator(
    numberOrString,
    isComparable,
    compares((order) => order < 0),
  ),
  $lte: operator(
    numberOrString,
    isComparable,
    compares((order) => order <= 0),
  ),
  $in: operator(listOfValues, isList, isOneOf),
  $nin: operator(listOfValues, isList, isOneOf, { negated: always }),
  $exists: operator(
    'true or false',
    (operand) => typeof operand === 'boolean',
    () => always,
    {
      negated: (operand) => operand === false,
      intoElements: false,
    },
  ),
  $startsWith: operator(
    'a string',
    isText,
    (operand) => (value) => isText(value) && value.startsWith(String(operand)),
  ),
  $endsWith: operator(
    'a string',
    isText,
    (operand) => (value) => isText(value) && value.endsWith(String(operand)),
  ),
  $contains: operator(anyValue, isExactJson, contains, { intoElements: false }),
};

function operator(
  wants: string,
  takes: Operator['takes'],
  test: Operator['test'],
  { negated = () => false, intoElements = true }: Partial<Pick<Operator, 'negated' | 'intoElements'>> = {},
): Operator {
  return { wants, takes, test, negated, intoElements };
}

function always(): boolean {
  return true;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/**
 * A number that JavaScript compares exactly: payloads are read with numbers of 53 bits, so that of two large integers one could not
 * tell which is larger, or whether they are the same.
 */
function isExactNumber(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isComparable(operand: unknown): boolean {
  return isExactNumber(operand) || isText(operand);
}

function isExactJson(operand: unknown): boolean {
  if (operand === null || typeof operand === 'boolean' || isComparable(operand)) return true;
  if (Array.isArray(operand)) return operand.every(isExactJson);
  return isRecord(operand) && Object.values(operand).every(isExactJson);
}

function isList(operand: unknown): boolean {
  return Array.isArray(operand) && operand.length > 0 && operand.every(isExactJson);
}

function equals(operand: unknown): ValueTest {
  return typeof operand === 'object' && operand !== null
    ? (value, effort) => isSameJson(value, operand, effort)
    : (value) => value === operand;
}

/** Numbers with numbers, strings with strings by UTF-16 code units; nothing else has an order. */
function compares(holds: (order: number) => boolean): Operator['test'] {
  return (operand) => (value) => {
    if (typeof value === 'number' && typeof operand === 'number') return holds(value - operand);
    if (!isText(value) || !isText(operand)) return false;
    return holds(value === operand ? 0 : value < operand ? -1 : 1);
  };
}

function isOneOf(operand: unknown): ValueTest {
  const list: readonly unknown[] = Array.isArray(operand) ? operand : [];
  const scalars = new Set(list.filter((each) => typeof each !== 'object' || each === null));
  const composites = list.filter((each) => typeof each === 'object' && each !== null);
  return (value, effort) => scalars.has(value) || composites.some((each) => isSameJson(value, each, effort));
}

/** Of a search in a text: one that keeps almost matching compares each character with most of those that are looked for. */
const comparisonsPerValue = 64;

function contains(operand: unknown): ValueTest {
  const isOperand = equals(operand);
  return (value, effort) => {
    if (Array.isArray(value)) {
      effort.spend(value.length);
      return value.some((element) => isOperand(element, effort));
    }
    if (!isText(value) || !isText(operand)) return false;
    effort.spend((value.length * operand.length) / comparisonsPerValue);
    return value.includes(operand);
  };
}

/** The same JSON value, whatever the order of members. As deep as the shallower of the two. */
function isSameJson(value: unknown, other: unknown, effort: MatchEffort): boolean {
  effort.spend(1);
  if (value === other) return true;
  if (Array.isArray(value)) {
    return (
      Array.isArray(other) &&
      value.length === other.length &&
      value.every((element, index) => isSameJson(element, other[index], effort))
    );
  }
  if (!isRecord(value) || !isRecord(other)) return false;
  const keys = Object.keys(value);
  effort.spend(keys.length);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSameJson(value[key], other[key], effort))
  );
}

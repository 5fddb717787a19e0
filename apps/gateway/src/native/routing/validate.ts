/**
 * Bodies against their schemas, by ajv. Every error becomes a violation with a JSON pointer; unknown fields are named.
 * A check of meaning sees the fields whose shape is right, so that what is wrong in shape and what is wrong in meaning
 * are told together.
 */
import { DomainError, pointerTo, type Violation } from '@posthorn/models';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { JsonBody } from './route.ts';
import { toStandaloneSchema } from './schema.ts';

/** Returns every violation of a parsed body; `bytes` is how large it was, `params` are those of the path. */
export type Validate = (
  body: unknown,
  bytes: number,
  params: Readonly<Record<string, string>>,
) => readonly Violation[];

/** More than this help nobody, and an answer must not grow with what is wrong. */
const maxViolations = 100;

/** In a body over this, only the first error of shape is looked for: a million wrong items make a million errors. */
const maxExplainedBytes = 64 * 1024;

function newAjv(options: { allErrors: boolean }): Ajv2020 {
  // `verbose` lets an error show the part of the schema that it is about.
  const ajv = new Ajv2020({
    ...options,
    strict: true,
    allowUnionTypes: true,
    verbose: true,
    messages: false,
  });
  ajvFormats.default(ajv, ['date-time', 'uri']);
  return ajv;
}

/** Says whether a body is right, at little cost. */
const judging = newAjv({ allErrors: false });
/** Finds everything that is wrong with a body that isn't. */
const explaining = newAjv({ allErrors: true });

/** The schema is compiled when the first body comes: a tenth of a second for all routes, which no start has to wait for. */
export function createValidator(body: JsonBody<unknown>): Validate {
  const schema = toStandaloneSchema(body.schema);
  let isValid: ValidateFunction | undefined;
  let explain: ValidateFunction | undefined;

  function shapeErrors(value: unknown, bytes: number): readonly ErrorObject[] {
    isValid ??= judging.compile(schema);
    if (isValid(value)) return [];
    if (bytes > maxExplainedBytes) return isValid.errors ?? [];
    explain ??= explaining.compile(schema);
    explain(value);
    return explain.errors ?? [];
  }

  return (value, bytes, params) => {
    const shape = uniqueByField(shapeErrors(value, bytes).flatMap(toViolations));
    const meaning = isObject(value) ? (body.check?.(withoutFields(value, shape), params) ?? []) : [];
    return [...shape, ...meaning].slice(0, maxViolations);
  };
}

/** Throws `invalid_argument` when there is any violation. */
export function refuseViolations(violations: readonly Violation[]): void {
  if (violations.length > 0) throw DomainError.invalid(violations.slice(0, maxViolations));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of the body that no violation is about. */
function withoutFields(
  body: Record<string, unknown>,
  violations: readonly Violation[],
): Record<string, unknown> {
  const wrong = new Set(violations.map(({ field }) => `/${field.split('/')[1] ?? ''}`));
  return Object.fromEntries(Object.entries(body).filter(([name]) => !wrong.has(pointerTo('', name))));
}

/** One thing wrong per field is enough: a text of the wrong type fails its pattern too. */
function uniqueByField(violations: readonly Violation[]): readonly Violation[] {
  return [...new Map(violations.map((violation) => [violation.field, violation])).values()];
}

function toViolations(error: ErrorObject): readonly Violation[] {
  const path = error.instancePath;
  const params = error.params as Readonly<Record<string, unknown>>;
  const limit = String(params['limit']);
  const at = (field: string, code: string, message: string): readonly Violation[] => [
    { field, code, message },
  ];
  switch (error.keyword) {
    case 'additionalProperties':
      return at(
        pointerTo(path, String(params['additionalProperty'])),
        'unknown_field',
        `There is no such field here; there are ${fieldNames(error)}.`,
      );
    case 'required':
      return at(pointerTo(path, String(params['missingProperty'])), 'required', 'This must be given.');
    case 'type':
      return at(path, 'invalid_type', `This must be ${typeNames(params['type'])}.`);
    case 'enum':
      return at(path, 'invalid_value', `This must be one of ${listOf(params['allowedValues'])}.`);
    case 'oneOf':
      return at(path, 'invalid_value', `This must be ${alternativesOf(error)}.`);
    case 'const':
      return at(path, 'invalid_value', `This must be ${JSON.stringify(params['allowedValue'])}.`);
    case 'minLength':
      return at(
        path,
        'too_short',
        limit === '1' ? 'This must not be empty.' : `At least ${limit} characters are wanted.`,
      );
    case 'maxLength':
      return at(path, 'too_long', `At most ${limit} characters are allowed.`);
    case 'minimum':
    case 'maximum':
      return at(path, 'out_of_range', rangeOf(error));
    case 'minItems':
    case 'minProperties':
      return at(path, 'too_few', `At least ${limit} must be given.`);
    case 'maxItems':
    case 'maxProperties':
      return at(path, 'too_many', `At most ${limit} are allowed.`);
    case 'pattern':
      return at(path, 'invalid_format', `This must match ${String(params['pattern'])}.`);
    case 'format':
      return at(path, 'invalid_format', `This must be a ${String(params['format'])}.`);
    default:
      return at(path, 'invalid', 'This is not valid.');
  }
}

function fieldNames({ parentSchema }: ErrorObject): string {
  return Object.keys((parentSchema?.['properties'] ?? {}) as object).join(', ') || 'none';
}

function listOf(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : '';
}

interface Alternative {
  readonly enum?: readonly unknown[];
  readonly type?: unknown;
  readonly minItems?: number;
  readonly maxItems?: number;
}

function alternativesOf({ schema }: ErrorObject): string {
  return (schema as readonly Alternative[])
    .map(({ enum: choices, type, minItems, maxItems }) => {
      if (choices !== undefined) return `one of ${listOf(choices)}`;
      return `${typeNames(type)}${minItems === undefined ? '' : ` of ${minItems} to ${maxItems}`}`;
    })
    .join(', or ');
}

function rangeOf({ parentSchema }: ErrorObject): string {
  const { minimum, maximum } = (parentSchema ?? {}) as { minimum?: number; maximum?: number };
  if (minimum === undefined) return `At most ${maximum} is allowed.`;
  return maximum === undefined
    ? `At least ${minimum} is wanted.`
    : `This must be from ${minimum} to ${maximum}.`;
}

const typeTexts: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
};

function typeNames(type: unknown): string {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.map((name) => typeTexts[String(name)] ?? String(name)).join(' or ');
}

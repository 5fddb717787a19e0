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
import { toStandaloneSchema } from './schemas/schema.ts';

/** Returns every violation of a parsed body; `bytes` is how large it was. */
export type Validate = (body: unknown, bytes: number) => readonly Violation[];

/** More than this help nobody, and an answer must not grow with what is wrong. */
const maxViolations = 100;

/** In a body over this, only the first error of shape is looked for: a million wrong items make a million errors. */
const maxExplainedBytes = 64 * 1024;

export function createValidator(body: JsonBody<unknown>): Validate {
  const schema = toStandaloneSchema(body.schema);
  const isValid = newAjv({ allErrors: false }).compile(schema);
  let explaining: ValidateFunction | undefined;

  function shapeErrors(value: unknown, bytes: number): readonly ErrorObject[] {
    if (isValid(value)) return [];
    if (bytes > maxExplainedBytes) return isValid.errors ?? [];
    explaining ??= newAjv({ allErrors: true }).compile(schema);
    explaining(value);
    return explaining.errors ?? [];
  }

  return (value, bytes) => {
    const shape = uniqueByField(shapeErrors(value, bytes).flatMap(toViolations));
    const meaning = isObject(value) ? (body.check?.(withoutFields(value, shape)) ?? []) : [];
    return [...shape, ...meaning].slice(0, maxViolations);
  };
}

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
  ajv.addVocabulary(['example', 'contentMediaType', 'contentEncoding']);
  return ajv;
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
  const at = (field: string, code: string, message: string): readonly Violation[] => [
    { field, code, message },
  ];
  const path = error.instancePath;
  const params = error.params as Readonly<Record<string, unknown>>;
  const limit = String(params['limit']);
  switch (error.keyword) {
    case 'additionalProperties':
      return at(
        pointerTo(path, String(params['additionalProperty'])),
        'unknown_field',
        `is not a field here; there are ${Object.keys(error.parentSchema?.['properties'] ?? {}).join(', ')}`,
      );
    case 'required':
      return at(pointerTo(path, String(params['missingProperty'])), 'required', 'is missing');
    case 'type':
      return at(path, 'invalid_type', `must be ${typeNames(params['type'])}`);
    case 'enum':
      return at(path, 'unknown_value', `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`);
    case 'const':
      return at(path, 'unknown_value', `must be ${JSON.stringify(params['allowedValue'])}`);
    case 'minLength':
      return at(
        path,
        'too_short',
        limit === '1' ? 'must not be empty' : `must have ${limit} characters or more`,
      );
    case 'maxLength':
      return at(path, 'too_long', `must have at most ${limit} characters`);
    case 'minimum':
      return at(path, 'too_small', `must be ${limit} or more`);
    case 'maximum':
      return at(path, 'too_large', `must be ${limit} or less`);
    case 'minItems':
    case 'minProperties':
      return at(path, 'too_few', limit === '1' ? 'must not be empty' : `must have ${limit} or more`);
    case 'maxItems':
    case 'maxProperties':
      return at(path, 'too_many', `must have at most ${limit}`);
    case 'uniqueItems':
      return at(`${path}/${String(params['i'])}`, 'duplicate', 'is there more than once');
    case 'pattern':
      return at(path, 'pattern', `must match ${String(params['pattern'])}`);
    case 'format':
      return at(path, 'format', `must be a ${String(params['format'])}`);
    case 'propertyNames':
      return at(
        pointerTo(path, String(params['propertyName'])),
        'name',
        'is not a name that is allowed here',
      );
    default:
      // What a name must look like is told by `propertyNames`, and `if` and `anyOf` by what is in them.
      return error.propertyName === undefined && error.keyword !== 'if'
        ? at(path, 'invalid', 'is not valid')
        : [];
  }
}

function typeNames(type: unknown): string {
  return (Array.isArray(type) ? type : [type])
    .map((name) => (name === 'integer' ? 'a whole number' : String(name)))
    .join(' or ');
}

/**
 * Query parameters: each is a schema for the document and a parser for the text, made together. Unknown, repeated and
 * empty parameters are violations, as are values that can't be read; all of them are told at once.
 */
import type { Violation } from '@posthorn/models';
import { readTime } from './rfc3339.ts';
import type { Definition } from './schema.ts';

/** Why a parameter's text is refused. */
export interface ParameterProblem {
  readonly problem: string;
}

/** A parameter of the query string: what it looks like, and how its text is read. */
export interface QueryParameter<T> {
  readonly description: string;
  readonly schema: Definition;
  /** May be given several times; `read` is called for each, and the value is an array. */
  readonly repeatable?: boolean;
  readonly read: (text: string) => T | ParameterProblem;
}

const isProblem = (value: unknown): value is ParameterProblem =>
  typeof value === 'object' && value !== null && 'problem' in value;

/** Any text of at most `maxLength` characters. */
export function textParameter(description: string, maxLength = 256): QueryParameter<string> {
  return {
    description,
    schema: { type: 'string', minLength: 1, maxLength },
    read: (text) =>
      text.length <= maxLength ? text : { problem: `At most ${maxLength} characters are allowed.` },
  };
}

/** One of the texts given. */
export function choiceParameter<const T extends string>(
  description: string,
  choices: readonly T[],
): QueryParameter<T> {
  return {
    description,
    schema: { type: 'string', enum: choices },
    read: (text) =>
      choices.find((choice) => choice === text) ?? { problem: `This must be one of ${choices.join(', ')}.` },
  };
}

/** A whole number from `minimum` to `maximum`. */
export function integerParameter(
  description: string,
  { minimum, maximum, standard }: { minimum: number; maximum: number; standard?: number },
): QueryParameter<number> {
  return {
    description,
    schema: { type: 'integer', minimum, maximum, ...(standard !== undefined && { default: standard }) },
    read: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= minimum && value <= maximum
        ? value
        : { problem: `This must be a whole number from ${minimum} to ${maximum}.` };
    },
  };
}

/** A moment in RFC 3339; digits beyond the millisecond are cut off. */
export function timeParameter(description: string): QueryParameter<Date> {
  return {
    description,
    schema: { type: 'string', format: 'date-time' },
    read: (text) => readTime(text) ?? { problem: 'This must be a time as in 2026-01-31T12:00:00.000Z.' },
  };
}

/** The same parameter several times: `?state=held&state=failed`. */
export function repeatable<T>(parameter: QueryParameter<T>, maxItems = 50): QueryParameter<readonly T[]> {
  return {
    description: parameter.description,
    repeatable: true,
    schema: { type: 'array', items: parameter.schema, minItems: 1, maxItems },
    // Called for each of them; `readQuery` makes the array.
    read: parameter.read as QueryParameter<readonly T[]>['read'],
  };
}

/** Parses what is after the `?`. Returns the values by name, or every violation. */
export function readQuery(
  text: string,
  parameters: Readonly<Record<string, QueryParameter<unknown>>>,
): { readonly values: Readonly<Record<string, unknown>>; readonly violations: readonly Violation[] } {
  const values: Record<string, unknown> = {};
  const violations: Violation[] = [];
  const refuse = (name: string, code: string, message: string): void => {
    violations.push({ field: `?${name}`, code, message });
  };
  for (const part of text.split('&')) {
    if (part === '') continue;
    const [name, value] = splitPair(part);
    if (name === null || value === null) {
      refuse(part.slice(0, 64), 'encoding', 'This is not percent-encoded UTF-8.');
      continue;
    }
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (parameter === undefined) {
      refuse(
        name.slice(0, 64),
        'unknown_parameter',
        `There is no such parameter here; ${knownNames(parameters)}.`,
      );
      continue;
    }
    if (parameter.repeatable !== true && Object.hasOwn(values, name)) {
      refuse(name, 'repeated', 'This is given more than once.');
      continue;
    }
    if (value === '') {
      refuse(name, 'empty', 'This is empty; leave it out instead.');
      continue;
    }
    const read = parameter.read(value);
    if (isProblem(read)) refuse(name, 'invalid_value', read.problem);
    else if (parameter.repeatable !== true) values[name] = read;
    else append(values, name, read, parameter, refuse);
  }
  return { values, violations };
}

function append(
  values: Record<string, unknown>,
  name: string,
  value: unknown,
  parameter: QueryParameter<unknown>,
  refuse: (name: string, code: string, message: string) => void,
): void {
  const list = (values[name] ??= []) as unknown[];
  if (list.length === parameter.schema['maxItems'])
    refuse(name, 'too_many', `This is given more than ${list.length} times.`);
  else list.push(value);
}

function splitPair(part: string): [string | null, string | null] {
  const equals = part.indexOf('=');
  return equals === -1 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function knownNames(parameters: object): string {
  const names = Object.keys(parameters);
  return names.length === 0 ? 'this route has none' : `there are ${names.join(', ')}`;
}

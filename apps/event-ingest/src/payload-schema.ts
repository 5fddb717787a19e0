import { createContext, Script } from 'node:vm';
import type { Violation } from '@posthorn/models';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';

/**
 * Event types' JSON Schemas (2020-12), compiled once and kept by their text. The schemas are the tenants': those with
 * regular expressions run under a time limit, so that one that explodes (`(a+)+$`) refuses its own event and doesn't stop
 * everyone's. What isn't guarded against: a schema without them whose check is merely slow; the payload's size bounds it.
 */
export interface PayloadSchemas {
  /** What is wrong with a payload, as pointers from `/data` on; empty when it fits. */
  check(schemaJson: string, payload: unknown): readonly Violation[];
}

/** Violations beyond this many are left out: a payload of 250 KiB can break a schema a hundred thousand times. */
const maxViolations = 50;
const maxCompiled = 1000;
const timeLimitMs = 50;
const regexKeywords = /"(pattern|patternProperties|format)"/;

type Check = (payload: unknown) => readonly ErrorObject[];

export function createPayloadSchemas(onBroken: (error: unknown) => void): PayloadSchemas {
  const compiled = new LRUCache<string, Check>({ max: maxCompiled });

  function checkOf(schemaJson: string): Check {
    const known = compiled.get(schemaJson);
    if (known !== undefined) return known;
    const check = compile(schemaJson, onBroken);
    compiled.set(schemaJson, check);
    return check;
  }

  return {
    check: (schemaJson, payload) => checkOf(schemaJson)(payload).slice(0, maxViolations).map(violationOf),
  };
}

/** A schema that doesn't compile was let in by a mistake of ours (config checks them): it is reported and refuses nothing. */
function compile(schemaJson: string, onBroken: (error: unknown) => void): Check {
  try {
    // One instance for each schema: two organisations may use one `$id` for different things. That it is a schema
    // was made sure when it was stored.
    const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false, validateSchema: false });
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(schemaJson) as object | boolean);
    return regexKeywords.test(schemaJson) ? limited(validate) : unlimited(validate);
  } catch (error) {
    onBroken(error);
    return () => [];
  }
}

function unlimited(validate: ValidateFunction): Check {
  return (payload) => {
    try {
      return validate(payload) ? [] : (validate.errors ?? []);
    } catch {
      // A schema that refers to itself without end: `{"$ref":"#"}`.
      return [endless];
    }
  };
}

/** One for all schemas: a context holds a copy of every built-in. It is in use only while a check runs. */
const arena: { validate: ValidateFunction | undefined; payload: unknown } = {
  validate: undefined,
  payload: undefined,
};
const arenaContext = createContext(arena);
const script = new Script('validate(payload)');

function limited(validate: ValidateFunction): Check {
  return (payload) => {
    arena.validate = validate;
    arena.payload = payload;
    try {
      const fits: unknown = script.runInContext(arenaContext, { timeout: timeLimitMs });
      return fits === true ? [] : (validate.errors ?? []);
    } catch (error) {
      return [error instanceof RangeError ? endless : tooSlow];
    } finally {
      arena.payload = undefined;
    }
  };
}

const tooSlow = failure('time_limit', `could not be checked within ${timeLimitMs} ms`);
const endless = failure('endless', 'could not be checked: the schema refers to itself without end');

function failure(keyword: string, message: string): ErrorObject {
  return { instancePath: '', schemaPath: '', keyword, params: {}, message };
}

function violationOf(error: ErrorObject): Violation {
  return {
    field: `/data${error.instancePath}`,
    code: `schema_${snakeCase(error.keyword)}`,
    message: error.message ?? "doesn't fit the event type's schema",
  };
}

function snakeCase(keyword: string): string {
  return keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '');
}

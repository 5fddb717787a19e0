import { createContext, Script } from 'node:vm';
import type { Violation } from '@posthorn/models';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';

/**
 * Event types' JSON Schemas (2020-12), compiled once and kept by their text. The schemas are the tenants': a check that may take long
 * runs under a time limit, so that one that explodes (`(a+)+$`, references that double at each step) refuses its own event and doesn't
 * stop everyone's. Without a limit runs only what is known to be quick: each part of the schema looks at each part of the payload at
 * most once, and neither is large.
 */
export interface PayloadSchemas {
  /** What is wrong with a payload of so many bytes, as pointers from `/data` on; empty when it fits. */
  check(schemaJson: string, payload: unknown, payloadBytes: number): readonly Violation[];
}

/** Violations beyond this many are left out: a payload of 250 KiB can break a schema a hundred thousand times. */
const maxViolations = 50;
/** Of the schemas that are kept compiled, in characters of their text. */
const maxCompiledLength = 4 * 1024 * 1024;
const timeLimitMs = 50;
/** Regular expressions, comparing each with each, and references: what looks at a part of the payload any number of times. */
const boundlessKeywords =
  /"(?:pattern|patternProperties|format|uniqueItems|\$ref|\$dynamicRef|\$recursiveRef)"/;
/** Characters of a schema times bytes of a payload up to which any other check is quick. */
const maxQuickWork = 1_000_000;

type Check = (payload: unknown, payloadBytes: number) => readonly ErrorObject[];

export function createPayloadSchemas(onBroken: (error: unknown) => void): PayloadSchemas {
  const compiled = new LRUCache<string, Check>({
    maxSize: maxCompiledLength,
    sizeCalculation: (_check, schemaJson) => schemaJson.length,
  });

  function checkOf(schemaJson: string): Check {
    const known = compiled.get(schemaJson);
    if (known !== undefined) return known;
    const check = compile(schemaJson, onBroken);
    compiled.set(schemaJson, check);
    return check;
  }

  return {
    check: (schemaJson, payload, payloadBytes) =>
      checkOf(schemaJson)(payload, payloadBytes).slice(0, maxViolations).map(violationOf),
  };
}

/** A schema that doesn't compile was let in by a mistake of ours (config checks them): it is reported and refuses nothing. */
function compile(schemaJson: string, onBroken: (error: unknown) => void): Check {
  try {
    // One instance for each schema: two organisations may use one `$id` for different things. That it is a schema
    // was made sure when it was stored.
    const ajv = new Ajv2020({
      allErrors: true,
      strict: false,
      logger: false,
      validateSchema: false,
      ownProperties: true,
      // What is large compiles five times as fast, and to its own size where it refers to parts of itself many times.
      code: { optimize: false },
      inlineRefs: false,
    });
    addFormats.default(ajv);
    const schema = JSON.parse(schemaJson) as object;
    const written = JSON.stringify(schema);
    // Not of JSON Schema but of ajv: the check would answer with a promise, which nobody waits for.
    if (written.includes('"$async":')) throw new Error('The schema has $async.');
    const validate = ajv.compile(schema);
    return boundlessKeywords.test(written) ? limited(validate) : limitedWhenLarge(validate, written.length);
  } catch (error) {
    onBroken(error);
    return () => [];
  }
}

function limitedWhenLarge(validate: ValidateFunction, schemaLength: number): Check {
  const withLimit = limited(validate);
  return (payload, payloadBytes) => {
    if (schemaLength * payloadBytes > maxQuickWork) return withLimit(payload, payloadBytes);
    return validate(payload) ? [] : (validate.errors ?? []);
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
    message: `This ${error.message ?? "doesn't fit the event type's schema"}.`,
  };
}

function snakeCase(keyword: string): string {
  return keyword.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '');
}

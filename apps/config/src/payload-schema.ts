import type { Violation } from '@posthorn/models';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/**
 * Whether a JSON Schema (2020-12) can be enforced: event-ingest compiles it in the same way. Unknown keywords are
 * annotations, as the specification says. What is elsewhere is never fetched: a `$ref` out of the schema is refused.
 */

export const maxSchemaBytes = 64 * 1024;
/** Nesting beyond this is refused before a compiler recurses into it. */
const maxDepth = 64;
const maxViolations = 20;

/** What is wrong with the schema, as pointers from `/schema` on. */
export function checkPayloadSchema(schemaJson: string): readonly Violation[] {
  if (Buffer.byteLength(schemaJson) > maxSchemaBytes) {
    return [violation('', 'too_large', `must have at most ${maxSchemaBytes} bytes as JSON`)];
  }
  let schema: unknown;
  try {
    schema = JSON.parse(schemaJson);
  } catch {
    return [violation('', 'invalid_json', 'must be JSON')];
  }
  if (
    typeof schema !== 'boolean' &&
    (typeof schema !== 'object' || schema === null || Array.isArray(schema))
  ) {
    return [violation('', 'invalid_type', 'must be a JSON Schema: an object, true or false')];
  }
  if (isDeeperThan(schema, maxDepth)) {
    return [violation('', 'too_deep', `must not be nested deeper than ${maxDepth}`)];
  }
  return compile(schema);
}

function compile(schema: object | boolean): readonly Violation[] {
  // A fresh instance: two organisations may use one `$id` for different things.
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  try {
    if (ajv.validateSchema(schema) !== true) {
      return (ajv.errors ?? [])
        .slice(0, maxViolations)
        .map(({ instancePath, message }) =>
          violation(instancePath, 'invalid_schema', message ?? 'is not valid in JSON Schema 2020-12'),
        );
    }
    ajv.compile(schema);
    return [];
  } catch (error) {
    return [violation('', 'invalid_schema', describe(error))];
  }
}

/** The compiler's words, which speak of the tenant's own schema only. */
function describe(error: unknown): string {
  if (error instanceof Ajv2020.MissingRefError) {
    return `cannot be compiled: "${error.missingRef}" isn't in the schema, and nothing is fetched from elsewhere`;
  }
  return `cannot be compiled: ${error instanceof Error ? error.message : 'unknown reason'}`;
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => isDeeperThan(member, depth - 1));
}

function violation(pointer: string, code: string, message: string): Violation {
  return { field: `/schema${pointer}`, code, message };
}

import type { Violation } from '@posthorn/models';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const maxViolations = 20;

/**
 * Whether a JSON Schema (2020-12) can be enforced: event-ingest compiles it in the same way. Unknown keywords are
 * annotations, as the specification says. What is elsewhere is never fetched: a `$ref` out of the schema is refused.
 * Violations point from `/schema` on.
 *
 * @param schemaJson a JSON object whose size and depth are known to be within bounds (`checkEventType`)
 */
export function checkPayloadSchema(schemaJson: string): readonly Violation[] {
  const schema = JSON.parse(schemaJson) as object;
  if (JSON.stringify(schema).includes('"$async":')) {
    return [
      violation(
        '',
        '$async is no keyword of JSON Schema, and means something else to what checks payloads here.',
      ),
    ];
  }
  // A fresh instance: two organisations may use one `$id` for different things. What is large compiles quickly this way.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    code: { optimize: false },
    inlineRefs: false,
  });
  addFormats.default(ajv);
  try {
    if (ajv.validateSchema(schema) === true) {
      ajv.compile(schema);
      return [];
    }
  } catch (error) {
    return [violation('', describe(error))];
  }
  return (ajv.errors ?? [])
    .slice(0, maxViolations)
    .map(({ instancePath, message }) => violation(instancePath, `This ${message ?? 'is not valid'}.`));
}

/** The compiler's words, which speak of the tenant's own schema only. */
function describe(error: unknown): string {
  if (error instanceof Ajv2020.MissingRefError) {
    return `"${error.missingRef}" isn't in the schema, and nothing is fetched from elsewhere.`;
  }
  return `The schema cannot be compiled: ${error instanceof Error ? error.message : 'unknown reason'}.`;
}

function violation(pointer: string, message: string): Violation {
  return { field: `/schema${pointer}`, code: 'invalid_schema', message };
}

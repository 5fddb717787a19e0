/**
 * JSON Schemas (2020-12) as values that know the TypeScript type they describe. A definition names another schema by
 * holding it; walking the definitions turns each into a `$ref`, so that the OpenAPI document and the validator are made
 * from the same objects and no list of components has to be kept.
 */

/** A part of a JSON Schema: keywords as in the specification, with schemas in place of references. */
export type Definition = { readonly [keyword: string]: DefinitionValue };
type DefinitionValue =
  string | number | boolean | null | Definition | Schema<unknown> | readonly DefinitionValue[];

/** A JSON Schema without our schemas in it: plain JSON. */
export type PlainSchema = { readonly [keyword: string]: unknown };

/** A named schema: a component of the OpenAPI document, and the promise that what passes it is a `T`. */
export class Schema<T> {
  /** Exists for the compiler only. */
  declare readonly type: T;
  readonly name: string;
  readonly definition: Definition;

  constructor(name: string, definition: Definition) {
    this.name = name;
    this.definition = definition;
  }
}

/** The properties of an object schema: one for each key of the type it describes, no other. */
export type PropertiesOf<T> = { readonly [K in keyof T]-?: Definition | Schema<unknown> };

export interface ObjectOptions<T> {
  readonly description?: string;
  readonly properties: PropertiesOf<T>;
  readonly required?: readonly (keyof T & string)[];
  readonly examples?: readonly DefinitionValue[];
}

/** An object in a request: fields that aren't listed are refused, because a typo must not pass silently. */
export function requestSchema<T extends object>(name: string, options: ObjectOptions<T>): Schema<T> {
  return new Schema(name, { ...objectDefinition(options), additionalProperties: false });
}

/** An object in an answer: every field is always there, and later versions may add more. */
export function answerSchema<T extends object>(
  name: string,
  options: ObjectOptions<T> & { readonly optional?: readonly (keyof T & string)[] },
): Schema<T> {
  const { optional = [], ...rest } = options;
  const keys = Object.keys(options.properties) as (keyof T & string)[];
  return new Schema(
    name,
    objectDefinition({ required: keys.filter((key) => !optional.includes(key)), ...rest }),
  );
}

function objectDefinition<T>({
  description,
  properties,
  required = [],
  examples,
}: ObjectOptions<T>): Definition {
  return {
    type: 'object',
    ...(description !== undefined && { description }),
    properties,
    ...(required.length > 0 && { required }),
    ...(examples !== undefined && { examples }),
  };
}

/** A page of a list. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

/** The schema of a page of a list of `item`. */
export function pageSchema<T>(item: Schema<T>): Schema<Page<T>> {
  return answerSchema<Page<T>>(`${item.name}Page`, {
    description: 'One page of the list, newest first.',
    properties: {
      data: { type: 'array', items: item },
      nextCursor: {
        type: ['string', 'null'],
        description: 'Give it back as `cursor` for the next page; null on the last one.',
      },
    },
  });
}

/** Plain JSON of a definition: every schema in it becomes a `$ref` under `root` and is told to `onSchema`. */
export function toPlainSchema(
  definition: Definition | Schema<unknown>,
  root: string,
  onSchema: (schema: Schema<unknown>) => void,
): PlainSchema {
  const walk = (value: DefinitionValue): unknown => {
    if (value instanceof Schema) {
      onSchema(value);
      return { $ref: `${root}${value.name}` };
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part)]));
  };
  return walk(definition) as PlainSchema;
}

/** The schema and all that it refers to, as one self-contained JSON Schema with `$defs`. */
export function toStandaloneSchema(schema: Definition | Schema<unknown>): PlainSchema {
  const definitions = collectDefinitions([schema], '#/$defs/');
  return { ...toPlainSchema(schema, '#/$defs/', () => undefined), $defs: Object.fromEntries(definitions) };
}

/** Every named schema that the given ones reach, in plain form, by name. Two schemas of one name are a programming error. */
export function collectDefinitions(
  schemas: Iterable<Definition | Schema<unknown>>,
  root: string,
): ReadonlyMap<string, PlainSchema> {
  const seen = new Map<string, Schema<unknown>>();
  const plain = new Map<string, PlainSchema>();
  const visit = (schema: Schema<unknown>): void => {
    const known = seen.get(schema.name);
    if (known === schema) return;
    if (known !== undefined) throw new Error(`Two schemas are named ${schema.name}.`);
    seen.set(schema.name, schema);
    plain.set(schema.name, toPlainSchema(schema.definition, root, visit));
  };
  for (const schema of schemas) toPlainSchema(schema, root, visit);
  return plain;
}

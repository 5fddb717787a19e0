/**
 * `fetch` that holds every answer to the OpenAPI document: status, content type and body must be described there, with no
 * field that isn't; and what is accepted of a request must be described too. A path or a method that the document doesn't
 * have must be answered as a problem that says so, or in the shape of the dialect that owns the path.
 */
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

type Json = Record<string, unknown>;

export interface DocumentedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it isn't JSON. */
  readonly body: unknown;
}

export type DocumentedFetch = (path: string, init?: RequestInit) => Promise<DocumentedAnswer>;

/** The shape in which an API answers where it has nothing. */
export interface FailureShape {
  readonly contentType: string;
  /** The name of the schema in the document. */
  readonly schema: string;
}

export interface DocumentedFetchOptions {
  readonly address: string;
  readonly document: Json;
  /** Whose path it is; undefined for the native API. */
  readonly failureShapeOf: (path: string) => FailureShape | undefined;
}

const nativeFailures: FailureShape = { contentType: 'application/problem+json', schema: 'Problem' };

interface Operation {
  readonly pointer: string;
  readonly operation: Json;
}

export function createDocumentedFetch({
  address,
  document,
  failureShapeOf,
}: DocumentedFetchOptions): DocumentedFetch {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajvFormats.default(ajv);
  ajv.addSchema({ ...(closed(document) as Json), $id: 'https://document.test/' });

  const validators = new Map<string, ValidateFunction>();
  function validatorOf(pointer: string): ValidateFunction {
    let validate = validators.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `https://document.test/#${pointer}` });
      validators.set(pointer, validate);
    }
    return validate;
  }

  function check(pointer: string, value: unknown, what: string): void {
    const validate = validatorOf(pointer);
    if (!validate(value)) {
      throw new Error(
        `${what} is not as documented: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`,
      );
    }
  }

  return async (path, init = {}) => {
    const response = await fetch(address + path, init);
    const text = await response.text();
    const contentType = response.headers.get('content-type')?.split(';')[0] ?? null;
    const body =
      contentType !== null && /json$/.test(contentType) && text !== ''
        ? (JSON.parse(text) as unknown)
        : undefined;
    const answer = { status: response.status, headers: response.headers, text, body };

    const method = (init.method ?? 'GET').toLowerCase();
    const what = `${method.toUpperCase()} ${path} → ${response.status}`;
    if (response.headers.get('x-request-id') === null) throw new Error(`${what} has no X-Request-Id`);
    const found = findOperation(document, path, method);
    if (found === null) checkUndocumented(answer, { path, method, what, type: contentType });
    else {
      const described = checkStatus(found, answer, what);
      if (method !== 'head' && text !== '') {
        const media = mediaOf(described, contentType, what);
        if (body !== undefined)
          check(`${found.pointer}/responses/${response.status}/content/${media}/schema`, body, what);
      }
      if (response.ok && isJsonText(init.body) && 'requestBody' in found.operation) {
        check(
          `${found.pointer}/requestBody/content/application~1json/schema`,
          JSON.parse(init.body),
          `the body of ${what}`,
        );
      }
    }
    return answer;
  };

  function checkUndocumented(
    answer: DocumentedAnswer,
    asked: {
      readonly path: string;
      readonly method: string;
      readonly what: string;
      readonly type: string | null;
    },
  ): void {
    const { path, method, what, type } = asked;
    const { contentType, schema } = failureShapeOf(path) ?? nativeFailures;
    if (method === 'options' && answer.status === 204) return;
    if (![400, 404, 405].includes(answer.status)) throw new Error(`${what} is not in the document`);
    if (type !== contentType) throw new Error(`${what} is no ${schema} but ${type}`);
    if (method !== 'head') check(`/components/schemas/${schema}`, answer.body, what);
  }
}

function checkStatus({ operation }: Operation, { status, text }: DocumentedAnswer, what: string): Json {
  const described = (operation['responses'] as Record<string, Json>)[String(status)];
  if (described === undefined) throw new Error(`${what} is a status that is not documented: ${text}`);
  return described;
}

function mediaOf(described: Json, contentType: string | null, what: string): string {
  const content = (described['content'] ?? {}) as Json;
  if (contentType === null || !(contentType in content)) {
    throw new Error(`${what} has the content type ${contentType}, which is not documented`);
  }
  return contentType.replaceAll('/', '~1');
}

/** The operation that a path is of: literal segments go before parameters. */
function findOperation(document: Json, path: string, method: string): Operation | null {
  // Dialects that accept a slash at the end, or a suffix, are described without.
  const paths = document['paths'] as Record<string, Json>;
  const [asSent = ''] = path.split('?');
  const segments = (asSent in paths ? asSent : asSent.replace(/(?<=.)\/$|\.json$/, '')).split('/');
  const fits = (template: string): boolean => {
    const parts = template.split('/');
    return (
      parts.length === segments.length &&
      parts.every((part, at) => part.startsWith('{') || part === segments[at])
    );
  };
  const [template] = Object.keys(paths)
    .filter(fits)
    .toSorted((a, b) => a.split('{').length - b.split('{').length);
  const name = method === 'head' ? 'get' : method;
  const operation = template === undefined ? undefined : (paths[template]?.[name] as Json | undefined);
  if (template === undefined || operation === undefined) return null;
  const escaped = template.replaceAll('~', '~0').replaceAll('/', '~1');
  return { pointer: `/paths/${encodeURIComponent(escaped)}/${name}`, operation };
}

/** Objects may have no field that isn't described: the document leaves room for later ones, tests don't. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closed(part)]));
  const isOpen = object['type'] === 'object' && 'properties' in object && !('additionalProperties' in object);
  return isOpen ? { ...object, additionalProperties: false } : object;
}

function isJsonText(body: unknown): body is string {
  return typeof body === 'string' && body !== '';
}

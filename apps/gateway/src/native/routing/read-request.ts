/** Everything of a request that can be checked without asking anyone: all that is wrong with it is told at once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError, type Violation } from '@posthorn/models';
import { readBody } from '../../read-body.ts';
import { readIfMatch, type Precondition } from './etag.ts';
import { checkIdempotencyKey } from './idempotency.ts';
import { checkContentHeaders, maxManagementBytes, parseJsonBody } from './json-body.ts';
import { readQuery } from './query.ts';
import type { JsonBody, RouteDescription } from './route.ts';
import { Schema } from './schema.ts';
import { createValidator, refuseViolations } from './validate.ts';

/** The decoded parameters of a path. */
type PathValues = Readonly<Record<string, string>>;

/** The checked parts of a request. */
export interface RequestParts {
  readonly query: Readonly<Record<string, unknown>>;
  readonly precondition: Precondition;
  /** The parsed body, or the bytes where the route reads them itself. */
  readonly body: unknown;
  readonly bodyBytes: Buffer;
  readonly idempotencyKey: string | undefined;
}

const emptyBody: JsonBody<unknown> = {
  schema: new Schema('Empty', { type: 'object', properties: {}, additionalProperties: false }),
  optional: true,
};

const noBody = Buffer.alloc(0);
const noPrecondition: Precondition = { kind: 'none' };
const noQuery = {};

/** Makes the reader for a route. It rejects with `invalid_argument` and every violation, or `payload_too_large`. */
export function createRequestReader(
  route: RouteDescription,
): (req: IncomingMessage, res: ServerResponse, params: PathValues) => Promise<RequestParts> {
  const { query: parameters = noQuery } = route;
  // Many clients send `{}` with every POST: where nothing is taken, that is nothing.
  const bodyOf = route.body ?? (route.method === 'post' ? emptyBody : undefined);
  const jsonBody = bodyOf !== undefined && !('raw' in bodyOf) ? bodyOf : null;
  const maxBytes = bodyOf === undefined ? 0 : 'raw' in bodyOf ? bodyOf.maxBytes : maxManagementBytes;
  const validate = jsonBody && createValidator(jsonBody);
  const readsKey = route.method === 'post' && route.idempotency !== 'own';

  return async (req, res, params) => {
    const violations: Violation[] = [];

    let query: Readonly<Record<string, unknown>> = noQuery;
    const url = req.url ?? '';
    const queryStart = url.indexOf('?');
    if (queryStart !== -1) {
      const read = readQuery(url.slice(queryStart + 1), parameters);
      query = read.values;
      violations.push(...read.violations);
    }

    let precondition = noPrecondition;
    if (route.ifMatch === true) {
      const read = readIfMatch(req.headers['if-match']);
      if ('kind' in read) precondition = read;
      else violations.push(read);
    }

    const idempotencyKey = readsKey ? oneHeader(req, 'idempotency-key') : undefined;
    violations.push(...checkIdempotencyKey(idempotencyKey));

    let bodyBytes: Buffer = noBody;
    let body: unknown;
    if (bodyOf !== undefined) {
      violations.push(...checkContentHeaders(req.headers));
      bodyBytes = await readBody(req, res, maxBytes);
      body = bodyBytes;
      if (jsonBody !== null && validate !== null)
        body = readJson(bodyBytes, jsonBody, violations, (value) =>
          validate(value, bodyBytes.length, params),
        );
    } else if (hasBody(req)) {
      violations.push({ field: '', code: 'unexpected', message: 'This request takes no body.' });
    }

    if (violations.length > 0) refuseViolations(violations);
    return { query, precondition, body, bodyBytes, idempotencyKey };
  };
}

function readJson(
  bytes: Buffer,
  body: JsonBody<unknown>,
  violations: Violation[],
  validate: (value: unknown) => readonly Violation[],
): unknown {
  let value: unknown = {};
  if (bytes.length > 0) {
    try {
      value = parseJsonBody(bytes);
    } catch (error) {
      violations.push(...DomainError.from(error).violations);
      return undefined;
    }
  } else if (body.optional !== true) {
    violations.push({ field: '', code: 'required', message: 'A JSON body is needed.' });
    return undefined;
  }
  violations.push(...validate(value));
  return value;
}

/** A request without a body may still say `Content-Length: 0`. */
function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return length === undefined ? req.headers['transfer-encoding'] !== undefined : Number(length) > 0;
}

/** A header by its lower-case name; a repeated one is read as Node joins it. */
export function oneHeader(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

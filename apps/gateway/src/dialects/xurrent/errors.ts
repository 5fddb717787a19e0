/**
 * Failures as xurrent writes them: `{"message"}`, and pairs of field and text in `errors` where fields of a body are wrong (422). What is
 * wrong with a parameter is a 400 with a message of its own.
 */
import type { DomainError, ErrorCode } from '@posthorn/models';
import type { Answer, AnswerDescription } from '../../native/routing/route.ts';
import { answerSchema } from '../../native/routing/schema.ts';
import { retryAfterSeconds } from '../../retry-after.ts';
import type { Failure } from '../dialect.ts';
import { humanName } from './parse.ts';

const kinds = {
  invalid_argument: { status: 400, message: 'Bad Request' },
  payload_too_large: { status: 413, message: 'Request Entity Too Large' },
  unauthenticated: { status: 401, message: 'Unauthorized' },
  permission_denied: { status: 403, message: 'Forbidden' },
  not_found: { status: 404, message: 'Not Found' },
  method_not_allowed: { status: 404, message: 'Not Found' },
  already_exists: { status: 422, message: 'Validation Failed' },
  version_conflict: { status: 409, message: 'Conflict' },
  idempotency_mismatch: { status: 409, message: 'Conflict' },
  failed_precondition: { status: 422, message: 'Validation Failed' },
  rate_limited: { status: 429, message: 'Too Many Requests' },
  internal: { status: 500, message: 'Internal Server Error' },
  unavailable: { status: 503, message: 'Service Unavailable' },
  deadline_exceeded: { status: 504, message: 'Gateway Timeout' },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly message: string }>;

/** The body of every error. */
export interface XurrentError {
  readonly message: string;
  /** Pairs of a field and what is wrong with it. */
  readonly errors?: readonly (readonly [field: string, text: string])[];
  /** Only with 429. */
  readonly documentation_url?: string;
}

/** The answer to a request that failed. `documentationUrl` tells about the limit of requests. */
export function renderFailure({ error }: Failure, documentationUrl: string): Answer<XurrentError> {
  const { status, message } = kindOf(error);
  const seconds = retryAfterSeconds(error);
  return {
    status,
    body: {
      message,
      ...(status === 422 && { errors: pairsOf(error) }),
      ...(error.code === 'rate_limited' && { documentation_url: documentationUrl }),
    },
    headers: {
      ...(error.code === 'unauthenticated' && {
        'WWW-Authenticate': 'Bearer realm="xurrent", Basic realm="xurrent"',
      }),
      ...(seconds !== null && { 'Retry-After': String(seconds) }),
    },
  };
}

function kindOf(error: DomainError): { readonly status: number; readonly message: string } {
  if (error.code !== 'invalid_argument') return kinds[error.code];
  const [first] = error.violations;
  if (first === undefined) return { status: 400, message: error.message };
  if (first.field === '' || first.field.startsWith('?')) return { status: 400, message: first.message };
  return { status: 422, message: 'Validation Failed' };
}

function pairsOf({ message, violations }: DomainError): readonly (readonly [string, string])[] {
  if (violations.length === 0) return [['base', message]];
  return violations.map(({ field, message: text }) => {
    const name = field.slice(1).split('/', 1)[0] ?? '';
    const known = Object.hasOwn(fieldNames, name) ? fieldNames[name] : undefined;
    return known === undefined ? [name, text] : [known, `${humanName(known)}: ${text}`];
  });
}

/** Fields by the names that we have for them, for what only config could tell. */
const fieldNames: Readonly<Record<string, string>> = {
  algorithm: 'jwt_alg',
  audience: 'jwt_audience',
  expiresInMinutes: 'jwt_claim_expires_in',
};

const failureSchema = answerSchema<XurrentError>('XurrentError', {
  description: 'An error of the dialect xurrent.',
  properties: {
    message: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 },
      description: 'Only with 422: pairs of a field and what is wrong with it.',
    },
    documentation_url: { type: 'string', format: 'uri', description: 'Only with 429.' },
  },
  optional: ['errors', 'documentation_url'],
});

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
} as const;

const failure = (description: string): AnswerDescription<XurrentError> => ({
  description,
  schema: failureSchema,
});

/** Every status of an error, for the reference. */
export const failures: Readonly<Record<number, AnswerDescription<XurrentError>>> = {
  400: failure('A parameter is not valid, or the body is not JSON.'),
  401: failure('The key is missing or not valid, or is not one of the account.'),
  403: failure('The key lacks the scope.'),
  404: failure('There is no such thing, no such route, or not with this method.'),
  409: failure('Something else was changed at the same moment.'),
  413: failure('The body is too large.'),
  422: failure('Fields of the body are not valid.'),
  429: { ...failure('Too many requests in this hour.'), headers: retryAfter },
  500: failure('Something went wrong on our side.'),
  503: { ...failure('Not available at the moment.'), headers: retryAfter },
  504: failure('It took too long.'),
};

/**
 * Failures as ricloud writes them: `{"error","message"}`, and `params` with `invalid-parameter`. Its client decodes the body of every
 * answer and posts again on every 5xx. A path or a method that isn't there is `not-found`, as an unknown id is.
 */
import type { DomainError, ErrorCode } from '@posthorn/models';
import type { Answer, AnswerDescription } from '../../native/routing/route.ts';
import { answerSchema } from '../../native/routing/schema.ts';
import { retryAfterSeconds } from '../../retry-after.ts';
import { Refusal, type Failure } from '../dialect.ts';

const kinds = {
  invalid_argument: { status: 400, error: 'invalid-parameter' },
  payload_too_large: { status: 400, error: 'limit-exceeded' },
  unauthenticated: { status: 401, error: 'invalid-token' },
  permission_denied: { status: 403, error: 'missing-scope' },
  not_found: { status: 404, error: 'not-found' },
  method_not_allowed: { status: 404, error: 'not-found' },
  already_exists: { status: 400, error: 'invalid-parameter' },
  version_conflict: { status: 400, error: 'invalid-parameter' },
  idempotency_mismatch: { status: 400, error: 'invalid-parameter' },
  failed_precondition: { status: 400, error: 'limit-exceeded' },
  rate_limited: { status: 429, error: 'limit-exceeded' },
  internal: { status: 500, error: 'server-error' },
  unavailable: { status: 503, error: 'server-error' },
  deadline_exceeded: { status: 504, error: 'server-error' },
} as const satisfies Record<ErrorCode, { readonly status: number; readonly error: string }>;

/** The body of every error. */
export interface RicloudError {
  readonly error: string;
  readonly message: string;
  /** What is wrong with which parameter. */
  readonly params?: Readonly<Record<string, string>>;
}

/** The answer to a request that failed. */
export function renderFailure({ error }: Failure): Answer<RicloudError> {
  const seconds = retryAfterSeconds(error);
  return {
    status: kinds[error.code].status,
    body: bodyOf(error),
    headers: {
      ...(error.code === 'unauthenticated' && { 'WWW-Authenticate': 'Token' }),
      ...(seconds !== null && { 'Retry-After': String(seconds) }),
    },
  };
}

/** No config is valid, so that the organisation can't use what needs one. */
export function unconfigured(): Refusal {
  const body: RicloudError = {
    error: 'unconfigured',
    message: 'The organisation has no valid webhook config.',
  };
  return new Refusal({ status: 400, body });
}

function bodyOf({ code, message, violations }: DomainError): RicloudError {
  const { error } = kinds[code];
  const [first] = violations;
  if (error !== 'invalid-parameter' || first === undefined) return { error, message };
  // What is wrong with the body as a whole, its syntax above all, is no parameter's fault.
  if (first.field === '') return { error: 'invalid-body', message: first.message };
  const names = violations.map(({ field }) => nameOf(field));
  return {
    error,
    message: `Not valid: ${[...new Set(names)].join(', ')}.`,
    params: Object.fromEntries(violations.map(({ field, message: text }) => [nameOf(field), text])),
  };
}

/** `/url` and `?limit` are the parameters `url` and `limit`. */
function nameOf(field: string): string {
  return field.slice(1).split('/', 1)[0] ?? '';
}

const failureSchema = answerSchema<RicloudError>('RicloudError', {
  description: 'An error of the dialect ricloud.',
  properties: {
    error: {
      type: 'string',
      enum: [...new Set([...Object.values(kinds).map(({ error }) => error), 'invalid-body', 'unconfigured'])],
    },
    message: { type: 'string' },
    params: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Only with `invalid-parameter`: what is wrong with which.',
    },
  },
  optional: ['params'],
});

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
} as const;

const failure = (description: string): AnswerDescription<RicloudError> => ({
  description,
  schema: failureSchema,
});

/** Every status of an error, for the reference. */
export const failures: Readonly<Record<number, AnswerDescription<RicloudError>>> = {
  400: failure(
    '`invalid-body`, `invalid-parameter`, `unconfigured` or `limit-exceeded` (the body is too large, or there are too many configs).',
  ),
  401: failure('`invalid-token`: the key is missing or not valid.'),
  403: failure('`missing-scope`'),
  404: failure('`not-found`: there is no such thing, no such route, or not with this method.'),
  429: { ...failure('`limit-exceeded`'), headers: retryAfter },
  500: failure('`server-error`'),
  503: { ...failure('`server-error`'), headers: retryAfter },
  504: failure('`server-error`'),
};

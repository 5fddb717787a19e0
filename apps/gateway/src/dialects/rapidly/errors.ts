/**
 * Failures as rapidly writes them: `{"error","detail"}`, the pair of OAuth for tokens, pydantic's list for what was sent, and FastAPI's
 * bare `{"detail"}` for routes that aren't there.
 */
import type { DomainError, ErrorCode } from '@posthorn/models';
import type { Answer, AnswerDescription } from '../../native/routing/route.ts';
import { answerSchema, Schema } from '../../native/routing/schema.ts';
import { retryAfterSeconds } from '../../retry-after.ts';
import { Refusal, type Failure } from '../dialect.ts';

/** One thing that is wrong with a request, in pydantic's words. */
export interface Problem {
  /** `body`, `query` or `path`, and where in it. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
  readonly input: unknown;
}

interface PlainError {
  readonly error: string;
  readonly detail: string;
}
interface TokenError {
  readonly error: string;
  readonly error_description: string;
}
interface ValidationError {
  readonly error: string;
  readonly detail: readonly Problem[];
}
interface RouteError {
  readonly detail: string;
}
export type RapidlyError = PlainError | TokenError | ValidationError | RouteError;

/** The refusal of a request with everything that is wrong with it. */
export function refusal(problems: readonly Problem[]): Refusal {
  return new Refusal({ status: 422, body: validationError(problems) });
}

function validationError(detail: readonly Problem[]): ValidationError {
  return { error: 'RequestValidationError', detail };
}

const invalidToken =
  'The access token provided is expired, revoked, malformed, or invalid for other reasons.';
const insufficientScope = 'The request requires higher privileges than provided by the access token.';

const statuses = {
  invalid_argument: 422,
  payload_too_large: 413,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_exists: 422,
  version_conflict: 422,
  idempotency_mismatch: 422,
  failed_precondition: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 503,
} as const satisfies Record<ErrorCode, number>;

/** The answer to a request that failed. */
export function renderFailure(failure: Failure): Answer<RapidlyError> {
  const { error, allow } = failure;
  const seconds = retryAfterSeconds(error);
  const challenge = challengeOf(failure);
  return {
    status: statuses[error.code],
    body: bodyOf(failure),
    headers: {
      ...(challenge !== null && { 'WWW-Authenticate': challenge }),
      ...(error.code === 'method_not_allowed' && { Allow: allow.join(', ') }),
      ...(seconds !== null && { 'Retry-After': String(seconds) }),
    },
  };
}

function bodyOf({ error, route, hasCredentials }: Failure): RapidlyError {
  switch (error.code) {
    case 'invalid_argument':
      return validationError(problemsOf(error, undefined));
    case 'already_exists':
    case 'version_conflict':
    case 'idempotency_mismatch':
    case 'failed_precondition':
      return validationError([{ loc: ['body'], msg: error.message, type: 'value_error', input: null }]);
    case 'payload_too_large':
      return { error: 'RequestEntityTooLarge', detail: error.message };
    case 'unauthenticated':
      return hasCredentials
        ? { error: 'invalid_token', error_description: invalidToken }
        : { error: 'Unauthorized', detail: 'Unauthorized' };
    case 'permission_denied':
      return { error: 'insufficient_scope', error_description: insufficientScope };
    case 'not_found':
      return route === null ? { detail: 'Not Found' } : { error: 'ResourceNotFound', detail: 'Not found' };
    case 'method_not_allowed':
      return { detail: 'Method Not Allowed' };
    case 'rate_limited':
      return { error: 'TooManyRequests', detail: 'Too many requests' };
    case 'internal':
      return { error: 'InternalServerError', detail: 'Internal server error' };
    case 'unavailable':
    case 'deadline_exceeded':
      return { error: 'ServiceUnavailable', detail: 'Service temporarily unavailable' };
  }
}

/** What the `WWW-Authenticate` header says; null where there is none. */
function challengeOf({ error, route, hasCredentials }: Failure): string | null {
  if (error.code === 'permission_denied') {
    const scope = route?.scopes.some((needed) => needed.endsWith(':write')) === true ? 'write' : 'read';
    return `Bearer realm="rapidly", error="insufficient_scope", error_description="${insufficientScope}", scope="webhooks:${scope}"`;
  }
  if (error.code !== 'unauthenticated') return null;
  return hasCredentials
    ? `Bearer realm="rapidly", error="invalid_token", error_description="${invalidToken}"`
    : 'Bearer realm="rapidly"';
}

/** What config calls the fields of an endpoint. */
const fieldNames: Readonly<Record<string, string>> = { eventTypes: 'events', organisationId: 'workspace_id' };

/** What config, or the parser of bodies, refuses. `body` is what was sent, for its `input`. */
export function problemsOf({ message, violations }: DomainError, body: unknown): readonly Problem[] {
  if (violations.length === 0) return [{ loc: ['body'], msg: message, type: 'value_error', input: null }];
  return violations.map(({ field, message: text }): Problem => {
    if (field === '') {
      const position = /position (\d+)/.exec(text)?.[1];
      return {
        loc: ['body', Number(position ?? 0)],
        msg: 'JSON decode error',
        type: 'json_invalid',
        input: {},
      };
    }
    const [name = '', ...rest] = field.slice(1).split('/');
    const known = fieldNames[name] ?? name;
    const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[known] : null;
    const loc = [known, ...rest.map((part) => (/^\d+$/.test(part) ? Number(part) : part))];
    return { loc: ['body', ...loc], msg: `Value error, ${text}`, type: 'value_error', input: given ?? null };
  });
}

const problemSchema = answerSchema<Problem>('RapidlyProblem', {
  properties: {
    loc: {
      type: 'array',
      items: { type: ['string', 'integer'] },
      description: '`body`, `query` or `path`, and where in it.',
    },
    msg: { type: 'string' },
    type: { type: 'string' },
    input: { description: 'What was sent there.' },
  },
});

const errorSchema = new Schema<RapidlyError>('RapidlyError', {
  description: 'An error of the dialect rapidly.',
  anyOf: [
    answerSchema<PlainError>('RapidlyPlainError', {
      properties: { error: { type: 'string' }, detail: { type: 'string' } },
    }),
    answerSchema<TokenError>('RapidlyTokenError', {
      properties: { error: { type: 'string' }, error_description: { type: 'string' } },
    }),
    answerSchema<ValidationError>('RapidlyValidationError', {
      properties: {
        error: { const: 'RequestValidationError' },
        detail: { type: 'array', items: problemSchema },
      },
    }),
    answerSchema<RouteError>('RapidlyRouteError', { properties: { detail: { type: 'string' } } }),
  ],
});

const failure = (description: string): AnswerDescription<RapidlyError> => ({
  description,
  schema: errorSchema,
});
const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
} as const;
const challenge = {
  'WWW-Authenticate': { description: 'What kind of token it takes.', schema: { type: 'string' } },
} as const;

/** Every error, for the reference. */
export const failures: Readonly<Record<number, AnswerDescription<RapidlyError>>> = {
  401: { ...failure('There is no token, or it is not valid.'), headers: challenge },
  403: { ...failure('The token lacks the scope.'), headers: challenge },
  404: failure('There is no such thing, or no such route.'),
  405: failure('Not with this method; `Allow` says with which.'),
  413: failure('The body is too large.'),
  422: failure('What was sent is refused; everything that is wrong with it at once.'),
  429: { ...failure('Too many requests.'), headers: retryAfter },
  500: failure('A fault of ours.'),
  503: { ...failure('Something that it takes is away.'), headers: retryAfter },
};

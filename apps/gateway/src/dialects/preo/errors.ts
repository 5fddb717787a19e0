/**
 * Failures as Django REST Framework writes them: `{"detail": text}`, or for what was sent the texts by field. What config refuses of an
 * endpoint is told by the field that the client knows it as.
 */
import type { DomainError, ErrorCode, Violation } from '@posthorn/models';
import type { Answer, AnswerDescription } from '../../native/routing/route.ts';
import { answerSchema, Schema } from '../../native/routing/schema.ts';
import { retryAfterSeconds } from '../../retry-after.ts';
import type { Failure } from '../dialect.ts';

/** Texts by field; `non_field_errors` for what is nobody's fault alone. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

export interface PreoDetail {
  readonly detail: string;
}

const statuses = {
  invalid_argument: 400,
  payload_too_large: 413,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_exists: 400,
  version_conflict: 400,
  idempotency_mismatch: 400,
  failed_precondition: 400,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 503,
} as const satisfies Record<ErrorCode, number>;

/** The answer to a request that failed. */
export function renderFailure(failure: Failure): Answer<PreoDetail | FieldErrors> {
  const { error, allow } = failure;
  const seconds = retryAfterSeconds(error);
  return {
    status: statuses[error.code],
    body: bodyOf(failure, seconds ?? 1),
    headers: {
      ...(error.code === 'unauthenticated' && { 'WWW-Authenticate': 'Bearer' }),
      ...(error.code === 'method_not_allowed' && { Allow: allow.join(', ') }),
      ...(seconds !== null && { 'Retry-After': String(seconds) }),
    },
  };
}

function bodyOf({ error, method, hasCredentials }: Failure, seconds: number): PreoDetail | FieldErrors {
  switch (error.code) {
    case 'invalid_argument':
      return refusalOf(error);
    case 'already_exists':
    case 'version_conflict':
    case 'idempotency_mismatch':
    case 'failed_precondition':
      return { non_field_errors: [error.message] };
    case 'payload_too_large':
      return { detail: error.message };
    case 'unauthenticated':
      return { detail: hasCredentials ? 'Invalid token.' : 'Authentication credentials were not provided.' };
    case 'permission_denied':
      return { detail: 'You do not have permission to perform this action.' };
    case 'not_found':
      return { detail: 'Not found.' };
    case 'method_not_allowed':
      return { detail: `Method "${method}" not allowed.` };
    case 'rate_limited':
      return { detail: `Request was throttled. Expected available in ${seconds} seconds.` };
    case 'internal':
      return { detail: 'A server error occurred.' };
    case 'unavailable':
    case 'deadline_exceeded':
      return { detail: 'Service temporarily unavailable, try again later.' };
  }
}

/** What config calls the fields of an endpoint. */
const fieldNames: Readonly<Record<string, string>> = {
  eventTypes: 'events',
  timeoutMs: 'timeout_seconds',
  editionId: 'edition_id',
  organisationId: 'organization_id',
};

function refusalOf({ message, violations }: DomainError): PreoDetail | FieldErrors {
  const [first] = violations;
  if (first === undefined) return { non_field_errors: [message] };
  if (first.field === '') return { detail: `JSON parse error - ${first.message}` };
  return fieldErrors(violations);
}

function fieldErrors(violations: readonly Violation[]): FieldErrors {
  const errors: Record<string, string[]> = {};
  for (const { field, message } of violations) {
    const name = field.slice(1).split('/', 1)[0] ?? '';
    (errors[fieldNames[name] ?? name] ??= []).push(message);
  }
  return errors;
}

const detailSchema = answerSchema<PreoDetail>('PreoDetail', {
  description: 'An error of the dialect preo.',
  properties: { detail: { type: 'string' } },
});

const fieldErrorsSchema = new Schema<FieldErrors>('PreoFieldErrors', {
  description: 'What is wrong with which field; `non_field_errors` for what is wrong with several together.',
  type: 'object',
  additionalProperties: { type: 'array', items: { type: 'string' } },
  minProperties: 1,
  examples: [{ url: ['Enter a valid URL.'], events: ['This field is required.'] }],
});

const retryAfter = {
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: { type: 'integer' } },
} as const;

const errorSchema = new Schema<PreoDetail | FieldErrors>('PreoError', {
  anyOf: [detailSchema, fieldErrorsSchema],
});

const failure = (description: string): AnswerDescription<PreoDetail | FieldErrors> => ({
  description,
  schema: errorSchema,
});

/** Every error, for the reference. */
export const failures: Readonly<Record<number, AnswerDescription<PreoDetail | FieldErrors>>> = {
  400: failure('What was sent is refused.'),
  401: failure('The key is missing or not valid.'),
  403: failure('The key lacks a scope.'),
  404: failure('There is no such thing, or no such page.'),
  405: failure('Not with this method; `Allow` says with which.'),
  413: failure('The body is too large.'),
  429: { ...failure('Too many requests.'), headers: retryAfter },
  500: failure('A fault of ours.'),
  503: { ...failure('Something that it takes is away.'), headers: retryAfter },
};
